// What the page adds where scripts run: charts that answer to the pointer, a table that sorts and
// filters, a theme switch. Everything it shows stands in the page without it too.
(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const runs = data.runs;
  const factors = Object.entries(data.factors);
  const count = runs.status.length;
  const byId = (id) => document.getElementById(id);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const palette = ["#0072b2", "#d55e00", "#009e73", "#a8518a", "#4aa3d8", "#b07d00", "#808890", "#7a5cc7"];
  const dashes = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
  const config = { displayModeBar: false, responsive: true };
  const shares = ["converged", "learned"];  // yes or no: single runs would be two rows of dots
  const MOST_DOTS = 2500, MOST_CURVES = 8, ROWS = 50;
  let outcome = data.outcomes[0];
  let curveKind = data.curves ? Object.keys(data.curves.kinds)[0] : "";
  const chosen = [];
  const on = { outcome: [], theme: [] };  // what else is drawn anew

  const levelOf = (factor, run) => data.factors[factor][runs.levels[factor][run]];
  const nameOf = (run) => factors.map(([f]) => levelOf(f, run)).join(", ") +
    (runs.replicate[run] === "" ? "" : ", replicate " + runs.replicate[run]);
  const shown = (value, of) => value === null || value === undefined ? "none" :
    (value * of.scale).toFixed(of.digits) + (of.unit ? " " + of.unit : "");
  // Plotly reads a little HTML in its labels: names are text.
  const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  // Long names on several short lines, broken at their separators.
  const folded = (name) => plain(name.length > 24 ? name.slice(0, 23) + "…" : name).replace(/([_\s-])(?=.{3,})/g, name.length > 9 ? "$1<br>" : "$1");

  function axisStyle(extra) {
    return Object.assign({ gridcolor: css("--grid"), linecolor: css("--soft"), tickcolor: css("--soft"),
      zeroline: false, fixedrange: true, automargin: true }, extra);
  }
  function baseLayout(extra) {
    return Object.assign({ paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "system-ui, sans-serif", size: 13, color: css("--ink") },
      margin: { l: 60, r: 12, t: 34, b: 46 }, hoverlabel: { align: "left" }, showlegend: false }, extra);
  }

  // --- charts, each when it is near -------------------------------------------------------------
  // plotly.js waits as text: reading its megabyte and a half would hold up the table and the page.
  function plotly() {
    if (!window.Plotly) {
      const script = document.createElement("script");
      script.textContent = byId("plotly").textContent;
      document.head.append(script);
    }
    return window.Plotly;
  }
  const waiting = new Map();
  const idle = window.requestIdleCallback || ((call) => setTimeout(call, 300));
  const near = new IntersectionObserver((entries) => {
    entries.forEach((entry) => { if (entry.isIntersecting) { near.unobserve(entry.target); draw(entry.target.id); } });
  }, { rootMargin: "50% 0px" });
  let woken = false;
  // Whoever reads the answer first finds the charts drawn: one in each idle moment.
  function wake() {
    if (woken || waiting.size === 0) return;
    woken = true;
    idle(() => { woken = false; draw(waiting.keys().next().value); wake(); });
  }
  function later(id, first) {
    waiting.set(id, first);
    near.observe(byId(id));
    wake();
  }
  function draw(id) {
    const first = waiting.get(id);
    if (!first) return;
    waiting.delete(id);
    first();
    settled();
  }
  function settled() {
    if (waiting.size === 0) document.documentElement.dataset.ready = "true";
  }
  function drawWhenNear() {
    if (data.outcomes.length) { takeHeight(panelRows()); sayEffects(); }
    addEventListener("beforeprint", () => Array.from(waiting.keys()).forEach(draw));
    if (data.outcomes.length) later("effects-chart", () => {
      drawEffects();
      byId("effects-chart").on("plotly_click", (event) => {
        const run = event.points[0].customdata;
        if (typeof run === "number") choose(run);
      });
    });
    if (hasCurves()) later("curve-chart", drawCurves);
  }

  // --- main effects ---------------------------------------------------------------------------
  const LETTER = 7.6, MARGINS = 76, ROW = 17; // pixels of a letter and beside the panels; rem of a row
  const longest = (names) => Math.max(6, ...names.flatMap((name) => folded(name).split("<br>")).map((line) => line.length));
  // Letters across that a factor's panel needs, so that its title and its levels stay apart.
  const needed = ([factor, levels]) => Math.max(factor.length * 1.15 + 1,
    (levels.length + 0.2) * (levels.length > 4 ? 5 : longest(levels) + 0.5));
  // Panels side by side while they fit, then in further rows: a phone has a row for every factor or two.
  function panelRows() {
    const room = Math.max(byId("effects-chart").clientWidth - MARGINS, 100) / LETTER;
    const rows = [[]];
    let used = 0;
    factors.forEach((one, place) => {
      const width = needed(one);
      if (used && used + width > room) { rows.push([]); used = 0; }
      rows[rows.length - 1].push(place);
      used += width;
    });
    return rows;
  }
  let drawnRows = 0;
  // Known before the chart is drawn, so that it never moves what stands below it.
  function takeHeight(rows) {
    drawnRows = rows.length;
    byId("effects-chart").style.height = rows.length > 1 ? rows.length * ROW + "rem" : "";
  }
  function drawEffects() {
    const rows = panelRows(), seats = [];
    takeHeight(rows);
    const traces = [], layout = baseLayout({ annotations: [], shapes: [], hovermode: "closest" });
    // Shares of the height: between rows, for level names and the next row's titles, and of a row.
    const gap = 75 / (rows.length * ROW * 16 - 80), high = (1 - gap * (rows.length - 1)) / rows.length;
    rows.forEach((places, row) => {
      const top = 1 - row * (high + gap), bottom = Math.max(top - high, 0);
      const total = places.reduce((sum, place) => sum + needed(factors[place]), 0);
      const turned = total * LETTER > byId("effects-chart").clientWidth - MARGINS;
      let start = 0;
      places.forEach((place) => {
        const width = needed(factors[place]);
        seats[place] = { row: row, top: top, turned: turned, vertical: [bottom, top],
          domain: [start / total + 0.006, (start + width) / total - 0.006] };
        start += width;
      });
    });
    const values = runs[outcome.key] || [];
    factors.forEach(([factor, levels], place) => {
      const suffix = place === 0 ? "" : String(place + 1);
      const x = "x" + suffix, seat = seats[place], domain = seat.domain;
      const y = seat.row === 0 ? "y" : "y" + (seat.row + 1);
      layout["xaxis" + suffix] = axisStyle({ domain: domain, range: [-0.6, levels.length - 0.4], showgrid: false,
        tickvals: levels.map((_, i) => i), ticktext: levels.map(folded), tickangle: levels.length > 4 || seat.turned ? -40 : 0, anchor: y });
      layout.annotations.push({ text: "<b>" + plain(factor) + "</b>", showarrow: false, xref: "paper", yref: "paper",
        x: (domain[0] + domain[1]) / 2, y: seat.top, yshift: 6, xanchor: "center", yanchor: "bottom" });
      if (outcome.grand !== null) {
        layout.shapes.push({ type: "line", xref: "paper", yref: y, x0: domain[0], x1: domain[1],
          y0: outcome.grand * outcome.scale, y1: outcome.grand * outcome.scale, line: { color: css("--soft"), dash: "dash", width: 1 } });
      }
      const dots = { x: [], y: [], customdata: [], text: [] };
      if (!shares.includes(outcome.key) && count <= MOST_DOTS) {
        for (let run = 0; run < count; run++) {
          if (values[run] === null || values[run] === undefined) continue;
          dots.x.push(runs.levels[factor][run] + ((run * 0.618034) % 1 - 0.5) * 0.5);
          dots.y.push(values[run] * outcome.scale);
          dots.customdata.push(run);
          dots.text.push(plain(nameOf(run)) + "<br>" + shown(values[run], outcome) + ", " + plain(runs.status[run]));
        }
      }
      traces.push({ type: "scatter", mode: "markers", xaxis: x, yaxis: y, x: dots.x, y: dots.y, customdata: dots.customdata,
        text: dots.text, hoverinfo: "text", marker: { size: 5, color: css("--soft"), opacity: 0.35 } });
      const means = outcome.means[factor] || [];
      const mid = means.map((m) => m[0] === null ? null : m[0] * outcome.scale);
      traces.push({ type: "scatter", mode: "lines+markers", xaxis: x, yaxis: y, x: levels.map((_, i) => i), y: mid,
        error_y: { type: "data", symmetric: false, thickness: 1.6, width: 4, color: css("--accent"),
          // NaN is no bar; zero would be one of no length.
          array: means.map((m, i) => m[2] === null ? NaN : m[2] * outcome.scale - mid[i]),
          arrayminus: means.map((m, i) => m[1] === null ? NaN : mid[i] - m[1] * outcome.scale) },
        text: means.map((m, i) => "<b>" + plain(factor) + ": " + plain(levels[i]) + "</b><br>" + shown(m[0], outcome) +
          (m[1] === null || m[2] === null ? " (no interval)" : " [" + shown(m[1], outcome) + ", " + shown(m[2], outcome) + "]") +
          "<br>" + cellsOf(factor, i)),
        hoverinfo: "text", line: { color: css("--accent"), width: 1.6 }, marker: { size: 9, color: css("--accent") } });
    });
    rows.forEach((places, row) => {
      layout["yaxis" + (row === 0 ? "" : row + 1)] = axisStyle({ domain: seats[places[0]].vertical, matches: row === 0 ? undefined : "y",
        anchor: "x" + (places[0] === 0 ? "" : places[0] + 1),
        title: { text: plain(outcome.name + (outcome.unit ? " (" + outcome.unit + ")" : "")), font: { size: rows.length > 1 ? 11 : 13 } } });
    });
    plotly().react("effects-chart", traces, layout, config);
    sayEffects();
  }
  function sayEffects() {
    byId("effects-note").textContent = "Marginal means" +
      (outcome.interval ? " with 95% intervals (" + outcome.interval + ")" : " without intervals") +
      (outcome.about ? ", " + outcome.about : "") + (outcome.grand !== null ? "; dashed: grand mean" : "") +
      (shares.includes(outcome.key) || count > MOST_DOTS ? "." : "; dots: single runs.");
  }
  // Runs that have the outcome: those still planned have none to count.
  function cellsOf(factor, level) {
    const values = runs[outcome.key] || [];
    const converged = runs.converged || [];
    let all = 0, good = 0;
    for (let run = 0; run < count; run++) {
      if (runs.levels[factor][run] !== level || values[run] === null || values[run] === undefined) continue;
      all += 1; good += converged[run] === 1 ? 1 : 0;
    }
    return all + (all === 1 ? " run" : " runs") + (converged.length ? ", " + good + " " + plain(data.goal) : "");
  }

  // --- curves ---------------------------------------------------------------------------------
  function hasCurves() {
    return Boolean(data.curves && data.curves.kinds[curveKind]);
  }
  function drawCurves() {
    if (!hasCurves()) return;
    waiting.delete("curve-chart");
    const curves = data.curves;
    const kind = curves.kinds[curveKind];
    const traces = chosen.filter((run) => kind.rows[run]).map((run) => {
      const place = chosen.indexOf(run);
      return { type: "scatter", mode: "lines+markers", name: plain(nameOf(run)), x: curves.epochs.slice(0, kind.rows[run].length),
        y: kind.rows[run].map((v) => v === null ? null : v / kind.scale * kind.shown),
        line: { color: palette[place % palette.length], dash: dashes[place % dashes.length] }, marker: { size: 4 },
        hovertemplate: plain(nameOf(run)) + "<br>" + curves.step + " %{x}: %{y:.4~g}<extra></extra>" };
    });
    plotly().react("curve-chart", traces, curveLayout(kind, traces.length > 0), config);
    settled();
  }
  function curveLayout(kind, legend) {
    const curves = data.curves;
    const layout = baseLayout({ showlegend: legend, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, shapes: [] });
    layout.xaxis = axisStyle({ title: { text: curves.step }, range: [curves.epochs[0] - 0.5, curves.epochs[curves.epochs.length - 1] + 0.5] });
    layout.yaxis = axisStyle({ title: { text: plain(kind.axis) }, rangemode: "tozero", range: kind.range || undefined });
    if (kind.target !== null) {
      const goal = kind.target * kind.shown;
      layout.shapes.push({ type: "line", xref: "paper", x0: 0, x1: 1, y0: goal, y1: goal,
        line: { color: css("--soft"), dash: "dot", width: 1 } });
    }
    return layout;
  }
  function choose(run) {
    const at = chosen.indexOf(run);
    if (at >= 0) chosen.splice(at, 1);
    else { chosen.push(run); if (chosen.length > MOST_CURVES) chosen.shift(); }
    drawCurves(); fillTable();
    const note = byId("curve-note");
    const drawn = hasCurves() && data.curves.kinds[curveKind].rows[run];
    note.textContent = chosen.length === 0 ? "No curve chosen." : (at >= 0 ? "Removed " : drawn ? "Added " : "No curve was kept of ") +
      nameOf(run) + " (" + runs.status[run] + "). " + chosen.length + (chosen.length === 1 ? " curve" : " curves") + " shown" +
      (data.curves && data.curves.thinned ? ", thinned to " + data.curves.epochs.length + " " + data.curves.step + "s." : ".");
  }

  // --- table ------------------------------------------------------------------------------------
  const table = byId("runs");
  const heads = table ? Array.from(table.tHead.rows[0].cells) : [];
  const kinds = {};
  data.outcomes.forEach((one) => { kinds[one.key] = one; });
  let sortKey = null, descending = false, page = 0, wanted = "";
  // Paper has no pages to turn: it gets every row that stands in the page without scripts.
  const printing = matchMedia("print");
  const onPaper = table ? table.tBodies[0].rows.length : 0, caption = table ? table.caption.textContent : "";

  function valueOf(key, run) {
    if (key === "cell") return (runs.cell[run] || nameOf(run)).slice(0, 8);
    if (key.startsWith("level:")) return runs.levels[key.slice(6)][run];
    const value = runs[key] ? runs[key][run] : null;
    return key === "replicate" && value !== "" && !isNaN(value) ? Number(value) : value;
  }
  function textOf(key, run) {
    if (key.startsWith("level:")) return levelOf(key.slice(6), run);
    if (kinds[key]) return runs[key][run] === null ? "" : (runs[key][run] * kinds[key].scale).toFixed(kinds[key].digits);
    const value = valueOf(key, run);
    return value === null || value === undefined ? "" : String(value);
  }
  // A word is looked for in the cells that can be seen; after a column's name ("replicate 1") in
  // that column, whole. Numbers fit whole cells, so that 1 does not find 0.81.
  const columnOf = new Map(heads.map((head) => [head.dataset.key.replace("level:", "").toLowerCase(), head.dataset.key]));
  function criteria() {
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean), found = [];
    for (let place = 0; place < words.length; place++) {
      const key = columnOf.get(words[place]), next = words[place + 1];
      if (key !== undefined && next !== undefined) { found.push((run) => textOf(key, run).toLowerCase() === next); place++; }
      else found.push((run) => heads.some((head) => fits(head.dataset.key, textOf(head.dataset.key, run).toLowerCase(), words[place])));
    }
    return found;
  }
  function fits(key, text, word) {
    if (key === "cell") return word.length > 2 && text.startsWith(word);
    return isNaN(word) ? text.includes(word) : text === word;
  }
  function matching() {
    const rows = [], all = criteria();
    for (let run = 0; run < count; run++) if (printing.matches || all.every((one) => one(run))) rows.push(run);
    if (sortKey !== null) {
      const empty = (v) => v === null || v === undefined || v === "";
      rows.sort((a, b) => {
        const va = valueOf(sortKey, a), vb = valueOf(sortKey, b);
        if (empty(va) || empty(vb)) return empty(va) - empty(vb);
        return (va < vb ? -1 : va > vb ? 1 : 0) * (descending ? -1 : 1);
      });
    }
    return rows;
  }
  function fillTable() {
    if (!table) return;
    const rows = matching(), pages = Math.max(1, Math.ceil(rows.length / ROWS));
    page = Math.min(page, pages - 1);
    const body = document.createElement("tbody");
    table.caption.textContent = printing.matches ? caption : "Every planned run";
    (printing.matches ? rows.slice(0, onPaper) : rows.slice(page * ROWS, (page + 1) * ROWS)).forEach((run) => {
      const line = body.insertRow();
      line.className = chosen.includes(run) ? "chosen" : "";
      heads.forEach((head, place) => {
        const cell = document.createElement(place === 0 ? "th" : "td");
        if (place === 0) {
          cell.scope = "row";
          const button = document.createElement("button");
          button.type = "button"; button.textContent = textOf(head.dataset.key, run);
          button.setAttribute("aria-pressed", String(chosen.includes(run)));
          button.setAttribute("aria-label", "Learning curve of " + nameOf(run));
          button.addEventListener("click", () => {
            choose(run);
            const again = Array.from(table.querySelectorAll("tbody button")).find((b) => b.getAttribute("aria-label") === button.getAttribute("aria-label"));
            if (again) again.focus();
          });
          cell.append(button);
        } else { cell.textContent = textOf(head.dataset.key, run); if (head.classList.contains("n")) cell.className = "n"; }
        line.append(cell);
      });
    });
    table.tBodies[0].replaceWith(body);
    byId("filter-count").textContent = rows.length + " of " + count + " runs";
    byId("page").textContent = "Page " + (page + 1) + " of " + pages;
    byId("previous").disabled = page === 0;
    byId("next").disabled = page >= pages - 1;
  }
  heads.forEach((head) => {
    const button = document.createElement("button");
    button.type = "button"; button.textContent = head.textContent; head.textContent = ""; head.append(button);
    button.addEventListener("click", () => {
      descending = sortKey === head.dataset.key ? !descending : false;
      sortKey = head.dataset.key; page = 0;
      heads.forEach((one) => one.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      fillTable();
    });
  });

  // --- controls -----------------------------------------------------------------------------------
  function radios(home, name, items, current, change) {
    items.forEach(([key, text]) => {
      const label = document.createElement("label"), input = document.createElement("input");
      input.type = "radio"; input.name = name; input.value = key; input.checked = key === current;
      input.addEventListener("change", () => change(key));
      label.append(input, " " + text);
      byId(home).append(label);
    });
  }
  if (data.outcomes.length) {
    radios("outcomes", "outcome", data.outcomes.map((one) => [one.key, one.name]), outcome.key, look);
  }
  function look(key) {
    outcome = kinds[key];
    draw("effects-chart");
    drawEffects();
    on.outcome.forEach((call) => call());
  }
  // What the panes (panes.js and those after it) share with this page.
  window.report = { data: data, kinds: kinds, shares: shares, chosen: chosen, on: on, later: later, hasCurves: hasCurves,
    drawing: { config: config, palette: palette, plain: plain, plotly: plotly, curveLayout: curveLayout },
    chosenOutcome: () => outcome, choose: (key) => {
      document.querySelectorAll("input[name=outcome]").forEach((one) => { one.checked = one.value === key; });
      look(key);
    } };
  if (data.curves) {
    radios("curve-kinds", "curve", Object.entries(data.curves.kinds).map(([key, one]) => [key, one.name]), curveKind,
      (key) => { curveKind = key; drawCurves(); });
  }
  if (table) {
    printing.addEventListener("change", fillTable);
    byId("filter").addEventListener("input", (event) => { wanted = event.target.value; page = 0; fillTable(); });
    byId("previous").addEventListener("click", () => { page -= 1; fillTable(); });
    byId("next").addEventListener("click", () => { page += 1; fillTable(); });
  }
  byId("clear").addEventListener("click", () => { chosen.length = 0; drawCurves(); fillTable(); byId("curve-note").textContent = "No curve chosen."; });

  // --- theme ----------------------------------------------------------------------------------------
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => { const set = document.documentElement.dataset.theme; return set ? set === "dark" : system.matches; };
  function redraw() {
    const button = byId("theme");
    button.textContent = isDark() ? "Light theme" : "Dark theme";
    button.setAttribute("aria-pressed", String(isDark()));
    if (data.outcomes.length && !waiting.has("effects-chart")) drawEffects();
    if (!waiting.has("curve-chart")) drawCurves();
    on.theme.forEach((call) => call());
  }
  byId("theme").addEventListener("click", () => { document.documentElement.dataset.theme = isDark() ? "light" : "dark"; redraw(); });
  system.addEventListener("change", redraw);

  // A window that becomes a phone's: other rows of panels, and figures that are moved sideways.
  const small = matchMedia("(max-width: 40rem)");
  const reachable = () => document.querySelectorAll("figure .scroll").forEach((one) => { if (small.matches) one.tabIndex = 0; else one.removeAttribute("tabindex"); });
  small.addEventListener("change", reachable);
  reachable();
  window.addEventListener("resize", () => {
    if (data.outcomes.length && !waiting.has("effects-chart") && panelRows().length !== drawnRows) drawEffects();
  });

  if (!hasCurves()) ["curve-switch", "curve-chart", "curve-note"].forEach((id) => { byId(id).hidden = true; });
  drawWhenNear();
  redraw();
  fillTable();
  // Usable: the table and all controls answer. Ready: the charts are drawn too.
  document.documentElement.dataset.usable = "true";
  settled();
})();
