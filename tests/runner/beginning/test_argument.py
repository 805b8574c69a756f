"""What a name tells of an argument."""

from __future__ import annotations

import pytest

from runner.beginning.argument import Argument, with_seen_choices


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("seed", "seed"), ("random_state", "seed"), ("data_seed", "seed"),
        ("out", "folder"), ("output_dir", "folder"), ("save-dir", "folder"), ("logdir", "folder"),
        ("hydra.run.dir", "folder"), ("device", "device"), ("resume_from_checkpoint", "resume"),
        ("lr", "other"), ("data_dir", "other"), ("seeds_of_grass", "other"),
    ],
)  # fmt: skip
def test_a_role_is_told_by_the_whole_name(name, role):
    assert Argument(name, f"--{name}").role == role


@pytest.mark.parametrize(
    ("argument", "levels"),
    [
        (Argument("lr", "--lr", "number", 0.3), (0.3, 0.03)),
        (Argument("momentum", "--momentum", "number", 0.0), (0.0, 0.9)),
        (Argument("dropout", "--dropout", "number", 0.2), (0.2, 0.0)),
        (Argument("depth", "--depth", "integer", 3), (3, 6)),
        (Argument("depth", "--depth", "integer", None), ()),
        (Argument("mixup", "--mixup", "flag", False), (True, False)),
        (Argument("norm", "--norm", choices=("batch", "group"), default="group"),
         ("group", "batch")),
        (Argument("norm", "--norm", choices=tuple("abcdefgh")), tuple("abcdef")),
    ],
)  # fmt: skip
def test_levels_begin_with_the_default(argument, levels):
    assert argument.levels == levels


def test_the_usual_questions_come_first_and_bookkeeping_never():
    arguments = [
        Argument("epochs", "--epochs", "integer", 10),
        Argument("zeta", "--zeta", "number", 1.0),
        Argument("log_interval", "--log-interval", "integer", 10),
        Argument("loss", "--loss", choices=("mse", "mae")),
        Argument("no_cuda", "--no-cuda", "flag", False),
        Argument("optim.lr", "optim.lr", "number", 0.1),
    ]
    ranked = sorted((one.telling, one.name) for one in arguments if one.telling is not None)
    assert [name for _, name in ranked] == ["optim.lr", "loss", "zeta"]
    assert [one.name for one in arguments if one.matters] == ["epochs", "zeta", "optim.lr"]


def test_a_text_takes_the_choices_that_the_source_tells_apart_and_its_default():
    (one,) = with_seen_choices([Argument("opt", "--opt", default="adam")], {"opt": ("sgd",)})
    assert (one.choices, one.seen_choices) == (("adam", "sgd"), True)
