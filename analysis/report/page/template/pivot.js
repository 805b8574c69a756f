// Any factor as rows by any as columns: mean, interval and number of runs, ready to be copied. What
// is looked at stands in the address, so that a view can be sent to somebody.
(function () {
  "use strict";
  const { data, chosenOutcome } = window.report;
  const { summary, number, ends, titled, cell, pane, factors: names } = window.panes;
  const byId = (id) => document.getElementById(id);
  const NONE = "";  // no second factor: one column
  const first = { rows: names[0], columns: names.length > 1 ? names[1] : NONE }, view = { ...first };

  // --- numbers ------------------------------------------------------------------------------------
  function cells() {
    const outcome = chosenOutcome(), levels = data.runs.levels, every = data.runs.status.map((_, run) => run);
    const columns = view.columns === NONE ? [null] : data.factors[view.columns];
    return data.factors[view.rows].map((_, row) => columns.map((_, column) => summary(every.filter((run) =>
      levels[view.rows][run] === row && (view.columns === NONE || levels[view.columns][run] === column)), outcome)));
  }
  const told = (one, of) => one === null ? "" : [number(one.mean, of), ends(one, of), "n = " + one.n].filter(Boolean).join(" ");
  const columnNames = () => view.columns === NONE ? [chosenOutcome().name] : data.factors[view.columns];

  // --- on the page --------------------------------------------------------------------------------
  function fill() {
    const outcome = chosenOutcome(), table = byId("pivot-table");
    table.replaceChildren();
    const caption = table.createCaption();
    caption.textContent = titled(outcome) + " by " + view.rows +
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
  function select(id, key, offered) {
    offered.forEach((name) => byId(id).append(new Option(name === NONE ? "none" : name, name)));
    byId(id).value = view[key];
    byId(id).addEventListener("change", (event) => {
      const other = key === "rows" ? "columns" : "rows", before = view[key];
      view[key] = event.target.value;
      if (view[key] === view[other]) { view[other] = before === NONE ? names.find((one) => one !== view[key]) : before; }
      draw();
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

  // --- the view -------------------------------------------------------------------------------------
  function draw() {
    byId("pivot-rows").value = view.rows; byId("pivot-columns").value = view.columns;
    fill();
  }
  function show(state) {
    const rows = state.get("rows"), columns = state.get("columns");
    if (![...state].length) Object.assign(view, first);
    if (names.includes(rows) && columns !== rows && [...names, NONE].includes(columns)) Object.assign(view, { rows, columns });
    draw();
  }
  if (!data.outcomes.length) { byId("pivot").hidden = true; byId("pivot-box").hidden = true; return; }
  const changed = pane("pivot", { state: () => Object.entries(view), show, draw });
  select("pivot-rows", "rows", names);
  select("pivot-columns", "columns", [NONE, ...names]);
  draw();
})();
