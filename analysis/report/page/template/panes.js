// What the panes share: intervals of runs, combinations, and the address that holds a view, so that
// it can be sent to somebody: #pane?key=value. Going back shows the view before.
(function () {
  "use strict";
  const { data, kinds, shares, on, chosenOutcome, choose } = window.report;
  const runs = data.runs, factors = Object.keys(data.factors), Z = 1.959964;

  // --- numbers ------------------------------------------------------------------------------------
  // Between two of the table, in which one over df grows evenly; the logarithm is all but straight.
  function student(df) {
    const place = Math.min(1 / df, 1) * (data.t95.length - 1);
    const at = Math.min(Math.floor(place), data.t95.length - 2), rest = place - at;
    return data.t95[at] ** (1 - rest) * data.t95[at + 1] ** rest;
  }
  function ofMean(values) {
    const n = values.length, mean = values.reduce((sum, one) => sum + one, 0) / n;
    if (n < 2) return { n, mean, se: 0, low: null, high: null };
    const squares = values.reduce((sum, one) => sum + (one - mean) ** 2, 0);
    const se = values.every((one) => one === values[0]) ? 0 : Math.sqrt(squares / (n - 1) / n);
    const half = student(n - 1) * se;
    return { n, mean, se, low: mean - half, high: mean + half };
  }
  // Wilson's interval, as the report's other rates have it.
  function ofShare(values) {
    const n = values.length, p = values.reduce((sum, one) => sum + one, 0) / n, z2 = Z * Z;
    const middle = (p + z2 / (2 * n)) / (1 + z2 / n);
    const half = Z / (1 + z2 / n) * Math.sqrt(p * (1 - p) / n + z2 / (4 * n * n));
    return { n, mean: p, low: Math.max(middle - half, 0), high: Math.min(middle + half, 1) };
  }
  const isShare = (outcome) => shares.includes(outcome.key);
  // Of the runs that have the outcome; null without one.
  function summary(some, outcome) {
    const column = runs[outcome.key] || [];
    const values = some.map((run) => column[run]).filter((one) => one !== null && one !== undefined);
    if (!values.length) return null;
    return isShare(outcome) ? ofShare(values) : ofMean(values);
  }
  // Second minus first: Welch's interval, of shares Newcombe's; none where a cell shows no scatter.
  function difference(one, two, outcome) {
    const gap = two.mean - one.mean, none = { gap, low: null, high: null };
    if (one.n < 2 || two.n < 2) return none;
    if (isShare(outcome)) {
      return { gap, low: gap - Math.hypot(two.mean - two.low, one.high - one.mean),
        high: gap + Math.hypot(two.high - two.mean, one.mean - one.low) };
    }
    const a = one.se ** 2, b = two.se ** 2;
    if (!a || !b) return none;
    const half = student((a + b) ** 2 / (a * a / (one.n - 1) + b * b / (two.n - 1))) * Math.sqrt(a + b);
    return { gap, low: gap - half, high: gap + half };
  }
  const number = (value, of) => (value * of.scale).toFixed(of.digits).replace("-", "\u2212");
  // With its sign, and none where it rounds to zero.
  function signed(value, of) {
    const text = (value * of.scale).toFixed(of.digits), rounded = Number(text);
    return rounded === 0 ? text.replace("-", "") : (rounded > 0 ? "+" : "") + text.replace("-", "\u2212");
  }
  const ends = (one, of, say = number) => one.low === null ? "" : "[" + say(one.low, of) + ", " + say(one.high, of) + "]";
  const titled = (of) => of.name + (of.unit ? " (" + of.unit + ")" : "");

  // --- combinations ---------------------------------------------------------------------------------
  const byCodes = new Map();
  for (let run = 0; run < runs.status.length; run++) {
    const codes = factors.map((factor) => runs.levels[factor][run]), key = codes.join();
    if (!byCodes.has(key)) byCodes.set(key, { codes, name: codes.map((code, place) => data.factors[factors[place]][code]).join(", "), runs: [], single: false });
    byCodes.get(key).runs.push(run);
  }

  // --- rows of tables --------------------------------------------------------------------------------
  function cell(line, tag, text, scope) {
    const made = document.createElement(tag);
    made.textContent = text;
    if (scope) made.scope = scope;
    line.append(made);
    return made;
  }

  // --- the address ------------------------------------------------------------------------------------
  const panes = new Map();
  let opening = false;
  // The pane that an address is about, and its view.
  function told() {
    const [id, text] = location.hash.slice(1).split(/\?(.*)/s);
    return text !== undefined && panes.has(id) ? [id, new URLSearchParams(text)] : null;
  }
  function write(id) {
    const view = new URLSearchParams([...panes.get(id).state(), ["outcome", chosenOutcome().key]]);
    if ("#" + id + "?" + view === location.hash) return;
    history.pushState(null, "", "#" + id + "?" + view);
  }
  // A pane gives its view as pairs, shows the view of an address (an empty one: as at first), and
  // draws itself anew. It calls what it gets back whenever its reader has changed the view.
  function pane(id, { state, show, draw }) {
    panes.set(id, { state, show, draw });
    return () => write(id);
  }
  function asked(key) {
    if (Object.hasOwn(kinds, key) && key !== chosenOutcome().key) choose(key);
  }
  function open() {
    const found = told();
    if (!found && location.hash.length > 1) return;  // another part of the page
    opening = true;
    asked(found ? found[1].get("outcome") : data.outcomes[0].key);
    if (found) {
      panes.get(found[0]).show(found[1]);
      document.getElementById(found[0]).scrollIntoView({ behavior: "instant" });
    } else panes.forEach((one) => one.show(new URLSearchParams()));
    opening = false;
  }
  on.outcome.push(() => {
    panes.forEach((one) => one.draw());
    const found = told();
    if (found && !opening) write(found[0]);
  });
  if (data.outcomes.length) {
    addEventListener("hashchange", open);
    addEventListener("DOMContentLoaded", () => { if (told()) open(); });
  }

  window.panes = { student, summary, difference, number, signed, ends, titled, cell, pane, factors, combinations: Array.from(byCodes.values()), byCodes };
})();
