// The picture of parallel coordinates: an axis for every factor and every outcome, a line for every
// combination, ranges that are dragged along an axis. What is selected, and where else it is said, is
// in parallel.js.
(function () {
  "use strict";
  const { data, chosenOutcome } = window.report;
  const { summary, number, titled, factors, combinations } = window.panes;
  const MOST_LINES = 2000, STEP = 84, TOP = 76, HIGH = 260, FOOT = 26, SIDE = 44, LETTERS = 13;
  const RAMP = [[213, 94, 0], [140, 140, 140], [0, 114, 178]];  // from worst to best

  const axes = factors.map((name, place) => ({ id: "f:" + name, name, levels: data.factors[name], of: (one) => one.codes[place] }));
  data.outcomes.forEach((outcome) => {
    const means = new Map(combinations.map((one) => { const mean = summary(one.runs, outcome); return [one, mean ? mean.mean : null]; }));
    const known = Array.from(means.values()).filter((one) => one !== null);
    if (known.length) axes.push({ id: "o:" + outcome.key, name: titled(outcome), outcome, of: (one) => means.get(one), low: known.reduce((a, b) => Math.min(a, b)), high: known.reduce((a, b) => Math.max(a, b)) });
  });
  const ranges = new Map();  // axis to [from, to]: places of levels, or an outcome as stored
  const within = (one, axis) => { const range = ranges.get(axis), value = axis.of(one); return !range || (value !== null && value >= range[0] && value <= range[1]); };
  const selected = () => combinations.filter((one) => axes.every((axis) => within(one, axis)));
  const coloured = () => axes.find((axis) => axis.outcome === chosenOutcome());
  const least = STEP * (axes.length - 1) + 2 * SIDE;  // pixels that all axes take

  // --- ranks, colours, places ---------------------------------------------------------------------
  // 0 for the worst combination, 1 for the best; those without the outcome have none.
  function ranks() {
    const axis = coloured(), all = new Map();
    if (!axis) return all;
    const sign = axis.outcome.lower ? -1 : 1, known = combinations.filter((one) => axis.of(one) !== null);
    known.sort((a, b) => sign * (axis.of(a) - axis.of(b))).forEach((one, place) => all.set(one, known.length > 1 ? place / (known.length - 1) : 0.5));
    return all;
  }
  function colour(rank) {
    if (rank === undefined) return "var(--soft)";
    const at = Math.min(Math.floor(rank * 2), 1), rest = rank * 2 - at;
    return "rgb(" + RAMP[at].map((from, part) => Math.round(from + (RAMP[at + 1][part] - from) * rest)).join() + ")";
  }
  const share = (axis, value) => axis.levels ? 1 - (value + 0.5) / axis.levels.length : axis.high > axis.low ? Math.min(Math.max((value - axis.low) / (axis.high - axis.low), 0), 1) : 0.5;
  const height = (part) => TOP + (1 - part) * HIGH;
  function place(one, axis, rank) {
    const value = axis.of(one);
    if (value === null) return null;
    return height(share(axis, value) + (axis.levels && rank !== undefined ? (rank - 0.5) * 0.6 / axis.levels.length : 0));
  }

  // --- the picture ------------------------------------------------------------------------------------
  function svg(tag, about, home, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Object.entries(about).forEach(([name, value]) => made.setAttribute(name, value));
    if (text !== undefined) made.textContent = text;
    if (home) home.append(made);
    return made;
  }
  const cut = (text, most) => text.length > most ? text.slice(0, most - 1) + "\u2026" : text;
  function folded(text) {
    const lines = [""];
    text.split(/(?<=[\s_-])/).forEach((word) => {
      if ((lines[lines.length - 1] + word.trimEnd()).length > LETTERS && lines[lines.length - 1]) lines.push("");
      lines[lines.length - 1] += word;
    });
    return lines.length > 4 ? [...lines.slice(0, 3), cut(lines[3].trim() + " \u2026", LETTERS)] : lines;
  }
  let lines = [], brushes = new Map();
  // Into an element of so many pixels across; `changed` is called while an axis is dragged along
  // (false) and at the end of it (true).
  function draw(home, wide, changed) {
    const rank = ranks(), width = Math.max(wide, least), gap = (width - 2 * SIDE) / Math.max(axes.length - 1, 1);
    const across = (axis) => SIDE + gap * axes.indexOf(axis), all = TOP + HIGH + FOOT;
    const picture = svg("svg", { width, height: all, viewBox: "0 0 " + width + " " + all, role: "img", class: "parallel",
      "aria-label": "Parallel coordinates of " + combinations.length + " combinations over " + axes.length + " axes, coloured by " + chosenOutcome().name });
    const step = Math.ceil(combinations.length / MOST_LINES), shownOnes = combinations.filter((_, at) => at % step === 0);
    lines = shownOnes.sort((a, b) => (rank.get(a) ?? -1) - (rank.get(b) ?? -1)).map((one) => {
      let path = "", pen = "M";
      axes.forEach((axis) => {
        const y = place(one, axis, rank.get(one));
        if (y === null) { pen = "M"; return; }
        path += pen + across(axis).toFixed(1) + " " + y.toFixed(1);
        pen = "L";
      });
      const line = svg("path", { d: path, stroke: colour(rank.get(one)) }, picture);
      svg("title", {}, line, one.name);
      return [one, line];
    });
    brushes = new Map(axes.map((axis) => {
      const x = across(axis), part = svg("g", { class: "axis" }, picture);
      svg("line", { x1: x, x2: x, y1: TOP, y2: TOP + HIGH }, part);
      const title = svg("text", { x, y: TOP - 20, "text-anchor": "middle", class: "name" }, part), texts = folded(axis.name);
      svg("title", {}, title, axis.name);
      texts.forEach((text, at) => svg("tspan", { x, dy: at ? 13 : -13 * (texts.length - 1) }, title, text));
      const ticks = axis.levels ? axis.levels.map((level, at) => [share(axis, at), level]) : axis.high > axis.low ? [[1, number(axis.high, axis.outcome)], [0, number(axis.low, axis.outcome)]] : [[0.5, number(axis.low, axis.outcome)]];
      if (ticks.length <= 14) ticks.forEach(([at, text]) => svg("title", {}, svg("text", { x: x + 5, y: height(at) + (axis.levels ? 4 : at ? -3 : 14), class: "tick", "text-anchor": axis.levels ? "start" : "middle", dx: axis.levels ? 0 : -5 }, part, cut(text, LETTERS)), text));
      const brush = svg("rect", { x: x - 7, width: 14, class: "brush" }, part);
      const hold = svg("rect", { x: x - 16, width: 32, y: TOP - 6, height: HIGH + 12, class: "hold" }, part);
      drags(hold, axis, picture, changed);
      return [axis, brush];
    }));
    home.replaceChildren(picture);
    mark();
  }
  // To four digits, away from the middle: a range up to the end of an axis holds what lies there.
  function outward(value, way) {
    const step = 10 ** (Math.floor(Math.log10(Math.abs(value) || 1)) - 3);
    return Number((way * Math.ceil(way * value / step - 1e-9) * step).toPrecision(5));
  }
  // From where the pointer went down to where it is; a click without a way lets the axis go.
  function drags(hold, axis, picture, changed) {
    let from = null;
    const at = (event) => { const box = picture.getBoundingClientRect(); return Math.min(Math.max(1 - ((event.clientY - box.top) * (TOP + HIGH + FOOT) / box.height - TOP) / HIGH, 0), 1); };
    const move = (event) => {
      const ends = [from, at(event)].sort((a, b) => a - b);
      if ((ends[1] - ends[0]) * HIGH < 4) ranges.delete(axis);
      else if (axis.levels) {
        const near = 0.25 / axis.levels.length;
        const places = axis.levels.map((_, place) => place).filter((place) => share(axis, place) >= ends[0] - near && share(axis, place) <= ends[1] + near);
        if (places.length) ranges.set(axis, [places[0], places[places.length - 1]]); else ranges.delete(axis);
      } else ranges.set(axis, ends.map((end, at) => outward(axis.low + end * (axis.high - axis.low), at ? 1 : -1)));
      changed(false);
    };
    hold.addEventListener("pointerdown", (event) => { from = at(event); hold.setPointerCapture(event.pointerId); event.preventDefault(); });
    hold.addEventListener("pointermove", (event) => { if (from !== null) move(event); });
    hold.addEventListener("pointerup", (event) => { if (from !== null) { move(event); from = null; changed(true); } });
    hold.addEventListener("pointercancel", () => { from = null; changed(true); });
  }
  function mark() {
    const some = new Set(selected());
    lines.forEach(([one, line]) => line.setAttribute("class", some.has(one) ? "on" : "off"));
    brushes.forEach((brush, axis) => {
      const range = ranges.get(axis), half = axis.levels ? 0.5 / axis.levels.length : 0;
      brush.style.display = range ? "" : "none";
      if (!range) return;
      const [a, b] = range.map((end) => share(axis, end)), top = height(Math.max(a, b) + half);
      brush.setAttribute("y", top);
      brush.setAttribute("height", Math.max(height(Math.min(a, b) - half) - top, 2));
    });
  }

  window.panes.parallel = { axes, ranges, selected, coloured, ranks, draw, mark, least };
})();
