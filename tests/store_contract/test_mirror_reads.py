"""Trials read as rows are the trials Optuna itself reads, on every database."""

from __future__ import annotations

import copy
import math

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from runner.optuna_mirror import reads as trial_reads
from runner.optuna_mirror.mirror import Mirror
from runner.optuna_mirror.optuna_tables import open_storage
from runner.store import Store, StudyInfo
from tests.store_contract.grids import LEASE, outcome

DISTRIBUTIONS = {
    "lr": FloatDistribution(1e-4, 1.0, log=True),
    "depth": IntDistribution(11, 19, step=2),
    "head": CategoricalDistribution(("adam", None, 3)),
}
UNORDERED = {"_user_attrs", "_system_attrs", "intermediate_values"}


def by_optuna(store: Store, study_id: int, held: set[int], after: int) -> list[FrozenTrial]:
    found: list[FrozenTrial] = RDBStorage._get_trials(
        open_storage(store.database), study_id, None, held, after
    )
    return found


def as_rows(store: Store, study_id: int, held: set[int], after: int) -> list[FrozenTrial]:
    return open_storage(store.database, trial_reads.RowStorage)._get_trials(
        study_id, None, held, after
    )


def comparable(trials: list[FrozenTrial]) -> list[str]:
    """All there is in them; NaN equals NaN. Optuna leaves only the parameters in order."""
    return [
        repr(
            {
                name: sorted(value.items()) if name in UNORDERED else value
                for name, value in vars(trial).items()
            }
        )
        for trial in trials
    ]


def sundry(store: Store, study: StudyInfo) -> optuna.Study:
    """Trials of ours beside those Optuna's functions make, with every kind of value."""
    for _ in range(2):
        lease = store.claim(study, "w", lease_seconds=LEASE)
        assert lease is not None
        store.finish(lease, outcome())
    assert store.claim(study, "w", lease_seconds=LEASE) is not None
    with Mirror(store, study) as mirror:
        assert mirror.sync() == 3
    optuna.create_study(study_name="other", storage=open_storage(store.database)).add_trial(
        optuna.trial.create_trial(value=1.0)
    )
    theirs = optuna.load_study(study_name=study.name, storage=open_storage(store.database))
    for value in (0.25, math.inf, -math.inf):
        theirs.add_trial(
            optuna.trial.create_trial(
                value=value,
                params={"head": None, "lr": 0.1, "depth": 13},
                distributions=DISTRIBUTIONS,
                user_attrs={"note": {"é": [1, None]}},
                system_attrs={"fixed_params": {"lr": 0.1}},
                intermediate_values={7: 0.5, 1: math.nan, 3: math.inf, 2: -math.inf},
            )
        )
    theirs.enqueue_trial({"lr": 0.01})
    return theirs


def test_they_are_what_optuna_reads(
    store: Store, study: StudyInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_reads, "AT_ONCE", 2)
    theirs = sundry(store, study)
    known = by_optuna(store, theirs._study_id, set(), -1)
    assert [trial.state.name for trial in known] == [
        *["COMPLETE"] * 2, "RUNNING", *["COMPLETE"] * 3, "WAITING",
    ]  # fmt: skip
    ids = [trial._trial_id for trial in known]
    for held, after in ((set(), -1), ({ids[2]}, ids[3]), (set(), ids[-1]), ({ids[1]}, ids[-1])):
        expected = comparable(by_optuna(store, theirs._study_id, held, after))
        assert comparable(as_rows(store, theirs._study_id, held, after)) == expected


def test_only_the_states_asked_for(store: Store, study: StudyInfo) -> None:
    theirs = sundry(store, study)
    storage = open_storage(store.database, trial_reads.RowStorage)
    found = storage.get_all_trials(theirs._study_id, states=(TrialState.RUNNING,))
    assert [trial.number for trial in found] == [2]


def test_a_reader_may_change_what_it_got(store: Store, study: StudyInfo) -> None:
    theirs = sundry(store, study)
    first = as_rows(store, theirs._study_id, set(), -1)
    kept = copy.deepcopy(first)
    first[0].user_attrs.clear()
    first[0].distributions.clear()
    first[0].intermediate_values.clear()
    assert comparable(as_rows(store, theirs._study_id, set(), -1)) == comparable(kept)


def test_no_such_study(store: Store) -> None:
    with pytest.raises(KeyError):
        as_rows(store, 77, set(), -1)


def test_studies_are_those_optuna_reads(store: Store, study: StudyInfo) -> None:
    theirs = sundry(store, study)
    theirs.set_user_attr("shown", "as it is")
    theirs._storage.set_study_system_attr(theirs._study_id, "dashboard:note_ver:1", 3)
    optuna.create_study(
        study_name="another", storage=theirs._storage, directions=["minimize", "maximize"]
    )
    by_rows, by_optuna_itself = (
        open_storage(store.database, kind).get_all_studies()
        for kind in (trial_reads.RowStorage, RDBStorage)
    )
    assert [vars(one) for one in by_rows] == [vars(one) for one in by_optuna_itself]
    assert by_rows[-1].directions == [StudyDirection.MINIMIZE, StudyDirection.MAXIMIZE]
