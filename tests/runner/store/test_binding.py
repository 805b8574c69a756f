"""Methods that are bound to functions take a study or a lease, and show what they take."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from ablations.errors import InputError
from runner.store import Store, open_store, read
from runner.store.cells import endings
from tests.store_contract.grids import planned


def test_a_bound_method_shows_what_its_function_takes_and_says() -> None:
    shown = str(inspect.signature(Store.runs)).replace("'", "")
    assert shown == (
        "(self, study, /, *, state: State | None = None, beginning: str = , "
        "limit: int | None = None) -> list[dict[str, Any]]"
    )
    assert Store.runs.__doc__ == read.runs.__doc__
    assert list(inspect.signature(Store.fail).parameters)[:3] == ["self", "lease", "reason"]
    assert Store.fail.__doc__ == endings.fail.__doc__


def test_every_public_method_says_what_it_does() -> None:
    public = {name: one for name, one in vars(Store).items() if not name.startswith("_")}
    assert [name for name, one in public.items() if not inspect.getdoc(one)] == []


def test_a_bound_method_takes_a_study_by_value_or_by_name(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "store.db"), create=True) as store:
        study = planned(store, 3)
        assert len(store.runs(study, limit=2)) == len(store.runs(study.name, limit=2)) == 2
        with pytest.raises(InputError, match="no study 'other'"):
            store.runs("other")
