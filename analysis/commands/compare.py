"""`compare`: the same effects of several studies, with their differences."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.errors import InputError
from analysis.commands import arguments
from runner.program.answers import add_json, print_answer
from runner.program.places.storage import add_storage
from runner.spec.claims import same_label

if TYPE_CHECKING:
    import pandas as pd

    from analysis.compare.comparison import Comparison
    from analysis.study import Study

SUMMARY = "Set the same effects of several studies side by side, with their differences."
EXAMPLES = """\
examples:
  python -m analysis compare cifar10-quick cifar100-quick
  python -m analysis compare --table may.csv --table june.csv --factors lr wd --response val_loss
  python -m analysis compare cifar10-quick --table paper.csv --factors optimizer init \\
      --response test_accuracy --block seed
  python -m analysis compare --from optuna sqlite:///may.db --from optuna sqlite:///june.db
"""


def configure(verb: argparse.ArgumentParser) -> None:
    """Its options."""
    verb.add_argument("studies", nargs="*", metavar="STUDY", help="two studies or more")
    add_storage(verb, "of the store that nobody names")
    arguments.add_table(verb, several=True)
    add_json(verb)
    verb.add_argument("--out", type=Path, metavar="FILE", help="CSV instead of standard output")


def run(options: argparse.Namespace) -> int:
    """Print both tables, or write them as one CSV."""
    import pandas as pd

    from analysis.compare.comparison import compare

    studies = _studies(options)
    comparison = compare(studies)
    if options.json:
        names = [study.name for study in studies]
        print_answer("compare", {"studies": names, **comparison.to_dict()})
        return 0
    if options.out is None:
        print(comparison_text(comparison))
        for study in studies:
            for line in (*arguments.claim_lines(study), *arguments.note_lines(study)):
                print(f"{study.name}: {line}" if line[:1].strip() else line)
        return 0
    whole = pd.concat(
        [
            comparison.effects.assign(kind="effect"),
            comparison.differences.assign(kind="difference"),
        ],
        ignore_index=True,
    )
    try:
        whole.to_csv(options.out, index=False)
    except OSError as error:
        raise InputError(f"cannot write {str(options.out)!r}: {error.strerror}") from None
    print(f"wrote {options.out}")
    return 0


def _studies(options: argparse.Namespace) -> list[Study]:
    """Studies of the store, then tables and other tools' runs; those of one name by their paths."""
    from analysis.loading import load

    paths: list[Path] = getattr(options, "table", None) or []
    tools: list[list[str]] = getattr(options, "tool", None) or []
    if len(options.studies) + len(paths) + len(tools) < 2:
        raise InputError("a comparison takes two studies or more, or tables with --table, or "
                         "runs with --from")  # fmt: skip
    if not paths and not tools:
        arguments.refuse_table_options(options)
    loaded = [load(name, options.storage) for name in options.studies]
    tables = [arguments.study_of_table(options, path) for path in paths]
    tables += [arguments.study_of_tool(options, words) for words in tools]
    names = [study.name for study in (*loaded, *tables)]
    sources = [*map(str, paths), *(" ".join(words) for words in tools)]
    named = [
        replace(table, name=source) if names.count(table.name) > 1 else table
        for table, source in zip(tables, sources, strict=True)
    ]
    first, *rest = [*loaded, *named]
    return [first, *(_called_as_in(first, study) for study in rest)]


def _called_as_in(first: Study, study: Study) -> Study:
    """A table whose levels of equal numbers have the other study's labels: 0.001 is its 1e-3."""
    table = study.checked
    if table is None:
        return study
    frame, factors = table.frame.copy(), dict(table.factors)
    for name in set(factors) & set(first.factors):
        labels = [same_label(label, first.factors[name]) for label in factors[name]]
        frame[name] = frame[name].cat.rename_categories(labels)
        factors[name] = tuple(labels)
    table = replace(table, frame=frame, factors=factors)
    return replace(study, frame=frame, factors=factors, checked=table)


def comparison_text(comparison: Comparison) -> str:
    """Both tables as text, in percentage points where the outcome is a share, the notes below."""
    unit = f", {comparison.measure.difference}" if comparison.measure.difference else ""
    parts = [f"Effects by study with 95% intervals{unit}", _text(_by_study(comparison))]
    from analysis.number_words import p_number

    rows = comparison.differences
    table = rows[["effect", "study", "reference"]].assign(
        difference=_with_intervals(rows, comparison.measure.scale),
        p_holm=[p_number(p) for p in rows["p_holm"]],
    )
    parts += [f"Differences of effects (study minus reference){unit}", _text(table)]
    notes = (f"Note: {note}" for note in comparison.notes)
    return "\n\n".join([*_verdicts(comparison), *parts, *notes])


def _verdicts(comparison: Comparison) -> list[str]:
    """Which verdicts hold in all studies: a sentence, and a line a claim."""
    import pandas as pd

    from analysis.compare.verdicts import sentence

    rows = comparison.claims
    if rows.empty:
        return []
    spans = [_with_intervals(rows.iloc[[at]], scale)[0] for at, scale in enumerate(rows["scale"])]
    shown = rows.assign(text=rows["verdict"] + " " + pd.Series(spans, rows.index))
    wide = shown.pivot(index="claim", columns="study", values="text")
    wide = wide.reindex(index=rows["claim"].unique(), columns=rows["study"].unique())
    again = rows.drop_duplicates("claim").set_index("claim")["again"]
    return [sentence(rows), _text(wide.assign(**{"": again}).reset_index())]


def _by_study(comparison: Comparison) -> pd.DataFrame:
    """Effects as rows, studies as columns, each estimate with its interval."""
    shown = comparison.effects.assign(
        text=_with_intervals(comparison.effects, comparison.measure.scale)
    )
    order = list(dict.fromkeys(shown["study"]))
    wide = shown.pivot(index="effect", columns="study", values="text")[order]
    return wide.reindex(shown["effect"].drop_duplicates()).reset_index()


def _with_intervals(rows: pd.DataFrame, scale: float) -> list[str]:
    import numpy as np

    digits = ".2f" if scale == 100 else ".4g"
    texts = []
    for estimate, low, high in rows[["estimate", "low", "high"]].to_numpy(float) * scale:
        if not np.isfinite(estimate):
            texts.append("not estimable")
        elif not np.isfinite([low, high]).all():
            texts.append(f"{estimate:+{digits}} (no interval)")
        else:
            texts.append(f"{estimate:+{digits}} [{low:+{digits}}, {high:+{digits}}]")
    return texts


def _text(table: pd.DataFrame) -> str:
    """Columns that name something begin at the left, numbers end at the right."""
    named = [name for name in table.columns if name in ("claim", "effect", "study", "reference")]
    widths = {name: max(len(name), *table[name].astype(str).map(len)) for name in named}
    left = {name: table[name].astype(str).str.ljust(width) for name, width in widths.items()}
    heads = {name: name.ljust(width) for name, width in widths.items()}
    return str(table.assign(**left).rename(columns=heads).to_string(index=False))
