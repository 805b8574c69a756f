// Two cells over each other: what differs between them, what came of it, their curves. A cell is a
// combination with all its runs, or one run; the address holds which.
(function () {
  "use strict";
  const { data, chosen, later, on, hasCurves, drawing } = window.report;
  const { summary, difference, number, signed, ends, titled, cell, pane, factors, combinations, byCodes } = window.panes;
  const runs = data.runs, byId = (id) => document.getElementById(id);
  const MOST_NAMES = 40, SIDES = ["first", "second"];
  const levelOf = (one, factor) => data.factors[factor][one.codes[factors.indexOf(factor)]];

  // --- cells and their names -----------------------------------------------------------------------
  const named = new Map(), runNames = new Map();
  combinations.forEach((one) => { if (!named.has(one.name)) named.set(one.name, one); });
  combinations.forEach((one) => one.runs.forEach((run, place) => {
    const name = one.name + (runs.replicate[run] === "" ? ", run " + (place + 1) : ", replicate " + runs.replicate[run]);
    runNames.set(run, name);
    if (!named.has(name)) named.set(name, { codes: one.codes, name, runs: [run], single: true });
  }));
  const cellOf = (run) => named.get(runNames.get(run));

  // A word is a level, or behind a factor's name a level of it; "replicate 2" asks for single runs.
  function matching(text) {
    const words = text.toLowerCase().split(/[\s,=]+/).filter(Boolean), tests = [], names = [...factors, "replicate"];
    for (let place = 0; place < words.length; place++) {
      const about = names.find((one) => one.toLowerCase() === words[place]), next = words[place + 1];
      if (about === undefined || next === undefined) { const word = words[place]; tests.push((one, whole) => fits(one, word, whole)); continue; }
      place++;
      if (about === "replicate") tests.push((one) => one.single && String(runs.replicate[one.runs[0]]).toLowerCase() === next);
      else tests.push((one) => levelOf(one, about).toLowerCase() === next);
    }
    const single = words.includes("replicate");
    const among = Array.from(named.values()).filter((one) => one.single === single);
    const whole = among.filter((one) => tests.every((test) => test(one, true)));
    return whole.length ? whole : among.filter((one) => tests.every((test) => test(one, false)));
  }
  function fits(one, word, whole) {
    return factors.some((factor) => { const level = levelOf(one, factor).toLowerCase(); return whole ? level === word : level.includes(word); });
  }
  function found(text) {
    if (named.has(text)) return [named.get(text)];
    const id = text.trim().toLowerCase(), some = [];
    if (id.length > 3) runs.cell.forEach((one, run) => { if (one.startsWith(id)) some.push(cellOf(run)); });
    return some.length ? some : matching(text);
  }

  // --- the view: at first the best and the worst combination -----------------------------------------
  function extremes() {
    const outcome = data.outcomes[0], sign = outcome.lower ? -1 : 1;
    const means = combinations.map((one) => [one, summary(one.runs, outcome)]).filter(([, mean]) => mean !== null);
    means.sort((a, b) => sign * (b[1].mean - a[1].mean));
    const some = means.length > 1 ? means.map(([one]) => one) : combinations;
    return { first: some[0], second: some[some.length - 1] };
  }
  const view = {};
  let curve = "", turn = "first";

  function settings(one) {
    const all = new Map(), given = data.settings;
    factors.forEach((factor) => Object.entries((given.parameters[factor] || {})[levelOf(one, factor)] || {}).forEach(([name, value]) => all.set(factor + "." + name, value)));
    given.tuned.forEach((tuned) => {
      if (Object.entries(tuned.at).every(([factor, label]) => levelOf(one, factor) === label)) Object.entries(tuned.values).forEach(([name, value]) => all.set(name, value));
    });
    Object.entries(given.sizes).forEach(([name, column]) => {
      const known = [...new Set(one.runs.map((run) => column[run]).filter((value) => value !== null))];
      if (known.length === 1) all.set(name, known[0]);
    });
    return all;
  }
  const said = (value) => value === undefined || value === null ? "\u2013" : typeof value === "object" ? JSON.stringify(value) : String(value);
  function counts(one, words) {
    const all = new Map();
    one.runs.forEach((run) => { if (words[run]) all.set(words[run], (all.get(words[run]) || 0) + 1); });
    return Array.from(all, ([word, n]) => word + (one.single ? "" : " (" + n + ")")).join(", ");
  }

  // --- the table --------------------------------------------------------------------------------------
  function fill() {
    const { first, second } = view, table = byId("pair-table"), both = [first, second];
    SIDES.forEach((side) => { byId("pair-" + side).value = view[side].name; });
    table.replaceChildren();
    const head = table.createTHead().insertRow();
    cell(head, "th", "What", "col");
    ["First", "Second", "Second \u2212 first"].forEach((name, place) => { cell(head, "th", name, "col").className = place === 2 ? "n" : ""; });
    let body;
    const group = (title) => {
      body = table.createTBody();
      const line = body.insertRow();
      line.className = "group";
      cell(line, "th", title, "rowgroup").colSpan = 4;
    };
    const row = (name, values, gap = "", below = "") => {
      const line = body.insertRow();
      cell(line, "th", name, "row");
      values.forEach(([text, small]) => { const made = cell(line, "td", text); if (small) cell(made, "span", small).className = "p"; });
      const last = cell(line, "td", gap);
      last.className = "n";
      if (below) cell(last, "span", below).className = "p";
      return line;
    };
    group("What differs");
    const unlike = factors.filter((factor) => levelOf(first, factor) !== levelOf(second, factor));
    const given = both.map(settings), names = new Set([...given[0].keys(), ...given[1].keys()]);
    const setting = (name, shown = name) => {
      const [a, b] = given.map((all) => said(all.get(name)));
      if (a !== b && !factors.includes(name)) row(shown, [[a], [b]]).className = "of";
      names.delete(name);
    };
    unlike.forEach((factor) => {
      row(factor, both.map((one) => [levelOf(one, factor)]));
      names.forEach((name) => { if (name.startsWith(factor + ".")) setting(name, name.slice(factor.length + 1)); });
    });
    names.forEach((name) => setting(name));
    if (body.rows.length === 1) row(first === second ? "nothing: it is one cell" : "nothing but the runs", [[""], [""]]);
    group("What came of it");
    data.outcomes.forEach((outcome) => {
      const [a, b] = both.map((one) => summary(one.runs, outcome));
      if (!a && !b) return;
      const gap = a && b ? difference(a, b, outcome) : null;
      row(titled(outcome), [a, b].map((one) => one ? [number(one.mean, outcome), "n = " + one.n] : ["none"]),
        gap ? signed(gap.gap, outcome) : "", gap ? ends(gap, outcome, signed) : "");
    });
    row(both.every((one) => one.single) ? "ended" : "ended (runs)", both.map((one) => [counts(one, runs.status)]));
    if (runs.why && both.some((one) => counts(one, runs.why))) row("why it did not converge", both.map((one) => [counts(one, runs.why) || "\u2013"]));
    const same = factors.filter((factor) => !unlike.includes(factor)).map((factor) => factor + " " + levelOf(first, factor));
    table.createCaption().textContent = same.length ? "The same in both: " + same.join(", ") : "Every factor differs";
  }

  // --- curves over each other ------------------------------------------------------------------------
  function drawCurves() {
    const { palette, plain, plotly, curveLayout, config } = drawing, curves = data.curves, kind = curves.kinds[curve];
    const traces = [];
    SIDES.forEach((side, place) => {
      const rows = view[side].runs.map((run) => kind.rows[run]).filter(Boolean).map((row) => row.map((v) => v === null ? null : v / kind.scale * kind.shown));
      const trace = (y, extra) => ({ type: "scatter", mode: "lines", x: curves.epochs.slice(0, y.length), y, hovertemplate: side + ", " + curves.step + " %{x}: %{y:.4~g}<extra></extra>", ...extra });
      const line = { color: palette[place], dash: place ? "dash" : "solid" };
      if (rows.length > 1) rows.forEach((row) => traces.push(trace(row, { line: { ...line, width: 1 }, opacity: 0.45, showlegend: false })));
      if (!rows.length) return;
      const mean = [];  // as far as every run goes
      while (rows.every((row) => mean.length < row.length && row[mean.length] !== null)) mean.push(rows.reduce((sum, row) => sum + row[mean.length], 0) / rows.length);
      traces.push(trace(mean, { name: side + (byId("pair-chart").clientWidth < 640 ? "" : ": " + plain(view[side].name)), line: { ...line, width: 3 }, mode: mean.length < 3 ? "lines+markers" : "lines" }));
    });
    plotly().react("pair-chart", traces, curveLayout(kind, true), config);
  }

  // --- choosing ---------------------------------------------------------------------------------------
  let drawn = false;
  function draw() { fill(); if (drawn) drawCurves(); }
  function take(side, one, note = "") {
    view[side] = one;
    byId("pair-note").textContent = note;
    draw();
    changed();
  }
  // One of another part of the page: the first, then the second, and so on.
  function pick(one) {
    const side = turn;
    turn = side === "first" ? "second" : "first";
    take(side, one);
    return one.name + " is now the " + side + " of Two cells" + (side === "first" ? "; the next one is the second. " : ". ");
  }
  function show(state) {
    const start = extremes();
    SIDES.forEach((side) => { const one = named.get(state.get(side)); view[side] = one || (view[side] && [...state].length ? view[side] : start[side]); });
    if (curve) {
      const first = Object.keys(data.curves.kinds)[0], wanted = state.get("curve");
      curve = Object.hasOwn(data.curves.kinds, wanted) ? wanted : first;
      byId("pair-curve").value = curve;
    }
    turn = "first";
    byId("pair-note").textContent = "";
    draw();
  }
  if (!data.outcomes.length || !combinations.length) { byId("two-cells").hidden = true; byId("two-cells-box").hidden = true; return; }
  const changed = pane("two-cells", {
    state: () => [...SIDES.map((side) => [side, view[side].name]), ...(curve ? [["curve", curve]] : [])], show, draw: fill,
  });
  SIDES.forEach((side) => {
    const input = byId("pair-" + side);
    const offer = (text) => byId("pair-names").replaceChildren(...(text ? found(text) : combinations).slice(0, MOST_NAMES).map((one) => new Option(one.name, one.name)));
    input.addEventListener("focus", () => { input.select(); offer(""); });
    input.addEventListener("input", () => offer(input.value));
    input.addEventListener("change", () => {
      const some = found(input.value);
      if (some.length === 1) { if (some[0] !== view[side]) take(side, some[0]); else { byId("pair-note").textContent = ""; fill(); } }
      else byId("pair-note").textContent = some.length ? some.length + " cells fit " + input.value + ": one more level tells them apart." : "No cell fits " + input.value + ".";
    });
  });
  byId("pair-swap").addEventListener("click", () => { [view.first, view.second] = [view.second, view.first]; draw(); changed(); });
  byId("pair-chosen").addEventListener("click", () => {
    if (chosen.length < 2) { byId("pair-note").textContent = "Choose two runs first: dots of the chart above, or buttons of the table of runs."; return; }
    view.first = cellOf(chosen[chosen.length - 2]);
    take("second", cellOf(chosen[chosen.length - 1]));
  });
  if (hasCurves()) {
    const kinds = Object.entries(data.curves.kinds);
    curve = kinds[0][0];
    kinds.forEach(([key, one]) => byId("pair-curve").append(new Option(one.name, key)));
    byId("pair-curve").addEventListener("change", (event) => { curve = event.target.value; draw(); changed(); });
    later("pair-chart", () => { drawn = true; drawCurves(); });
    on.theme.push(() => { if (drawn) drawCurves(); });
  } else ["pair-chart", "pair-curve-switch"].forEach((id) => { byId(id).hidden = true; });
  show(new URLSearchParams());
  window.panes.pick = pick;

  // --- the map of all combinations -----------------------------------------------------------------------
  const picture = document.querySelector("#figure-cell_heat_map svg"), field = picture && picture.querySelector("image");
  if (!field) return;
  const size = (names) => names.reduce((all, name) => all * data.factors[name].length, 1);
  const digits = (names, place, codes) => [...names].reverse().forEach((name) => { const base = data.factors[name].length; codes[factors.indexOf(name)] = place % base; place = Math.floor(place / base); });
  const note = document.createElement("span"), link = document.createElement("a");
  const words = document.createTextNode(" Click two fields to see their runs side by side. ");
  note.className = "screen-only"; note.setAttribute("aria-live", "polite");
  link.href = "#two-cells"; link.textContent = "To Two cells";
  note.append(words);
  picture.closest("figure").querySelector("figcaption").append(note);
  picture.style.cursor = "pointer";
  picture.addEventListener("click", (event) => {
    const box = field.getBoundingClientRect(), x = (event.clientX - box.left) / box.width, y = (event.clientY - box.top) / box.height;
    if (!(x >= 0 && x < 1 && y >= 0 && y < 1)) return;
    const codes = [];
    digits(data.map.across, Math.floor(x * size(data.map.across)), codes);
    digits(data.map.down, Math.floor(y * size(data.map.down)), codes);
    const one = byCodes.get(codes.join());
    if (!one) return;
    words.textContent = " " + pick(one);
    note.append(link, ".");
  });
})();
