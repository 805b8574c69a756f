"""Designs whose runs are listed: around a baseline, one factor at a time, or in somebody's file.

design: {kind: one_at_a_time, baseline: {optimizer: adam, init: he}}
design: {kind: leave_one_out, baseline: {augmentation: strong, warmup: linear}}
design: {kind: custom, file: runs.csv}
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ablations.errors import InputError, did_you_mean
from runner.design.search.regular import Combination
from runner.program.wording import listed
from runner.spec.claims import same_label
from runner.spec.spec import Spec
from runner.spec.spec_file import CustomDesign, OneAtATimeDesign

MOST_BYTES = 50_000_000


def around_baseline(
    spec: Spec, design: OneAtATimeDesign, grid: Sequence[Combination]
) -> list[Combination]:
    """The baseline, and each combination that differs from it in one factor.

    Args:
        spec: The specification; its factors.
        design: Names the baseline; a factor that it leaves out is at its first level.
        grid: The combinations that `exclude` and `only` leave.

    Raises:
        InputError: an unknown factor or level, a factor of more than two levels where each is to be
            left out, or a baseline that is excluded.
    """
    baseline = tuple(_baseline(spec, design))
    if design.kind == "leave_one_out":
        for factor in spec.factors:
            if len(factor.levels) > 2:
                raise spec.refuse(
                    ("factors", factor.name),
                    f"leave_one_out needs the level of the full recipe and one without it; "
                    f"{factor.name} has {len(factor.levels)}: use one_at_a_time",
                )
    allowed = set(grid)
    if baseline not in allowed:
        raise spec.refuse(("design", "baseline"), "is a combination that 'exclude' or 'only' takes")
    changed = (
        (*baseline[:f], level, *baseline[f + 1 :])
        for f, factor in enumerate(spec.factors)
        for level in range(len(factor.levels))
        if level != baseline[f]
    )
    return [baseline, *(one for one in changed if one in allowed)]


def _baseline(spec: Spec, design: OneAtATimeDesign) -> Iterator[int]:
    names = [factor.name for factor in spec.factors]
    for name in design.baseline:
        if name not in names:
            hint = did_you_mean(name, names)
            raise spec.refuse(("design", "baseline", name), f"is no factor of this file; {hint}")
    for factor in spec.factors:
        if factor.name not in design.baseline:
            yield 0
            continue
        given = design.baseline[factor.name]
        yield _level(spec, factor.labels, given, ("design", "baseline", factor.name), factor.name)


def _level(
    spec: Spec, labels: Sequence[str], given: object, path: Sequence[str | int], factor: str
) -> int:
    words = {None: "null", True: "true", False: "false"}
    plain = given is None or isinstance(given, bool)
    text = words[given] if plain else str(given)  # type: ignore[index]  # seen to be one of them
    label = same_label(text, labels)
    if label not in labels:
        raise spec.refuse(path, f"{factor!r} has no level {text!r}; {did_you_mean(text, labels)}")
    return labels.index(label)


def from_file(spec: Spec, design: CustomDesign, grid: Sequence[Combination]) -> list[Combination]:
    """The combinations that a CSV file lists, a row each; further columns are passed over.

    Args:
        spec: The specification; its factors.
        design: Names the file.
        grid: The combinations that `exclude` and `only` leave; others are refused.

    Raises:
        InputError: the file cannot be read, lacks a factor, or a row is no combination, one that is
            excluded, or one that was listed already; the sentence names its line.
    """
    path, where = Path(design.file), ("design", "file")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise spec.refuse(where, f"{path} has more than {MOST_BYTES // 10**6} MB")
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise spec.refuse(where, f"cannot read {path}: {error}") from None
    rows = csv.DictReader(text.splitlines(), skipinitialspace=True)
    lacking = [one.name for one in spec.factors if one.name not in (rows.fieldnames or ())]
    if lacking:
        have = ", ".join(rows.fieldnames or ("nothing",))
        raise spec.refuse(where, f"{path.name} lacks a column for {listed(lacking)}; it has {have}")
    allowed = set(grid)
    found: dict[Combination, str] = {}
    for row in rows:
        line = f"{path.name}:{rows.line_num}"
        one = tuple(_in_row(spec, row, line))
        if one not in allowed:
            raise spec.refuse(where, f"{line} is a combination that 'exclude' or 'only' takes out")
        if one in found:
            raise spec.refuse(
                where,
                f"{line} is listed twice ({found[one]}); 'replicates' says how often each runs",
            )
        found[one] = line
    if not found:
        raise spec.refuse(where, f"{path.name} lists no run")
    return list(found)


def _in_row(spec: Spec, row: Mapping[str, str | None], line: str) -> Iterator[int]:
    for factor in spec.factors:
        text = (row[factor.name] or "").strip()
        try:
            yield _level(spec, factor.labels, text, ("design", "file"), factor.name)
        except InputError as error:
            raise InputError(f"{error.problem} ({line})") from None
