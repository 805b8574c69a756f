"""Options that several verbs share, each defined once."""

from __future__ import annotations

import argparse

from runner.program.places.storage import add_storage


def specification(parser: argparse.ArgumentParser) -> None:
    """FILE, --profile and --set: what reads a specification."""
    parser.add_argument("file", metavar="FILE", help="the specification, a YAML file")
    parser.add_argument(
        "--profile",
        default="auto",
        metavar="NAME",
        help="profile of the file; auto (default): cuda when a CUDA device is visible, else cpu",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="overrides",
        help="override a field of the file, e.g. --set train.epochs=5; may be repeated",
    )


def planning(parser: argparse.ArgumentParser) -> None:
    """--cells, --all and --designs: how much of a plan is printed."""
    parser.add_argument(
        "--cells",
        type=_at_least_zero,
        default=10,
        metavar="N",
        help="cells to list in a plan (default: 10)",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        dest="everything",
        help="all that is known of the design in a plan: every term it mixes up, its efficiency",
    )
    parser.add_argument(
        "--designs",
        action="store_true",
        help="beside a plan: what other designs of the same factors would cost and could decide",
    )


def store(parser: argparse.ArgumentParser) -> None:
    """--storage and --results: where rows and files go."""
    add_storage(parser, "for logs, checkpoints and reports, and for the store that nobody names")


def slots(parser: argparse.ArgumentParser) -> None:
    """--devices and --slots-per-device: where cells train."""
    parser.add_argument(
        "--devices",
        metavar="LIST",
        help="cpu, cuda, or device numbers such as 0,2 (default: all that are visible)",
    )
    parser.add_argument(
        "--slots-per-device",
        type=_at_least_one,
        metavar="N",
        help="cells that train side by side on a CUDA device, or slots on the CPU in all",
    )


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number, at least 1")
    return int(text)


def _at_least_zero(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number, at least 0")
    return int(text)


def failures(parser: argparse.ArgumentParser) -> None:
    """--keep-going."""
    parser.add_argument(
        "--keep-going",
        action="store_true",
        help="begin further cells although the first ones (4, or twice the slots) all failed alike "
        "and none has an outcome; without it they stay waiting, and the exit code is 3",
    )


def output(parser: argparse.ArgumentParser) -> None:
    """--quiet."""
    parser.add_argument("--quiet", action="store_true", help="print only what was found")


def study(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """STUDY, by name or the beginning of one."""
    parser.add_argument(
        "study",
        metavar="STUDY",
        nargs="?" if optional else None,
        help="a study's name, or enough of its beginning",
    )
