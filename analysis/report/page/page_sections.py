"""What each section of the page consists of: its figures, its texts, its tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from analysis.effects.shown import untestable
from analysis.number_words import p_words
from analysis.report.gallery.catalogue import ANSWER, FIGURES
from analysis.report.page.tables.causes_table import causes_table
from analysis.report.page.tables.level_tables import baseline_told, numbers_told
from analysis.report.page.tables.tuning_tables import confounds_told, tuning_told
from analysis.report.words.names import TEST_NAMES, interval_name, readable
from analysis.report.words.papers.methods import held, methods, shared
from analysis.study import known
from analysis.table.cells import cell_table
from runner.program.wording import counted

if TYPE_CHECKING:
    from analysis.outcomes.convergence import Convergence
    from analysis.study import Study

MOST_SETS = 12
"""Sets of terms that cannot be told apart, named one by one."""
Table = dict[str, Any]


class Content(NamedTuple):
    """Beside figures: sentences and tables."""

    texts: Sequence[str] = ()
    tables: Sequence[Table] = ()


@dataclass(frozen=True)
class PageSection:
    """One section of the page.

    Attributes:
        key: its anchor, which figures name.
        title: its heading.
        content: what stands in it beside its figures.
    """

    key: str
    title: str
    content: Callable[[Study, Convergence | None], Content] = lambda study, convergence: Content()

    @property
    def figures(self) -> list[str]:
        """Names of its figures, in order."""
        return [one.name for one in FIGURES if one.section == self.key]


def _head(*names: str, numbers: Sequence[str] = ()) -> list[dict[str, Any]]:
    return [{"text": name, "number": name in numbers} for name in names]


def _convergence(study: Study, convergence: Convergence | None) -> Content:
    """Tests where some runs reached the target and some did not, and what to know of them."""
    causes = causes_table(study.causes)
    tables = [] if causes is None else [causes]
    if convergence is None:
        return Content((), tables)
    if convergence.mixed:
        tables.insert(0, _convergence_tests(study, convergence))
    return Content(list(convergence.notes), tables)


def _convergence_tests(study: Study, convergence: Convergence) -> dict[str, Any]:
    judged = (study.primary or study).judgement.p_of("convergence")
    rows = [
        [
            str(row["factor"]),
            p_words(row["p"]),
            p_words(judged.get(str(row["factor"]), np.nan)),
            str(row["method"]),
        ]
        for row in convergence.tests.to_dict("records")
    ]
    head = ("Factor", "p", "p (Holm)", "Test")
    return {
        "title": f"Does the factor decide which runs {convergence.goal.did}? "
        f"{_tests_used(convergence)}",
        "head": _head(*head, numbers=("p", "p (Holm)")),
        "rows": rows,
    }


def _tests_used(convergence: Convergence) -> str:
    """Of the factors, in a title."""
    exact = "Exact Cochran–Mantel–Haenszel test, stratified by all other factors"
    models = convergence.compared.models
    if not models:
        return exact
    shares = "F test of the shares of the combinations that ran, each counted once"
    return shares if len(models) == len(convergence.factors) else f"{shares}, or: {exact}"


def _penalised(convergence: Convergence) -> dict[str, Any]:
    """Firth's terms, which no verdict rests on."""
    rows = [
        [readable(str(row["term"])), p_words(row["p"]), p_words(row["p_holm"])]
        for row in convergence.terms.to_dict("records")
    ]
    return {
        "title": f"For reference, runs that {convergence.goal.did}: penalised likelihood ratio "
        "tests of Firth's model of mains and pairs; no verdict rests on them",
        "head": _head("Term", "p", "p (Holm)", numbers=("p", "p (Holm)")),
        "rows": rows,
    }


def _time(study: Study, _convergence: Convergence | None) -> Content:
    """A sentence in place of empty panels, where no run reached the target."""
    times = known(study.time_to_target)
    if times is None or times.curves.empty or (times.curves["reached"] > 0).any():
        return Content()
    target = study.goal.target
    words = "the target" if target is None else target.words
    return Content(
        [
            f"No run reached {words} within {counted(int(times.budget), 'epoch')}, so there is no "
            "time to compare. A lower train.target or more epochs would tell the levels apart."
        ]
    )


def _numbers(study: Study, _convergence: Convergence | None) -> Content:
    """Linear and quadratic parts, and the levels that curves pick."""
    return Content(*numbers_told(study)) if _can_be_estimated(study) else Content()


def _baseline(study: Study, _convergence: Convergence | None) -> Content:
    """Each change of one factor, where the baseline ran."""
    return known(lambda: Content(*baseline_told(study))) or Content()


def _tuning(study: Study, _convergence: Convergence | None) -> Content:
    """What was tuned before the grid, and whether that changed what the grid says."""
    return Content(*tuning_told(study))


def _confounds(study: Study, _convergence: Convergence | None) -> Content:
    """What else differs between levels, and the effects that it could explain."""
    return Content(*confounds_told(study)) if _can_be_estimated(study) else Content()


def _design(study: Study, _convergence: Convergence | None) -> Content:
    """Size and kind of the design, what it mixes up, and what its levels are."""
    sizes = [len(levels) for levels in study.factors.values()]
    cells = cell_table(study.runs, study.factors, study.response)
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
    return Content(texts, [table])


def _mixing(study: Study) -> list[str]:
    """What an incomplete or unbalanced grid mixes up."""
    aliasing = known(lambda: study.aliasing)
    if aliasing is None or aliasing.complete:
        return []
    sets = [" = ".join(readable(term) for term in one) for one in aliasing.sets]
    sentences = [f"Cannot be told apart: {one}." for one in sets[:MOST_SETS]]
    if len(sets) > MOST_SETS:
        sentences.append(f"{len(sets) - MOST_SETS} more sets are in effects.json.")
    resolution = aliasing.measures.get("resolution")
    if resolution:
        sentences.append(f"Resolution {resolution}.")
    return sentences


def _protocol(study: Study, _convergence: Convergence | None) -> Content:
    """The methods paragraph, and what every run shared."""
    texts = [methods(study)] if _can_be_estimated(study) else []
    rows = [list(row) for row in shared(study)]
    rows += [[f"fixed {factor}", label] for factor, label in held(study)]
    if not rows:
        return Content(texts)
    table = {"title": "What every run shared", "head": _head("Setting", "Value"), "rows": rows}
    return Content(texts, [table])


def _can_be_estimated(study: Study) -> bool:
    """Whether runs have an outcome, of two levels of every factor at least."""
    return known(lambda: study.table) is not None


def _provenance(study: Study, _convergence: Convergence | None) -> Content:
    """Commits, hosts and devices of the attempts."""
    attempts = study.attempt_rows
    if attempts is None or attempts.empty:
        return Content()
    rows = []
    grouped = attempts.assign(
        commit=attempts["commit"].fillna("unknown").astype(str).str[:10],
        dirty=attempts["dirty"].fillna(value=False).astype(bool),
        device=attempts["device"].fillna("").astype(str),
        host=attempts["host"].fillna("").astype(str),
    ).groupby(["commit", "dirty", "host", "device"], sort=True)
    for (commit, dirty, host, device), part in grouped:
        versions = next((one for one in part["versions"] if isinstance(one, dict) and one), {})
        seconds = part["seconds"].sum()
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
    table = {
        "title": "Where the runs come from",
        "head": _head(*head, numbers=("Attempts", "Minutes")),
        "rows": rows,
    }
    return Content([], [table])


def _diagnostics(study: Study, convergence: Convergence | None) -> Content:
    """How intervals were chosen, the tests of all terms, and Firth's beside the exact ones."""
    mixed = convergence is not None and convergence.mixed
    beside = [_penalised(convergence)] if convergence is not None and mixed else []
    if not _can_be_estimated(study):
        return Content((), beside)
    rule = study.grid.rule
    lost = [f"{one}." for one in untestable(study.estimates())]
    text = f"Primary intervals: {rule.primary}; {rule.reason}."
    if study.by_lenth:
        text = f"Intervals of differences: {interval_name(study)}; of means: {rule.primary}."
    return Content([text, *lost], [_terms(study), *beside])


def _terms(study: Study) -> dict[str, Any]:
    """The tests that decide, and the classical table for reference, with effect sizes."""
    effects = study.estimates()
    decisive = effects.decisive.set_index("term")["p"]
    judged = study.judgement.terms()["p_family"]
    rows = []
    for row in effects.type3.to_dict("records"):
        term = str(row["term"])
        p, robust = (float(one.get(term, np.nan)) for one in (decisive, judged))
        eta = [
            float(row[name]) for name in ("partial_eta2", "partial_eta2_low", "partial_eta2_high")
        ]
        shown = f"{eta[0]:.2f} [{eta[1]:.2f}, {eta[2]:.2f}]" if np.isfinite(eta).all() else ""
        f = float(row["F"])
        rows.append(
            [
                readable(term),
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
        if effects.deciding == "type3"
        else (
            "; the classical type III columns, which assume one variance in all cells, are for "
            "reference only"
        )
    )
    return {
        "title": f"Tests of all terms: p is that of the {TEST_NAMES[effects.deciding]}{classical}",
        "head": _head(*head, numbers=head[1:]),
        "rows": rows,
    }


SECTIONS = (
    PageSection(ANSWER, "The answer"),
    PageSection("effects", "Effects"),
    PageSection("interactions", "Interactions"),
    PageSection("numbers", "Levels that are numbers", _numbers),
    PageSection("baseline", "One change at a time", _baseline),
    PageSection("tuning", "Tuned and as given", _tuning),
    PageSection("confounds", "What else differs", _confounds),
    PageSection("convergence", "Convergence", _convergence),
    PageSection("time", "Time to target", _time),
    PageSection("curves", "Learning curves"),
    PageSection("cells", "Cells"),
    PageSection("design", "Design", _design),
    PageSection("protocol", "Protocol", _protocol),
    PageSection("provenance", "Provenance", _provenance),
    PageSection("diagnostics", "Diagnostics", _diagnostics),
)
"""In the order a reader asks; all but the first are the appendix."""
