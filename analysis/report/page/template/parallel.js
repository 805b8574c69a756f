// Parallel coordinates: ranges of factors and outcomes, the combinations within them, the address that
// holds them. Ranges are dragged in the picture (parallel_picture.js), or set in fields by keyboard.
(function () {
  "use strict";
  const { data, later, chosenOutcome } = window.report;
  const panes = window.panes, { summary, number, titled, cell, pane, factors, combinations } = panes;
  const { axes, ranges, selected, coloured, ranks, mark, least } = panes.parallel;
  const byId = (id) => document.getElementById(id), MOST_ROWS = 20;
  let drawn = false, wide = 0;

  // --- beneath it: the selected combinations, the ranges as fields ------------------------------------
  function fill() {
    const rank = ranks(), axis = coloured(), some = selected().sort((a, b) => (rank.get(b) ?? -1) - (rank.get(a) ?? -1)), table = byId("parallel-table");
    say();
    table.replaceChildren();
    table.createCaption().textContent = some.length > MOST_ROWS ? "The best " + MOST_ROWS + " of " + some.length + " selected combinations" : "Selected combinations, the best first";
    const head = table.createTHead().insertRow(), outcome = chosenOutcome();
    cell(head, "th", factors.join(", "), "col");
    [titled(outcome), "n"].forEach((name) => { cell(head, "th", name, "col").className = "n"; });
    const body = table.createTBody();
    some.slice(0, MOST_ROWS).forEach((one) => {
      const line = body.insertRow(), button = document.createElement("button");
      button.type = "button"; button.textContent = one.name; button.setAttribute("aria-label", one.name + ", into Two cells");
      button.addEventListener("click", () => { byId("parallel-count").textContent = panes.pick(one); });
      cell(line, "th", "", "row").append(button);
      const mean = axis ? axis.of(one) : null, counted = summary(one.runs, outcome);
      cell(line, "td", mean === null ? "none" : number(mean, outcome)).className = "n";
      cell(line, "td", counted ? String(counted.n) : "0").className = "n";
    });
    limits.forEach((some, each) => some.forEach((field, end) => {
      const range = ranges.get(each);
      field.value = each.levels ? (range ? range[end] : end ? each.levels.length - 1 : 0) : range ? Number((range[end] * each.outcome.scale).toPrecision(4)) : "";
    }));
  }
  function say() {
    byId("parallel-count").textContent = selected().length + " of " + combinations.length + " combinations selected.";
    byId("parallel-clear").disabled = ranges.size === 0;
  }
  const limits = new Map();  // axis to its two fields, which are made when they are asked for
  function fields() {
    if (limits.size) return;
    const table = byId("parallel-limits"), head = table.createTHead().insertRow(), body = table.createTBody();
    ["Axis", "From", "To"].forEach((name) => cell(head, "th", name, "col"));
    axes.forEach((axis) => {
      const line = body.insertRow();
      cell(line, "th", axis.name, "row");
      limits.set(axis, ["from", "to"].map((end) => {
        const field = document.createElement(axis.levels ? "select" : "input");
        if (axis.levels) axis.levels.forEach((level, at) => field.append(new Option(level, at))); else { field.type = "number"; field.step = "any"; }
        field.setAttribute("aria-label", axis.name + ", " + end);
        cell(line, "td", "").append(field);
        field.addEventListener("change", () => read(axis));
        return field;
      }));
    });
  }
  function read(axis) {
    const texts = limits.get(axis).map((field) => field.value);
    if (axis.levels) {
      const range = texts.map(Number).sort((a, b) => a - b);
      if (range[0] === 0 && range[1] === axis.levels.length - 1) ranges.delete(axis); else ranges.set(axis, range);
    } else if (texts.every((text) => text === "")) ranges.delete(axis);
    else ranges.set(axis, texts.map((text, end) => text === "" ? (end ? axis.high : axis.low) : Number(text) / axis.outcome.scale).sort((a, b) => a - b));
    if (drawn) mark();
    fill();
    changed();
  }

  // --- the view -----------------------------------------------------------------------------------------
  const written = (axis, end) => axis.levels ? axis.levels[end] : String(Number(end.toPrecision(6)));
  function state() {
    return axes.filter((axis) => ranges.has(axis)).map((axis) => [axis.id, ranges.get(axis).map((end) => written(axis, end)).join("|")]);
  }
  function show(view) {
    ranges.clear();
    axes.forEach((axis) => {
      const text = view.get(axis.id);
      if (text === null) return;
      const parts = text.split("|").map(Number);
      if (!axis.levels) { if (parts.length === 2 && parts.every(Number.isFinite) && parts[0] <= parts[1]) ranges.set(axis, parts); return; }
      axis.levels.forEach((first, from) => axis.levels.forEach((last, to) => { if (from <= to && first + "|" + last === text) ranges.set(axis, [from, to]); }));
    });
    draw();
  }
  function drawPicture() {
    drawn = true;
    wide = byId("parallel-chart").parentElement.clientWidth;
    panes.parallel.draw(byId("parallel-chart"), wide, (over) => { mark(); say(); if (over) { fill(); changed(); } });
  }
  function draw() { if (drawn) drawPicture(); fill(); }
  if (!data.outcomes.length || combinations.length < 2) { byId("parallel").hidden = true; byId("parallel-box").hidden = true; return; }
  const changed = pane("parallel", { state, show, draw });
  byId("parallel-clear").addEventListener("click", () => { ranges.clear(); if (drawn) mark(); fill(); changed(); });
  byId("parallel-chart").style.minWidth = least + "px";  // from the first, so that nothing moves later
  byId("parallel-ranges").addEventListener("toggle", () => { fields(); fill(); });
  fill();
  later("parallel-chart", drawPicture);
  addEventListener("resize", () => { if (drawn && byId("parallel-chart").parentElement.clientWidth !== wide) drawPicture(); });
})();
