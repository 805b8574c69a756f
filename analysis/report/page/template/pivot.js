// Any factor as rows by any as columns: mean, interval and number of runs, ready to be copied. What
// is looked at stands in the address, so that a view can be sent to somebody.
(function () {
  "use strict";
  const { data, kinds, chosenOutcome, choose } = window.report;
  const byId = (id) => document.getElementById(id);
  const names = Object.keys(data.factors);
  const NONE = "";  // no second factor: one column
  const shares = ["converged", "learned"];
  const view = { rows: names[0], columns: names.length > 1 ? names[1] : NONE };
  const Z = 1.959964;

  // --- numbers ------------------------------------------------------------------------------------
  // Beyond the table: the expansion of Student's quantile in one over the degrees of freedom.
  function student(df) {
    if (df <= data.t95.length) return data.t95[df - 1];
    return Z + (Z ** 3 + Z) / (4 * df) + (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / (96 * df * df);
  }
  function ofMean(values) {
    const n = values.length, mean = values.reduce((sum, one) => sum + one, 0) / n;
    if (n < 2) return { n, mean, low: null, high: null };
    const squares = values.reduce((sum, one) => sum + (one - mean) ** 2, 0);
    const half = student(n - 1) * Math.sqrt(squares / (n - 1) / n);
    return { n, mean, low: mean - half, high: mean + half };
  }
  // Wilson's interval, as the report's other rates have it.
  function ofShare(values) {
    const n = values.length, p = values.reduce((sum, one) => sum + one, 0) / n, z2 = Z * Z;
    const middle = (p + z2 / (2 * n)) / (1 + z2 / n);
    const half = Z / (1 + z2 / n) * Math.sqrt(p * (1 - p) / n + z2 / (4 * n * n));
    return { n, mean: p, low: Math.max(middle - half, 0), high: Math.min(middle + half, 1) };
  }
  function cells() {
    const outcome = chosenOutcome(), values = data.runs[outcome.key] || [];
    const columns = view.columns === NONE ? [null] : data.factors[view.columns];
    return data.factors[view.rows].map((_, row) => columns.map((_, column) => {
      const here = [];
      for (let run = 0; run < values.length; run++) {
        if (values[run] === null || values[run] === undefined) continue;
        if (data.runs.levels[view.rows][run] !== row) continue;
        if (view.columns !== NONE && data.runs.levels[view.columns][run] !== column) continue;
        here.push(values[run]);
      }
      if (!here.length) return null;
      return shares.includes(outcome.key) ? ofShare(here) : ofMean(here);
    }));
  }
  const number = (value, of) => (value * of.scale).toFixed(of.digits).replace("-", "\u2212");
  const ends = (one, of) => one.low === null ? "" : "[" + number(one.low, of) + ", " + number(one.high, of) + "]";
  const told = (one, of) => one === null ? "" : [number(one.mean, of), ends(one, of), "n = " + one.n].filter(Boolean).join(" ");
  const columnNames = () => view.columns === NONE ? [chosenOutcome().name] : data.factors[view.columns];

  // --- on the page --------------------------------------------------------------------------------
  function cell(line, tag, text, scope) {
    const made = document.createElement(tag);
    made.textContent = text;
    if (scope) made.scope = scope;
    line.append(made);
    return made;
  }
  function fill() {
    const outcome = chosenOutcome(), table = byId("pivot-table");
    table.replaceChildren();
    const caption = table.createCaption();
    caption.textContent = outcome.name + (outcome.unit ? " (" + outcome.unit + ")" : "") + " by " + view.rows +
      (view.columns === NONE ? "" : " and " + view.columns);
    const head = table.createTHead().insertRow();
    cell(head, "th", view.rows + (view.columns === NONE ? "" : " \\ " + view.columns), "col");
    columnNames().forEach((one) => { cell(head, "th", one, "col").className = "n"; });
    const body = table.createTBody();
    cells().forEach((row, place) => {
      const line = body.insertRow();
      cell(line, "th", data.factors[view.rows][place], "row");
      row.forEach((one) => {
        const made = cell(line, "td", one === null ? "no run" : number(one.mean, outcome));
        made.className = "n";
        if (one !== null) cell(made, "span", [ends(one, outcome), "n = " + one.n].filter(Boolean).join(" ")).className = "p";
      });
    });
  }
  function changed() {
    const state = new URLSearchParams({ rows: view.rows, columns: view.columns, outcome: chosenOutcome().key });
    history.replaceState(null, "", "#pivot?" + state);
    fill();
  }
  function select(id, key, offered) {
    offered.forEach((name) => byId(id).append(new Option(name === NONE ? "none" : name, name)));
    byId(id).value = view[key];
    byId(id).addEventListener("change", (event) => {
      const other = key === "rows" ? "columns" : "rows", before = view[key];
      view[key] = event.target.value;
      if (view[key] === view[other]) { view[other] = before === NONE ? names.find((one) => one !== view[key]) : before; }
      byId("pivot-rows").value = view.rows; byId("pivot-columns").value = view.columns;
      changed();
    });
  }

  // --- copies -------------------------------------------------------------------------------------
  const SPECIAL = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" };
  const latex = (text) => String(text).replace(/[\\~^&%$#_{}]/g, (one) => SPECIAL[one] || "\\" + one).replace(/\u2212/g, "$-$");
  const markdown = (text) => String(text).replace(/[\\`*_[\]<>|]/g, "\\$&");
  const quoted = (text) => /[",\n\r]/.test(text) ? '"' + String(text).replace(/"/g, '""') + '"' : String(text);
  const grid = (escape) => {
    const outcome = chosenOutcome();
    const head = [view.rows + (view.columns === NONE ? "" : " / " + view.columns), ...columnNames()];
    const rows = cells().map((row, place) => [data.factors[view.rows][place], ...row.map((one) => told(one, outcome))]);
    return [head, ...rows].map((row) => row.map(escape));
  };
  const formats = {
    latex() {
      const [head, ...rows] = grid(latex), line = (row) => row.join(" & ") + " \\\\";
      return ["\\begin{tabular}{l" + "r".repeat(head.length - 1) + "}", "\\hline", line(head), "\\hline", ...rows.map(line), "\\hline", "\\end{tabular}", ""].join("\n");
    },
    markdown() {
      const [head, ...rows] = grid(markdown), line = (row) => "| " + row.join(" | ") + " |";
      return [line(head), "|---|" + "--:|".repeat(head.length - 1), ...rows.map(line), ""].join("\n");
    },
    // One row a combination, the numbers as stored and unrounded.
    csv() {
      const lines = [[view.rows, ...(view.columns === NONE ? [] : [view.columns]), "mean", "low", "high", "n"]];
      cells().forEach((row, r) => row.forEach((one, c) => {
        if (one === null) return;
        const labels = [data.factors[view.rows][r], ...(view.columns === NONE ? [] : [data.factors[view.columns][c]])];
        lines.push([...labels, one.mean, one.low === null ? "" : one.low, one.high === null ? "" : one.high, one.n]);
      }));
      return lines.map((line) => line.map(quoted).join(",")).join("\n") + "\n";
    },
  };
  async function copy(kind) {
    const text = formats[kind](), note = byId("pivot-copied");
    try {
      await navigator.clipboard.writeText(text);
      note.textContent = "Copied.";
    } catch {  // a browser that lets no page write: the text to copy by hand
      note.textContent = "This browser lets no page copy; the text is below.";
      byId("pivot-text").hidden = false;
      byId("pivot-text").value = text;
      byId("pivot-text").select();
    }
  }
  document.querySelectorAll("[data-copy]").forEach((one) => one.addEventListener("click", () => copy(one.dataset.copy)));

  // --- a view that somebody sent --------------------------------------------------------------------
  function asked() {
    if (!location.hash.startsWith("#pivot?")) return;
    const state = new URLSearchParams(location.hash.slice(7)), rows = state.get("rows"), columns = state.get("columns");
    if (names.includes(rows) && columns !== rows && [...names, NONE].includes(columns)) Object.assign(view, { rows, columns });
    byId("pivot-rows").value = view.rows; byId("pivot-columns").value = view.columns;
    if (Object.hasOwn(kinds, state.get("outcome"))) choose(state.get("outcome"));
    fill();
    byId("pivot").scrollIntoView({ behavior: "instant" });
  }
  if (!data.outcomes.length) { byId("pivot").hidden = true; byId("pivot-box").hidden = true; return; }
  window.report.changed = () => { if (location.hash.startsWith("#pivot?")) changed(); else fill(); };
  select("pivot-rows", "rows", names);
  select("pivot-columns", "columns", [NONE, ...names]);
  fill();
  asked();
  addEventListener("hashchange", asked);
})();
