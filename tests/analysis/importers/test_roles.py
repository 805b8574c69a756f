"""Which parameter is a factor, which the replicate, and what is said of the others."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from ablations.errors import InputError
from analysis.importers.making import Said, study_of
from analysis.importers.runs import Run, Runs
from analysis.study import Study


def grid(**levels: list[Any]) -> list[dict[str, Any]]:
    return [dict(zip(levels, row, strict=True)) for row in itertools.product(*levels.values())]


def made(params: list[dict[str, Any]], ended: dict[int, str] | None = None, **said: Any) -> Study:
    """A study of runs with these parameters, all of them with a result but those that ended so."""
    runs = tuple(
        Run(f"run {k}", one, {"acc": 0.5 + 0.01 * (k * k % 7)}, (ended or {}).get(k, "finished"))
        for k, one in enumerate(params)
    )
    return study_of(Runs("the sweep", "sweep", "run", runs), Said(**said))


def notes(study: Study) -> str:
    assert study.checked is not None
    return "\n".join(study.checked.notes)


def test_constants_seeds_and_names_are_no_factors() -> None:
    params = [
        {**one, "epochs": 20, "out": f"runs/{k}", "job": k, "started": f"12:0{k}"}
        for k, one in enumerate(grid(lr=[0.1, 0.01], opt=["sgd", "adam"], seed=[0, 1]))
    ]
    study = made(params)
    assert study.factors == {"lr": ("0.01", "0.1"), "opt": ("sgd", "adam")}
    assert study.replicate == "seed"
    assert "constant: epochs = 20" in notes(study)
    assert "taken as names of runs, not as factors: out, job and started" in notes(study)


def test_a_searched_number_is_refused_with_what_to_say() -> None:
    rng = np.random.default_rng(0)
    params = [{**one, "lr": rng.uniform()} for one in grid(opt=["a", "b"], depth=[1, 2], x=[1, 1])]
    with pytest.raises(InputError) as refused:
        made(params)
    assert str(refused.value) == (
        "the sweep: lr has 8 values in 8 runs, which were searched and are no levels: cut it with "
        "--bins lr=3, or leave it out and name the others: --factors opt depth (--factors lr ... "
        "takes each value as a level)"
    )
    study = made(params, factors=["opt", "depth"])
    assert list(study.factors) == ["opt", "depth"]
    assert "lr varied too: what is said is averaged over that" in notes(study)


def test_bins_have_as_many_runs_each_and_the_values_they_hold_for_names() -> None:
    params = [
        {"lr": value, "opt": o} for value in (1e-4, 2e-4, 1e-3, 2e-3, 0.01, 0.02) for o in "ab"
    ]
    study = made(params, bins={"lr": 3})
    assert study.factors["lr"] == ("0.0001 to 0.0002", "0.001 to 0.002", "0.01 to 0.02")
    assert study.factors["opt"] == ("a", "b")
    assert study.frame["lr"].value_counts().tolist() == [4, 4, 4]
    at_edges = made(params, bins={"lr": [0.005]})
    assert at_edges.factors["lr"] == ("0.0001 to 0.002", "0.01 to 0.02")
    for bins, why in (
        ({"lr": [5.0]}, "are in one bin"),
        ({"opt": 2}, "not a number in every run"),
        ({"lrs": 2}, "did you mean 'lr'"),
        ({"lr": 1}, "expected two or more"),
    ):
        with pytest.raises(InputError, match=why):
            made(params, bins=bins)


def test_the_name_of_a_combination_is_no_factor() -> None:
    named = [
        {"exp": f"{one['opt']}_{one['lr']}", **one}
        for one in grid(lr=[0.1, 0.01, 0.001], opt=["sgd", "adam"], seed=[0, 1])
    ]
    assert list(made(named).factors) == ["lr", "opt"]
    assert "names of runs, not as factors: exp" in notes(made(named[:-2]))  # one never ran
    assert list(made(named[:-2]).factors) == ["lr", "opt"]


def test_what_another_parameter_settles_is_said_to_go_with_it() -> None:
    depth = {"small": 11, "large": 19, "wide": 11}
    params = [
        {**one, "depth": depth[one["model"]]}
        for one in grid(model=list(depth), lr=[0.1, 0.01], seed=[0, 1])
    ]
    study = made(params)
    assert list(study.factors) == ["model", "lr"]
    assert "depth has one value for each model: the two cannot be told apart" in notes(study)


def test_a_parameter_that_only_some_runs_have_is_refused() -> None:
    params: list[dict[str, Any]] = [
        *grid(opt=["sgd"], momentum=[0.0, 0.9], seed=[0, 1]),
        *grid(opt=["adam"], seed=[0, 1]),
    ]
    with pytest.raises(InputError) as refused:
        made(params)
    assert str(refused.value) == (
        "the sweep: momentum is set in 4 of 6 runs only, those with opt = sgd: a factor has a "
        "level in every run; leave it out (--factors opt) or look at those alone (--only opt=sgd)"
    )
    assert list(made(params, factors=["opt"]).factors) == ["opt"]
    among = made(params, only={"opt": "sgd"})
    assert among.factors == {"momentum": ("0.0", "0.9")}
    assert len(among.frame) == 4
    with pytest.raises(InputError, match=r"momentum is set in 4 of 6 runs only"):
        made(params, factors=["opt", "momentum"])


def test_a_search_below_a_choice_is_looked_at_where_it_was_made() -> None:
    """As in Optuna's tutorial: each classifier has a parameter of its own."""
    params: list[dict[str, Any]] = [{"kind": "svc", "c": 0.1 * k} for k in range(1, 9)]
    params += [{"kind": "forest", "depth": k * k} for k in range(1, 9)]
    with pytest.raises(InputError, match=r"c is set in 8 of 16 runs only, those with kind = svc: "):
        made(params)
    among = made(params, only={"kind": "svc"}, bins={"c": 2})
    assert among.factors == {"c": ("0.1 to 0.4", "0.5 to 0.8")}


def test_one_value_where_there_is_any_goes_with_what_decides_that() -> None:
    params = grid(opt=["sgd", "adam"], lr=[0.1, 0.01], seed=[0, 1])
    params = [{**one, "eps": 1e-8} if one["opt"] == "adam" else one for one in params]
    study = made(params)
    assert list(study.factors) == ["opt", "lr"]
    assert "eps has one value for each opt" in notes(study)


def test_seeds() -> None:
    apart = made([{**one, "seed": k} for k, one in enumerate(grid(a=[1, 2], b=[1, 1, 1]))])
    assert apart.replicate is None
    assert "seed differs in every run: no runs share a seed" in notes(apart)
    two = grid(a=[1, 2], seed=[0, 1], data_seed=[0, 1])
    with pytest.raises(InputError, match="say which of them is the replicate with --block seed"):
        made(two)
    assert made(two, replicate="data_seed").replicate == "data_seed"
    assert made(two, replicate="data_seed").factors.keys() == {"a"}
    assert made(grid(a=[1, 2], seed=[0, 1, 2]), factors=["seed"]).factors.keys() == {"seed"}


def test_a_run_again_is_counted_once() -> None:
    params = grid(a=[1, 2], seed=[0, 1, 2])
    runs = [Run(str(k), one, {"acc": k * k / 10}) for k, one in enumerate(params)]
    study = study_of(Runs("the sweep", "s", "run", (*runs, runs[0])), {})
    assert len(study.frame) == 6
    assert "1 run repeats another, seed and result: counted once" in notes(study)


def test_levels_are_text_as_people_write_them() -> None:
    params = grid(bn=[True, None], sizes=[[64, 64], [128]], width=[1.0, 2.0], note=["", "x"])
    study = made(params)
    assert study.factors == {
        "bn": ("True", "None"),
        "sizes": ("[64, 64]", "[128]"),
        "width": ("1", "2"),
        "note": ("''", "x"),
    }


def test_lost_runs_are_counted_and_running_ones_left_out() -> None:
    params = grid(a=[1, 2], b=["x", "y"], seed=[0, 1, 2])
    study = made(params, {0: "failed", 4: "pruned", 5: "pruned", 11: "running"})
    said = notes(study)
    assert "of 12 runs 1 is still running: not counted here" in said
    assert "of 11 runs 1 failed and 2 were pruned: counted as lost" in said
    assert "pruning ends the worse runs" in said
    assert "3 of 11 runs have no acc" in said
    missing = study.missing()
    assert (missing.planned, missing.lost) == (11, 3)
    assert missing.reasons.set_index("reason")["runs"].to_dict() == {"failed": 1, "pruned": 2}


def test_a_run_that_failed_before_all_was_set_has_no_combination() -> None:
    params = [*grid(a=[1, 2], b=["x", "y"]), {"a": 1}]
    study = made(params, {4: "failed"})
    assert len(study.frame) == 4
    assert "1 run ended before every parameter was set: of no combination" in notes(study)


def test_a_result_that_is_no_number_is_lost() -> None:
    params = grid(a=[1, 2], seed=[0, 1, 2])
    values = [0.1, float("nan"), 0.3, float("inf"), 0.5, 0.6]
    runs = [Run("", one, {"loss": x}) for one, x in zip(params, values, strict=True)]
    study = study_of(Runs("the sweep", "s", "run", tuple(runs)), {})
    assert "loss is no finite number in 2 of 6 runs: counted as lost" in notes(study)
    assert study.missing().lost == 2
    assert study.measure.better == "lower"


def test_a_metric_called_like_a_parameter_is_told_apart() -> None:
    params = grid(lr=[0.1, 0.01], seed=[0, 1])
    runs = [Run("", one, {"lr": 0.001 * k, "epoch": 9.0}) for k, one in enumerate(params)]
    study = study_of(Runs("the sweep", "s", "run", tuple(runs)), {})
    assert study.response == "lr (metric)"
    assert study.factors == {"lr": ("0.01", "0.1")}


@pytest.mark.parametrize(
    ("params", "said", "why"),
    [
        ([], {}, "the sweep has no runs"),
        ([{"a": 1}], {}, "the sweep has one run with a result: nothing to compare"),
        ([{"a": 1}, {"a": 1}], {}, "no parameter varies, so there is no factor"),
        (grid(a=[1], seed=[0, 0, 1, 1]), {}, "no parameter varies but the replicate, seed"),
        (grid(opt=["a", "b", "c"]), {}, "to take opt as one, say --factors opt"),
        (grid(a=[1, 2]), {"factors": ["b"]}, "no parameter 'b': expected one of a"),
        (grid(a=[1, 2]), {"replicate": "seed"}, "no parameter 'seed'"),
        (grid(a=[1, 2]), {"response": "accc"}, "no metric 'accc': did you mean 'acc'"),
        (grid(a=[1, 2]), {"only": {"a": 3}}, "no run with a = 3: expected one of 1, 2"),
    ],
)
def test_what_cannot_be_used_is_said(params: Any, said: Any, why: str) -> None:
    with pytest.raises(InputError) as refused:
        made(params, **said)
    assert why in str(refused.value)


def test_of_several_metrics_one_must_be_named() -> None:
    runs = tuple(Run("", {"a": k % 2}, {"loss": k, "acc": -k, "epoch": 1}) for k in range(4))
    with pytest.raises(InputError, match=r"has 2 metrics: .* --response NAME, one of loss, acc"):
        study_of(Runs("the sweep", "s", "run", runs), {})
    assert study_of(Runs("the sweep", "s", "run", runs), {"response": "epoch"}).response == "epoch"
    none = tuple(Run("", {"a": k}, {}) for k in range(4))
    with pytest.raises(InputError, match="has no metric: no run has a number as a result"):
        study_of(Runs("the sweep", "s", "run", none), {})


def test_the_same_runs_in_another_order_have_the_same_roles() -> None:
    params = [
        {**one, "exp": f"{one['opt']}-{one['lr']}"}
        for one in grid(lr=[0.1, 0.01], opt=["sgd", "adam"], seed=[0, 1, 2])
    ]
    order = np.random.default_rng(0).permutation(len(params))
    first, second = made(params), made([params[k] for k in order])
    assert first.factors.keys() == second.factors.keys()
    assert (first.replicate, second.replicate) == ("seed", "seed")


def test_an_argument_that_there_is_not() -> None:
    with pytest.raises(TypeError, match="unexpected argument 'factor': did you mean 'factors'"):
        made(grid(a=[1, 2]), factor=["a"])
