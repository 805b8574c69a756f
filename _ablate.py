"""Where every program of this project begins: its own three packages are found first, and for good.

`analysis`, `runner` and `ablations` are names that a person's own folder, or another distribution,
may have too. Each is loaded here from beside this file, wherever the path would find another one;
modules in them follow, because Python looks for those in the package. The working directory goes
to the end of the path: modules of a person's own are found there, and hide none of a library's.

`ablate`, `python -m runner` and `python -m analysis` call `begin`, processes that these start are
made by `words` or import this module (`multiprocessing`'s fork server). Standard library alone.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")

ROOT = Path(__file__).resolve().parent
OWN = ("ablations", "runner", "analysis")
DISTRIBUTION = "ablation-grid-runner"

FORK_SERVER = "ABLATIONS_FORK_SERVER"
"""Environment variable of a fork server that was started with `PYTHONSAFEPATH`, which is not the
person's: the commands of theirs that its children run are not to have it."""

BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); import _ablate; del sys.path[0]; _ablate.child()"
)

_name = ""


def main() -> int:
    """The command `ablate`: every verb of both programs."""
    begin("ablate")
    # Or every cell process would run the installed script once more, under another name.
    vars(sys.modules["__main__"]).pop("__file__", None)
    from runner.program.streams import prepare_streams

    prepare_streams()
    from runner.entry.ablate import main as ablate

    return ablate(sys.argv[1:])


def begin(name: str = "") -> None:
    """Load the three packages from beside this file; the working directory is searched last.

    Args:
        name: "ablate" where that is how the person calls the program.

    Raises:
        SystemExit: another distribution has put its own files among these (code 2).
    """
    global _name
    _name = name
    # Before NumPy is loaded: its library's threads only wait for each other over matrices this
    # small, and far longer beside cells that train.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _search_here_last()
    sentence, breaks = clash()
    if breaks:
        print(f"error: {sentence}", file=sys.stderr or sys.__stderr__)
        raise SystemExit(2)
    if sentence and sys.stderr is not None:
        print(f"note: {sentence}", file=sys.stderr)
    pin(*OWN)


def called() -> str:
    """How the person calls the program: "ablate", or "" for `python -m`."""
    return _name


def pin(*names: str) -> None:
    """Load packages of this project from beside this file, whatever else the path would find."""
    for name in names:
        folder = ROOT / name
        there = sys.modules.get(name)
        if there is not None and getattr(there, "__file__", "") == str(folder / "__init__.py"):
            continue
        spec = importlib.util.spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert spec is not None  # noqa: S101 - a .py file has one, and a loader
        assert spec.loader is not None  # noqa: S101
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:  # the folder was removed
        return ""


def _search_here_last() -> None:
    """Move the working directory, where Python put it first, to the end of the path."""
    here = _here()
    if not here or Path(here).resolve() == ROOT:  # a checkout: what is here is the program
        return
    if sys.path[:1] == [here] and not sys.flags.safe_path:  # of `python -m`
        del sys.path[0]
    if here not in sys.path:
        sys.path.append(here)


def here_first() -> None:
    """Search the working directory first, as `python train.py` would: in a process of theirs."""
    if here := _here():
        with contextlib.suppress(ValueError):
            sys.path.remove(here)
        sys.path.insert(0, here)


@contextlib.contextmanager
def looking_here_first() -> Iterator[None]:
    """The same while modules of the person's own are imported into a process of ours."""
    before = list(sys.path)
    here_first()
    try:
        yield
    finally:
        added = [one for one in sys.path if one not in before]
        sys.path[:] = before + added


def words(module: str, *arguments: str) -> list[str]:
    """The command of a process that runs a module of this project, safe from the folder it is in.

    Args:
        module: a dotted name, such as "runner".
        arguments: its arguments.
    """
    return [sys.executable, "-P", "-c", BOOT, str(ROOT), module, *arguments]


def child() -> None:
    """What a process made by `words` does; modules of a person's own may be called `analysis`."""
    _, root, module, *arguments = sys.argv
    pin("ablations", "runner")
    if module.partition(".")[0] == "analysis":
        pin("analysis")
    if not any(Path(one or os.curdir).resolve() == Path(root) for one in sys.path):
        sys.path.append(root)
    if (here := _here()) and here not in sys.path:
        sys.path.append(here)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def call(module: str, name: str, *arguments: object) -> None:
    """Call a function of this project: what a new process of `multiprocessing` is given to do."""
    pin(*OWN)
    getattr(importlib.import_module(module), name)(*arguments)


def start_safely(start: Callable[[], Result]) -> Result:
    """Call what starts Python by `multiprocessing`, which would search this directory first."""
    if "PYTHONSAFEPATH" in os.environ or _here() == str(ROOT):
        return start()
    os.environ["PYTHONSAFEPATH"] = os.environ[FORK_SERVER] = "1"
    try:
        return start()
    finally:
        del os.environ["PYTHONSAFEPATH"], os.environ[FORK_SERVER]


def clash() -> tuple[str, bool]:
    """Whether another distribution has a package of one of the three names.

    Returns:
        A sentence, "" where none has; and whether it has put its files among ours, so that
        nothing can be relied on.
    """
    for folder in dict.fromkeys([str(ROOT), *sys.path]):
        taken = [name for name in OWN if (Path(folder) / name / "__init__.py").exists()]
        for name in taken:
            for owner in _owners(Path(folder), name):
                if Path(folder).resolve() == ROOT:
                    return (
                        f"the distribution {owner} has put a package {name!r} into the folder of "
                        f"this program's own ({ROOT / name}): install the two in environments of "
                        f"their own (pipx, uv tool, python -m venv)"
                    ), True
                return (
                    f"the distribution {owner} has a package {name!r} too, in {folder}; this "
                    "program uses its own, and your code should not import the other in one "
                    "process with it"
                ), False
    return "", False


def _owners(folder: Path, name: str) -> Iterator[str]:
    """Distributions in a folder that have a package of the name, but this one.

    `importlib.metadata.packages_distributions` reads every file list of the environment, which
    takes half a second; here one folder's lists are searched as text.
    """
    begin = f"\n{name}/".encode()
    for info in sorted(folder.glob("*-info")):
        name_of = info.name.removesuffix(".egg-info").removesuffix(".dist-info")
        distribution = name_of.split("-")[0]
        if distribution.replace("_", "-").replace(".", "-").lower() == DISTRIBUTION:
            continue
        for file in ("RECORD", "SOURCES.txt", "top_level.txt"):
            with contextlib.suppress(OSError):
                held = b"\n" + (info / file).read_bytes()
                if begin in held or (file == "top_level.txt" and name.encode() in held.split()):
                    yield distribution
                    break


if os.environ.pop(FORK_SERVER, ""):  # this is one: its children are processes of theirs
    os.environ.pop("PYTHONSAFEPATH", None)
    pin("ablations", "runner")
