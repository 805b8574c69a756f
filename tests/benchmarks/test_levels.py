"""The table of levels measures what it says: ranges, first losses, defaults beside torch's."""

from __future__ import annotations

import pytest

from ablations import registry
from tests.benchmarks.levels import defaults, draws, rates, rules, untrained, verdicts


def test_every_optimizers_difference_from_torch_is_one_that_is_meant():
    vgg = {"lr": (0.05, 1e-3), "momentum": (0.9, 0), "weight_decay": (5e-4, 0)}
    assert {name: defaults.differing(name) for name in untrained.shipped("optimizer")} == {
        "adam": {},
        "adamw": {},
        "sgd": {"lr": (0.1, 1e-3), "weight_decay": (5e-4, 0)},
        "sgd_momentum": vgg,
        "sgd_nesterov": {**vgg, "nesterov": (True, False)},
        "rmsprop": {"lr": (1e-3, 1e-2)},
    }
    assert defaults.compared("adam")["eps"] == (1e-8, 1e-8)
    assert "| rmsprop | RMSprop | lr **0.001** (0.01) |" in defaults.table(("rmsprop",))


@pytest.mark.parametrize(
    "drawn",
    [one for one in draws.properties() if one.documented[0] in "-0123456789"],
    ids=lambda one: f"{one.level} {one.name}",
)
def test_what_is_drawn_lies_in_the_documented_range_and_fills_it(drawn):
    low, _, high = drawn.documented.partition(" to ")
    found = drawn.measure(drawn.ours, 400 if drawn.name.startswith("turn") else 1000)
    if not high:  # a share
        assert float(found.mean()) == pytest.approx(float(low), abs=0.05)
        return
    width = float(high) - float(low)
    # The ends of rectangles are whole pixels; no other is further off than the eighth of a level.
    beyond = 0.09 * width if "erased" in drawn.name else 0.01 * width
    assert float(low) - beyond <= found.min() < float(low) + 0.02 * width + beyond
    assert float(high) - 0.1 * width < found.max() <= float(high) + beyond


@pytest.mark.parametrize("name", ["constant", "cosine", "one_cycle", "step"])
def test_at_their_defaults_these_schedulers_are_torchs(name):
    words, theirs = rates.TORCH[name]
    ours = rates.rates(registry.find("scheduler", name).function, 6, 10)
    assert ours == pytest.approx(rates.rates(theirs, 6, 10)), words


def test_the_bars_of_a_rate_that_falls_by_half():
    assert rates.shape([1.0] * 12 + [0.45] * 12, places=4) == "██▄▄"


@pytest.mark.long
def test_tables_have_a_row_for_each_level():
    tiny = untrained.measure(20, 1, networks=((11, 1 / 16, 10),))
    text = untrained.render(tiny)
    assert text.count("\n| he |") == 2
    assert text.count("\n| classifier |") == 3
    assert "The signal is lost" in text
    assert "naive" in text.partition("The signal is lost")[2].partition("\n")[0]
    table = verdicts.table()
    for factor in (*registry.FACTORS, *registry.OPTIONAL):
        for name in untrained.shipped(factor):
            assert f"| {factor} | {name} |" in table
    assert "not compared" not in table


def test_the_rules_he_might_have_been_are_trained_side_by_side():
    one = rules.Training(11, 1 / 16, "before", "adam", epochs=1)
    text = rules.table(1, (one,), width=1 / 8, limit=100)
    assert len(text.splitlines()) == 4 + len(rules.RULES)
    first = {
        row.split("|")[1].strip(): float(row.split("|")[2].split()[0])
        for row in text.splitlines()[4:]
    }
    assert max(first, key=lambda rule: first[rule]) == "fan_out in every layer"
