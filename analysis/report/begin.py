"""Beginning a report: the study is read before anything that draws is imported.

So another process has its learning curves to read while this one imports: `analysis.report.press`.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.errors import InputError
from analysis.report.curve_files import write_ahead
from analysis.report.press import Press
from runner.program.places.storage import results_folder

if TYPE_CHECKING:
    from analysis.study import Study
    from runner.store.database.address import Address


def write_report(
    study: Study | str,
    folder: Path | str | None = None,
    partial: bool = False,
    storage: Address | str | None = None,
    press: Press | None = None,
    results: Path | None = None,
) -> Path:
    """Write everything about a study to a folder.

    Args:
        study: a study, or the name (or its beginning) of one in the store.
        folder: gets outcomes.csv, effects.json, figures/, paper/ and report.html; by default
            the study's name in `results`.
        partial: say on top of the page what is still missing.
        storage: the store of a study given by name: a URL or an address; by default the project's.
        press: saves the figures; by default with a helper process where there are two cores.
        results: by default `results/` (or what ABLATIONS_RESULTS says).

    Returns:
        The path of report.html.

    Raises:
        InputError: no such study, or the folder cannot be written.
    """
    with nullcontext(press) if press else Press() as press, _without_collection():
        if isinstance(study, str):
            study = _load(study, storage)
        if folder is None:
            folder = (results or results_folder()) / study.name
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            read = study.read_curves
            curves = None if read is None else write_ahead(read, press, folder)
            from analysis.report.write import write

            return write(study, folder, partial, press, curves)
        except OSError as error:
            raise InputError(f"cannot write a report to {str(folder)!r}: {error}") from None


@contextmanager
def _without_collection() -> Iterator[None]:
    """Figures make millions of objects and hardly a cycle: looking for cycles takes 6 % of it."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()


def _load(name: str, storage: Address | str | None) -> Study:
    from analysis.loading import from_store, load
    from runner.store import Store

    if storage is None or isinstance(storage, str):
        return load(name, storage)
    # An address, which may hold a password that its text does not show.
    with Store(storage) as store:
        return from_store(store, store.find_study(name))
