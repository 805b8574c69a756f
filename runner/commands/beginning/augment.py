"""`augment FILE`: a fraction grows by new cells only; said beforehand, written when asked to."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablations.errors import InputError
from runner.commands import options
from runner.commands.arguments import named_design
from runner.commands.placement import slots_here
from runner.commands.standing.left import expected_time
from runner.program.naming import spoken
from runner.program.wording import counted, printable
from runner.spec.reading.files.shipped import is_shipped, specification_file

if TYPE_CHECKING:
    from runner.design import Design
    from runner.design.growth import Gain
    from runner.spec import Spec

EXAMPLES = """examples:
  python -m runner augment ablations/recipe.yaml --fold-over warmup    what it would cost and tell
  python -m runner augment ablations/recipe.yaml --fold-over warmup --write    and change the file
  python -m runner augment ablations/recipe.yaml --runs 24
  python -m runner augment ablations/recipe.yaml --full
"""
MOST_SCREENED = 24
"""Combinations of a screening design."""
LISTED = 6
"""So many groups or terms are named in a sentence; more are counted."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    options.specification(parser)
    options.slots(parser)
    options.store(parser)
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--fold-over", nargs="?", const="all", metavar="FACTOR|all",
        help="every combination again with the levels of this factor swapped, or of all (default)",
    )  # fmt: skip
    how.add_argument(
        "--runs", metavar="N", help="so many combinations in all, the further ones D-optimal"
    )
    how.add_argument("--full", action="store_true", help="every combination of the grid")
    parser.add_argument("--write", action="store_true", help="write the new design into FILE")


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    from runner.design import design_of
    from runner.design.growth import gain_of

    spec, before = named_design(arguments)
    grown = replace(spec, design=_grown(spec, before, arguments))
    try:
        after = design_of(grown)
    except InputError as error:  # the place in the file that it names is not there yet
        said = (
            f"--runs {arguments.runs}" if arguments.runs else f"--fold-over {arguments.fold_over}"
        )
        problem = str(error).partition(": design.")[2].partition(": ")[2] or str(error)
        raise InputError(f"{spec.source}: {said}: {problem}") from None
    gain = gain_of(before, after)
    for sentence in (*_size(before, after, gain), _cost(before, after, arguments), *_tells(gain)):
        print(printable(sentence))
    _write(spec, grown, arguments)
    return 0


def _grown(spec: Spec, before: Design, arguments: argparse.Namespace) -> Any:
    """The design section that the file is to have.

    Raises:
        InputError: nothing was asked for, or the design cannot grow so.
    """
    from runner.design.search.quality import parameter_count
    from runner.spec.spec_file import (
        AugmentedDesign,
        CustomDesign,
        FullDesign,
        Growth,
        ScreenDesign,
    )

    if arguments.fold_over is None and arguments.runs is None and not arguments.full:
        raise InputError("augment: expected --fold-over, --runs N or --full")
    old = spec.design
    allowed = spec.combinations - before.excluded
    if isinstance(old, FullDesign) or len(before.runs) == allowed:
        raise InputError(
            f"{spec.source}: all {counted(allowed, 'combination')} are run already: there is none "
            "to add; more 'replicates' run each more often"
        )
    if isinstance(old, CustomDesign):
        raise InputError(
            f"{spec.source}: the runs of a custom design are listed in {Path(old.file).name}: add "
            "rows there"
        )
    if spec.adaptive is not None:
        raise spec.refuse(
            ("replicates",),
            "come in waves, whose looks are paid for by the number of combinations: a design that "
            "grows takes a plain number",
        )
    if arguments.full:
        return FullDesign()
    if isinstance(old, ScreenDesign):
        more = "it runs the most there are" if old.runs == MOST_SCREENED else (
            f"'runs: {MOST_SCREENED}' runs more, and of up to 11 factors keeps all {old.runs}"
        )  # fmt: skip
        raise spec.refuse(
            ("design",),
            f"a screening design is no fraction that folds: {more}; its report writes the study "
            "that follows",
        )
    if arguments.runs is not None:
        count = _count(arguments.runs, len(before.runs), allowed)
        levels = [len(factor.levels) for factor in spec.factors]
        order = 2 if len(levels) > 1 and count >= parameter_count(levels, 2) else 1
        step = Growth(runs=count, order=order)
    else:
        step = Growth(fold_over=arguments.fold_over)
    if isinstance(old, AugmentedDesign):
        return AugmentedDesign(kind="augmented", of=old.of, by=[*old.by, step])
    return AugmentedDesign(kind="augmented", of=old, by=[step])


def _count(text: str, now: int, most: int) -> int:
    if text.isdecimal() and now < int(text) < most:
        return int(text)
    wanted = f"a whole number from {now + 1} to {most - 1}" if now + 1 < most else "--full"
    raise InputError(f"--runs {text}: expected {wanted}, for {now} of {most} combinations are run")


def _size(before: Design, after: Design, gain: Gain) -> list[str]:
    cells = len(after.cells) - len(before.cells)
    return [
        f"{counted(len(gain.new), 'combination')} beside the {len(before.runs):,} of before, "
        f"{counted(after.replicates, 'replicate')} of each: {counted(cells, 'new cell')}; the "
        f"{counted(len(before.cells), 'cell')} of before, their seeds and outcomes stay as they are"
    ]


def _cost(before: Design, after: Design, arguments: argparse.Namespace) -> str:
    """Time of the new cells, from what was measured, else from the network's arithmetic."""
    slots = slots_here(after.spec, arguments)
    old = {cell.id for cell in before.cells}
    new = [cell for cell in after.cells if cell.id not in old]
    time = expected_time(after, new, slots, _measured(after.spec, arguments))
    return f"training them: {time.words(len(slots))}"


def _measured(spec: Spec, arguments: argparse.Namespace) -> dict[str, float]:
    """Seconds of the study's cells that have run; {} without a store that has them."""
    from runner.store import StoreError, open_store

    try:
        with open_store(arguments.storage, read_patience=5) as store:
            if spec.study not in store.study_names():
                return {}
            cells = store.progress(store.load_study(spec.study))
    except (InputError, StoreError):
        return {}
    return {cell: one.seconds for cell, one in cells.items() if one.seconds}


def _tells(gain: Gain) -> list[str]:
    if not gain.known:
        return ["what it tells is not examined: the design is too large"]
    said = []
    if gain.told_apart:
        groups = [" from ".join(" = ".join(part) for part in parts) for parts in gain.told_apart]
        said.append(f"told apart now: {_some(groups, '; ')}")
    if gain.estimable:
        said.append(f"becomes estimable: {_some(gain.estimable)}")
    elif not gain.told_apart:
        said.append("no further main effect or pair becomes estimable: what was is more precise")
    if gain.lost:
        said.append(f"still not estimable beside the others: {_some(gain.lost)}")
    else:
        said.append("then every main effect and every pair can be estimated")
    if gain.mixed:
        groups = [" = ".join(group) for group in gain.mixed]
        said.append(f"still cannot be told apart: {_some(groups, '; ')}")
    return said


def _some(items: Any, between: str = ", ") -> str:
    rest = len(items) - LISTED
    return between.join(items[:LISTED]) + (f" and {rest} more" if rest > 0 else "")


def _write(spec: Spec, grown: Spec, arguments: argparse.Namespace) -> None:
    """Print the new design, and write it into the file where that was asked for.

    Raises:
        InputError: the file cannot be written, or would not say what was meant.
    """
    from runner.beginning.design_block import flow, with_design
    from runner.program.files import write_whole

    block = grown.design.model_dump(mode="json", exclude_defaults=True) | {
        "kind": grown.design.kind
    }
    line = f"design: {flow(block)}"
    file = specification_file(arguments.file)
    if arguments.write and is_shipped(file):
        raise InputError(f"{file} comes with the program: copy it, and grow the copy")
    command = spoken(f"python -m runner grid {shlex.quote(arguments.file)}")
    if not arguments.write:
        print(printable(line))
        print(f"nothing was written: --write puts this into {printable(file.name)}")
        return
    node = spec.root.at(("design",)) if spec.root is not None else None
    profile = None
    if node is not None and node.within.startswith("profiles."):
        profile = node.within.removeprefix("profiles.").rstrip(".")
    text = with_design(file.read_bytes().decode("utf-8"), block, profile)
    aside = file.with_name(f".{file.stem}.augmented.yaml")
    try:
        write_whole(aside, text)
        arguments.file = str(aside)
        if {c.id for c in named_design(arguments)[1].cells} != _ids(grown):
            raise InputError("another design")
        write_whole(file, text)
    except InputError:
        raise InputError(
            f"{file}: its design does not stand in the file alone (a profile, an extended file or "
            f"--set has a part in it); write it there by hand: {line}"
        ) from None
    except OSError as error:
        raise InputError(f"{file}: cannot be written: {error.strerror}") from None
    finally:
        aside.unlink(missing_ok=True)
    print(printable(f"written into {file}: {line}"))
    print(printable(f"next: {command}"))


def _ids(spec: Spec) -> set[str]:
    from runner.design import design_of

    return {cell.id for cell in design_of(spec).cells}
