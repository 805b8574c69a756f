"""The report's page: sections in the order a reader asks, rendered by Jinja2 with escaping on.

Arranges what others estimated and drew; makes no number of its own. The template, the style and
the script lie in `template/`, plotly.js in `vendor/`. Longer than 300 lines because it is one short
function for each table of the page, in the page's order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ablations.errors import InputError
from analysis.figures import ACCURACY, CONVERGED, EPOCHS
from analysis.figures.drawing.labels import signed
from analysis.report import kept
from analysis.report.gallery.drawings import METHOD_NAMES, TEST_NAMES, measure_of
from analysis.report.gallery.numbers import numbers_behind
from analysis.report.page.inline_svg import inline
from analysis.report.words.answer import CLEAR, WHOLE, count_of, level_of, running
from analysis.report.words.methods import methods, network_of, varied
from analysis.report.words.wording import counted, difference_text, digits_of, p_words, value_text
from analysis.table.cells import cell_table
from analysis.table.tidy import MISSING_STATUSES

if TYPE_CHECKING:
    from analysis.figures import Drawing
    from analysis.outcomes.convergence import Convergence
    from analysis.report.words.answer import Answer
    from analysis.study import Study

HERE = Path(__file__).parent
STATIC_ROWS = 600
"""Rows of the table of runs that stand in the page without scripts."""

SHORT_ID = 8
"""Digits of a cell's identity that the page shows."""

SECTIONS = (
    ("effects", "Main effects",
     ("main_effects", "forest", "pareto", "half_normal", "variance_shares")),
    ("interactions", "Interactions",
     ("interaction_matrix", "interaction_heat_maps", "scale_comparison")),
    ("convergence", "Convergence", ("convergence_rates", "cell_mosaic")),
    ("time", "Time to target", ("time_to_target",)),
    ("curves", "Learning curves", ("learning_curves",)),
    ("cells", "Cells", ("cell_heat_map", "cell_strip", "performance_profile")),
    ("design", "Design", ("alias_map",)),
    ("protocol", "Protocol", ()),
    ("provenance", "Provenance", ()),
    ("diagnostics", "Diagnostics", ("diagnostics",)),
)  # fmt: skip


def render(
    study: Study,
    found: Answer | None,
    convergence: Convergence | None,
    claims: pd.DataFrame,
    drawings: Mapping[str, Drawing],
    warnings: Sequence[str],
    data: str,
    *,
    partial: bool,
    no_effects: str = "",
) -> str:
    """The page as text, with marks where the pictures belong (`with_pictures`).

    Args:
        study: what is reported.
        found: the answer; None where nothing can be estimated yet (`no_effects` says why).
        convergence: rates and tests, where statuses are known.
        claims: from `Study.claims()`; empty where there are none.
        drawings: figures by name.
        warnings: caveats.
        data: what its scripts read (`analysis.report.page.data`).
        partial: whether the grid still runs.
        no_effects: why there is no answer.
    """
    environment = Environment(
        loader=FileSystemLoader(HERE / "template"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    sections = [
        section
        for section in (
            _section(study, key, title, names, drawings, convergence)
            for key, title, names in SECTIONS
        )
        if section["figures"] or section["tables"] or section["texts"] or section["id"] == "cells"
    ]
    contents = [("answer", "The answer"), ("claims", "Claims"), ("explore", "Explore")]
    contents += [(str(section["id"]), str(section["title"])) for section in sections]
    contents += [("caveats", "Caveats"), ("files", "Files")]
    text = environment.get_template("report.html.j2").render(
        study=study.name,
        facts=_facts(study),
        contents=contents,
        partial=_unfinished(study) if partial else None,
        answer={"sentences": found.sentences if found else ()},
        effects=_effects(study, found) if found else [],
        no_effects=no_effects,
        interval=_interval(study) if found else "",
        how_sure=_how_sure(study, convergence) if found else "",
        has_convergence=decides(convergence),
        outcome=measure_of(study).name,
        caveats=list(warnings),
        claims=[_claim(row, running(study)) for row in claims.to_dict("records")],
        claims_judged=_judged(study),
        no_claims=_no_claims(study),
        sections=sections,
        runs=_runs(study),
        files=_files(study, estimated=found is not None),
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        version=_version(),
        plotly_version=_plotly_version(),
        css=Markup(_part("template/report.css")),  # noqa: S704 - our own file
        script=Markup(_part("template/report.js")),  # noqa: S704 - our own file
        plotly=Markup(_part("vendor/plotly-cartesian.min.js")),  # noqa: S704 - vendored
        data=Markup(data),  # noqa: S704 - escaped by `to_script`
    )
    return text


@cache
def _part(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _plotly_version() -> str:
    found = re.search(r"v(\d+\.\d+\.\d+)", _part("vendor/plotly-cartesian.min.js")[:200])
    return found.group(1) if found else ""


def _version() -> str:
    try:
        return version("ablation-grid-runner")
    except PackageNotFoundError:
        return ""


def _facts(study: Study) -> list[str]:
    info = study.info
    data, model, train = (dict(info.get(key) or {}) for key in ("data", "model", "train"))
    finished = int(pd.to_numeric(study.frame[study.response], errors="coerce").notna().sum())
    facts = [counted(finished, "run") if finished else "no run has finished"]
    facts.append(" × ".join(str(len(levels)) for levels in study.factors.values()) + " grid")
    free = varied(study)
    if data and model:
        where = "" if "data.name" in free else f" on {data.get('name')}"
        facts.append(f"{network_of(study)}{where}")
    if train and "train.epochs" not in free:
        facts.append(counted(int(train.get("epochs", 0)), "epoch"))
    if info.get("profile"):
        facts.append(f"profile {info['profile']}")
    return facts


def _can_be_estimated(study: Study) -> bool:
    """Whether runs have an outcome, of two levels of every factor at least."""
    try:
        study.table  # noqa: B018 - checks that there is something to estimate
    except InputError:
        return False
    return True


def _interval(study: Study) -> str:
    rule = study.estimates().rule
    return f"Brackets: 95% intervals, {METHOD_NAMES[rule.primary]}; {rule.reason}."


def _how_sure(study: Study, convergence: Convergence | None) -> str:
    """What the words of the answer table mean."""
    level, count = level_of(study), count_of(study)
    text = (
        f"p values of differences are Holm-adjusted over all {count} differences between levels. "
        "Clear: p < .001; well supported: p < .01; "
    )
    if level < CLEAR:
        limit = f"{level:.3f}".replace("0.", ".", 1)
        why = "Looks between replicates share 5%; this one"
        text = f"{why} may spend {limit}: above that nothing is called shown. {text}"
        text += f"supported: p up to {limit}; "
    else:
        text += "supported: p < .05; "
    text += (
        "open: the interval excludes zero by itself, but not with all differences judged together; "
        "not shown: the interval holds zero, which is not evidence that there is nothing."
    )
    if any(len(levels) > 2 for levels in study.factors.values()):
        text += f" {WHOLE.capitalize()}: the levels differ, but no single difference is shown."
    if decides(convergence):
        text += (
            " Convergence: exact Cochran–Mantel–Haenszel tests stratified by all other factors, "
            "Holm-adjusted over the factors, which may see what the interval of two overall rates "
            "does not."
        )
    return text


def _judged(study: Study) -> str:
    """How claims are judged, beside the differences of the answer."""
    text = (
        "Planned before the grid ran; p values Holm-adjusted over the claims alone, so that a "
        "difference asked about beforehand may be supported here and open among all differences."
    )
    if running(study):
        text += " The grid still runs: every verdict is one so far, and none is a decision."
    return text


def decides(convergence: Convergence | None) -> bool:
    """Whether some runs converged and some did not: else every row would say that none decides."""
    return convergence is not None and 0 < convergence.converged < convergence.runs


def _unfinished(study: Study) -> dict[str, Any] | None:
    """What the banner says while runs lack an outcome; None once every run has one."""
    found = progress(study)
    return found if found["done"] < found["planned"] else None


def progress(study: Study) -> dict[str, Any]:
    """How far the grid is, in a sentence and by replicate."""
    frame = study.frame
    done = pd.to_numeric(frame[study.response], errors="coerce").notna()
    status = frame["status"].astype(str) if "status" in frame else pd.Series("", frame.index)
    failed = status.isin([one for one in MISSING_STATUSES if one != "not_run"])
    open_ = ~done & ~failed
    waves = []
    if study.replicate:
        for name, rows in frame.groupby(frame[study.replicate].astype(str), sort=False):
            waves.append(
                {
                    "replicate": name,
                    "finished": int(done[rows.index].sum()),
                    "open": int(open_[rows.index].sum()),
                    "failed": int(failed[rows.index].sum()),
                }
            )
    share = done.sum() / max(len(frame), 1)
    parts = [f"{int(done.sum())} of {len(frame)} runs have an outcome"]
    if open_.any():
        parts.append(f"{int(open_.sum())} are training or waiting")
    if failed.any():
        parts.append(f"{int(failed.sum())} failed")
    return {
        "sentence": "; ".join(parts) + (". Numbers below will change." if open_.any() else "."),
        "done": int(done.sum()),
        "planned": len(frame),
        "percent": f"{100 * share:.1f}",
        "waves": waves,
    }


def _effects(study: Study, found: Answer) -> list[dict[str, str]]:
    measure = measure_of(study)
    rows = []
    for row in found.factors.to_dict("records"):
        text = difference_text(row["estimate"], row["low"], row["high"], measure)
        difference, _, interval = text.partition(" [")
        share, ends = float(row["share"]), (float(row["share_low"]), float(row["share_high"]))
        levels = f"{row['best']} over {row['worst']}"
        if pd.isna(row["best"]):
            levels, difference = ("all equal", "none") if row["estimate"] == 0 else ("n/a", "n/a")
        one = {
            "factor": str(row["factor"]),
            "levels": levels,
            "difference": difference,
            "interval": f"[{interval}" if interval else "",
            "share": f"{share:.1%}" if np.isfinite(share) else "n/a",
            "share_interval": f"[{ends[0]:.1%}, {ends[1]:.1%}]" if np.isfinite(ends).all() else "",
            "sure": str(row["sure"]),
            "p": _p(row["p_holm"]),
        }
        if "conv_sure" in row:
            rates, _, interval = _rates(row).partition(" [")
            one |= {
                "convergence": rates,
                "conv_interval": f"[{interval}" if interval else "",
                "conv_sure": str(row["conv_sure"]),
                "conv_p": _p(row["conv_p_holm"]),
            }
        rows.append(one)
    return rows


def _p(p: float) -> str:
    text = p_words(float(p))
    return "" if text == "n/a" else f"p {text}" if text.startswith("<") else f"p = {text}"


def _rates(row: Mapping[Any, Any]) -> str:
    unnamed = pd.isna(row["conv_best"])
    if row["conv_estimate"] == 0 and unnamed:
        return "the same at every level"
    if unnamed or not np.isfinite(row["conv_estimate"]):
        return "n/a"
    points = f"+{100 * row['conv_estimate']:.1f} pp"
    ends = f"[{signed(100 * row['conv_low'])}, {signed(100 * row['conv_high'])}]"
    return f"{row['conv_best']} over {row['conv_worst']}: {points} {ends}"


def _claim(row: Mapping[Any, Any], interim: bool) -> dict[str, str]:
    verdict = str(row.get("verdict", ""))
    so_far = " so far" if interim and verdict in ("supported", "refuted") else ""
    return {
        "claim": str(row.get("claim", row.get("text", ""))),
        "verdict": f"{verdict}{so_far}",
        "kind": re.sub(r"[^a-z]", "", verdict.lower()),
        "estimate": _claim_estimate(row),
        "sentence": str(row.get("sentence", "")).replace(": ", f"{so_far}: ", 1),
    }


def _claim_estimate(row: Mapping[Any, Any]) -> str:
    numbers = [
        float(value) if (value := row.get(name)) is not None else float("nan")
        for name in ("estimate", "low", "high")
    ]
    outcome = str(row.get("outcome", "accuracy"))
    points = {"convergence": CONVERGED, "epochs": EPOCHS}.get(outcome, ACCURACY)
    estimate, low, high = numbers
    return difference_text(estimate, low, high, points) if np.isfinite(estimate) else "n/a"


def _no_claims(study: Study) -> str:
    if study.planned_claims:
        return "The claims could not be answered from the runs at hand."
    return "The specification makes no claims; everything here was found, not predicted."


def with_pictures(page: str, drawings: Mapping[str, Drawing], folder: Path) -> str:
    """The page of `render` with the SVG files of a folder in their places.

    They come last, as another process may still write them while the page is made. Everything that
    users wrote is escaped, so that no text of theirs is a mark.
    """
    for name, drawing in drawings.items():
        svg = (folder / f"{name}.svg").read_text("utf-8")
        page = page.replace(
            _mark(name), inline(svg, f"svg-{name}", drawing.title, drawing.caption), 1
        )
    return page


def _mark(name: str) -> str:
    return f"<!-- picture {name} -->"


# --- sections -------------------------------------------------------------------------------------


def _section(
    study: Study,
    key: str,
    title: str,
    names: Sequence[str],
    drawings: Mapping[str, Drawing],
    convergence: Convergence | None,
) -> dict[str, Any]:
    figures = [
        {
            "name": name,
            "title": drawings[name].title,
            "caption": drawings[name].caption,
            "svg": Markup(_mark(name)),  # noqa: S704 - a name of ours
            "numbers": numbers_behind(study, drawings[name]),
            "files": [(f"figures/{name}.{kind}", kind.upper()) for kind in ("svg", "png", "csv")],
        }
        for name in names
        if name in drawings
    ]
    tables: list[dict[str, Any]] = []
    texts: list[str] = []
    if key == "convergence" and convergence is not None:
        tables += [_convergence_tests(convergence)] if decides(convergence) else []
        texts += list(convergence.notes)
    elif key == "time":
        texts += _nobody_reached(study)
    elif key == "design":
        texts, tables = _design(study)
    elif key == "protocol":
        texts, tables = _protocol(study)
    elif key == "provenance":
        tables = _provenance(study)
    elif key == "diagnostics" and _can_be_estimated(study):
        texts = [f"Primary intervals: {study.estimates().rule.primary}; "
                 f"{study.estimates().rule.reason}."]  # fmt: skip
        tables = [_terms(study)]
    return {"id": key, "title": title, "texts": texts, "figures": figures, "tables": tables}


def _nobody_reached(study: Study) -> list[str]:
    """A sentence in place of empty panels, where no run reached the target."""
    found = kept.time_to_target(study)
    if found is None or found.curves.empty or (found.curves["reached"] > 0).any():
        return []
    target = (study.info.get("train") or {}).get("target")
    words = f"{float(target):.0%} validation accuracy" if target else "the target"
    return [
        f"No run reached {words} within {counted(int(found.budget), 'epoch')}, so there is no time "
        "to compare. A lower train.target or more epochs would tell the levels apart."
    ]


def _head(*names: str, numbers: Sequence[str] = ()) -> list[dict[str, Any]]:
    return [{"text": name, "number": name in numbers} for name in names]


def _convergence_tests(found: Convergence) -> dict[str, Any]:
    firth = found.terms.set_index("term")
    rows = []
    for row in found.tests.to_dict("records"):
        term = firth.loc[row["factor"]] if row["factor"] in firth.index else None
        rows.append(
            [
                str(row["factor"]),
                p_words(float(row["p"])),
                p_words(float(row["p_holm"])),
                "n/a" if term is None else p_words(float(term["p"])),
                str(row["method"]),
            ]
        )
    head = ("Factor", "p", "p (Holm)", "p (Firth)", "Test")
    numbers = ("p", "p (Holm)", "p (Firth)")
    return {
        "title": "Does the factor decide convergence? Exact Cochran–Mantel–Haenszel test, "
        "stratified by all other factors, beside Firth's penalised likelihood ratio",
        "head": _head(*head, numbers=numbers),
        "rows": rows,
    }


def _design(study: Study) -> tuple[list[str], list[dict[str, Any]]]:
    sizes = [len(levels) for levels in study.factors.values()]
    cells = cell_table(study.frame, study.factors, study.response)
    whole = int(np.prod(sizes))
    kind = "every combination" if len(cells) == whole else f"{len(cells)} of {whole} combinations"
    text = (
        f"{' × '.join(map(str, sizes))} levels; {kind}, {len(study.frame)} planned runs. Runs are "
        "ordered replicate by replicate and shuffled within each, so that any prefix of the run "
        "is balanced."
        if study.info
        else f"{' × '.join(map(str, sizes))} levels; {kind}, {len(study.frame)} runs."
    )
    texts = [text, *_mixing(study)]
    levels = study.info.get("levels") or {}
    rows = []
    for factor, labels in study.factors.items():
        for label in labels:
            one = dict(dict(levels.get(factor) or {}).get(label) or {})
            parameters = dict(one.get("parameters") or {})
            rows.append(
                [
                    factor,
                    label,
                    ", ".join(f"{name} = {value}" for name, value in sorted(parameters.items())),
                    str(int((study.frame[factor].astype(str) == label).sum())),
                ]
            )
    table = {
        "title": "Factors and their levels",
        "head": _head("Factor", "Level", "Parameters", "Runs", numbers=("Runs",)),
        "rows": rows,
    }
    return texts, [table]


def _mixing(study: Study) -> list[str]:
    """What an incomplete or unbalanced grid mixes up."""
    if not _can_be_estimated(study):
        return []
    found = kept.aliasing(study)
    if found is None or found.complete:
        return []
    said = [f"Cannot be told apart: {_alias(one)}." for one in found.sets[:12]]
    if len(found.sets) > 12:
        said.append(f"{len(found.sets) - 12} more sets are in effects.json.")
    resolution = found.measures.get("resolution")
    if resolution:
        said.append(f"Resolution {resolution}.")
    return said


def _alias(text: str) -> str:
    """A set of terms that are one, in a reader's words."""
    return text.replace("(Intercept)", "the grand mean").replace(":", " × ")


def _protocol(study: Study) -> tuple[list[str], list[dict[str, Any]]]:
    texts = [methods(study)] if _can_be_estimated(study) else []
    rows = []
    for section in ("data", "model", "train"):
        for name, value in dict(study.info.get(section) or {}).items():
            known = name != "root" and value not in (None, {}, [])
            if known and f"{section}.{name}" not in varied(study):
                rows.append([f"{section}.{name}", str(value)])
    fixed = (study.info.get("spec") or {}).get("fixed") or []
    rows += [[f"fixed {one['factor']}", str(one["label"])] for one in fixed]
    if not rows:
        return texts, []
    table = {"title": "What every run shared", "head": _head("Setting", "Value"), "rows": rows}
    return texts, [table]


def _provenance(study: Study) -> list[dict[str, Any]]:
    attempts = study.attempt_rows
    if attempts is None or attempts.empty:
        return []
    rows = []
    grouped = attempts.assign(
        commit=attempts["commit"].fillna("unknown").astype(str).str[:10],
        dirty=attempts["dirty"].fillna(value=False).astype(bool),
        device=attempts["device"].fillna("").astype(str),
        host=attempts["host"].fillna("").astype(str),
    ).groupby(["commit", "dirty", "host", "device"], sort=True)
    for (commit, dirty, host, device), part in grouped:
        versions = next((one for one in part["versions"] if isinstance(one, dict) and one), {})
        seconds = pd.to_numeric(part["seconds"], errors="coerce").sum()
        rows.append(
            [
                f"{commit}{' with changes' if dirty else ''}",
                host,
                device,
                str(len(part)),
                f"{seconds / 60:.1f}",
                ", ".join(f"{name} {value}" for name, value in sorted(versions.items())),
            ]
        )
    head = ("Commit", "Host", "Device", "Attempts", "Minutes", "Versions")
    return [
        {
            "title": "Where the runs come from",
            "head": _head(*head, numbers=("Attempts", "Minutes")),
            "rows": rows,
        }
    ]


def _terms(study: Study) -> dict[str, Any]:
    """The tests that decide, and the classical table for reference, with effect sizes."""
    found = study.estimates()
    decisive = found.decisive.set_index("term")
    rows = []
    for row in found.anova["type3"].to_dict("records"):
        term = str(row["term"])
        p, robust = (float(decisive[name].get(term, np.nan)) for name in ("p", "p_holm"))
        eta = [
            float(row[name]) for name in ("partial_eta2", "partial_eta2_low", "partial_eta2_high")
        ]
        shown = f"{eta[0]:.2f} [{eta[1]:.2f}, {eta[2]:.2f}]" if np.isfinite(eta).all() else ""
        f = float(row["F"])
        rows.append(
            [
                term.replace(":", " × "),
                f"{row['df']:g}",
                f"{f:.2f}" if np.isfinite(f) else "",
                p_words(float(row["p"])) if np.isfinite(f) else "",
                shown,
                p_words(p) if np.isfinite(p) else "",
                p_words(robust) if np.isfinite(robust) else "",
            ]
        )
    head = ("Term", "df", "F", "p (classical)", "Partial η²", "p", "p (Holm)")
    classical = (
        ""
        if found.deciding == "type3"
        else (
            "; the classical type III columns, which assume one variance in all cells, are for "
            "reference only"
        )
    )
    return {
        "title": f"Tests of all terms: p is that of the {TEST_NAMES[found.deciding]}{classical}",
        "head": _head(*head, numbers=head[1:]),
        "rows": rows,
    }


def _runs(study: Study) -> dict[str, Any]:
    frame = study.frame
    measure = measure_of(study)
    head = [{"text": "Run", "key": "cell", "number": False}] if "cell" in frame else []
    head += [{"text": name, "key": f"level:{name}", "number": False} for name in study.factors]
    if study.replicate:
        head.append({"text": "Replicate", "key": "replicate", "number": True})
    if "status" in frame:
        head.append({"text": "Status", "key": "status", "number": False})
    keys = {"test_accuracy": "accuracy", "restricted_epochs": "epochs", "seconds": "seconds"}
    name = f"{measure.name.capitalize()}{f' ({measure.unit})' if measure.unit else ''}"
    numbers = [(study.response, keys.get(study.response, "response"), name, measure)]
    for column, key in keys.items():
        if column in frame and column != study.response:
            other = measure_of(study.outcome(column))
            numbers.append((column, key, f"{other.name.capitalize()}", other))
    head += [{"text": text, "key": key, "number": True} for _, key, text, _ in numbers]
    columns: list[list[str]] = []
    if "cell" in frame:  # as short as it stays unique on the page; outcomes.csv has it whole
        columns.append(frame["cell"].astype(str).str[:SHORT_ID].tolist())
    columns += [frame[factor].astype(str).tolist() for factor in study.factors]
    if study.replicate:
        columns.append(frame[study.replicate].astype(str).tolist())
    if "status" in frame:
        columns.append(frame["status"].astype(str).tolist())
    for column, _, _, how in numbers:
        values = pd.to_numeric(frame[column], errors="coerce").to_numpy(float) * how.scale
        columns.append([f"{v:.{digits_of(how)}f}" if np.isfinite(v) else "" for v in values])
    rows = list(zip(*columns, strict=True))
    note = "Every planned run"
    if len(rows) > STATIC_ROWS:
        note = f"The first {STATIC_ROWS} of {len(rows)} planned runs; outcomes.csv has all"
    return {"head": head, "rows": rows[:STATIC_ROWS], "caption": note}


def _files(study: Study, *, estimated: bool) -> list[tuple[str, str]]:
    """Files beside the page; those of estimates only where something could be estimated."""
    files = [("outcomes.csv", "one row a run"), ("outcomes.parquet", "the same for pandas")]
    if study.curve_rows is not None and len(study.curve_rows):
        files += [
            ("curves.csv", "one row an epoch"),
            ("curves.parquet", "the same for pandas"),
        ]
    if not estimated:
        return files
    return [
        ("effects.json", "every estimate with its interval"),
        ("effects.schema.json", "the schema of effects.json"),
        *files,
        ("paper/ablation.tex", "the ablation table for LaTeX"),
        ("paper/ablation.md", "the ablation table for Markdown"),
        ("paper/ablation.csv", "its numbers, unrounded"),
        ("paper/methods.txt", "the methods paragraph"),
        (
            "paper/",
            "the main figures one journal column (3.5 in) wide, as PDF; "
            "report --column draws all of them so, as SVG",
        ),
        ("figures/", "every figure as PNG and SVG with the CSV behind it"),
    ]


__all__ = ["progress", "render", "value_text", "with_pictures"]
