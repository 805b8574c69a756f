"""Factors that a file may leave out: where they cannot act the plan says so, with what to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from ablations import registry
from ablations.errors import InputError
from runner.design import Design, design_of, warnings
from runner.spec import load_spec

FILE = """\
name: small
data: {name: digits}
model: {depth: 11, width: 0.125}
train: {epochs: 6, batch_size: 64}
factors:
  init: [he, xavier]
fixed: {augmentation: none, scheduler: constant, bn_placement: before, optimizer: adam}
replicates: 2
"""


def planned(folder: Path, *settings: str) -> Design:
    file = folder / "study.yaml"
    file.write_text(FILE)
    return design_of(load_spec(file, "default", settings, cuda_visible=False))


HINGE = "factors.loss=[cross_entropy, hinge]"


@pytest.mark.parametrize(
    ("settings", "place", "sentence"),
    [
        (
            (HINGE, "factors.mixing=[none, mixup]"),
            "factors.mixing[1]",
            "loss 'hinge' takes hard labels only, and mixing 'mixup' makes shares of two classes "
            "of them; 'exclude: [{loss: hinge, mixing: mixup}]' keeps them apart",
        ),
        (
            ("fixed.loss=hinge", "fixed.mixing={cutmix: {share: 0.5}}"),
            "fixed.mixing",
            "loss 'hinge' takes hard labels only, and mixing 'cutmix' makes shares of two classes "
            "of them; take one of the two out",
        ),
        (
            (HINGE, "train.label_smoothing=0.1"),
            "train.label_smoothing",
            "loss 'hinge' takes hard labels only: label smoothing (0.1) changes nothing of it; "
            "take one of the two out",
        ),
        (
            (HINGE, "factors.train.label_smoothing=[0, 0.1]"),
            "factors.train.label_smoothing",
            "'exclude: [{loss: hinge, train.label_smoothing: 0.1}]' keeps them apart",
        ),
        (
            ("fixed.mixing=mixup", "train.batch_size=1"),
            "fixed.mixing",
            "mixing 'mixup' needs two images, and a batch has one; raise train.batch_size",
        ),
        (
            ("factors.averaging=[none, swa]", "train.epochs=4"),
            "factors.averaging[1]",
            "averaging 'swa' begins with epoch 4 of 4: no two epochs to average; give it an "
            "earlier start or the cell more epochs",
        ),
        (
            ("factors.warmup=[none, {as: brief, linear: {share: 0.005}}]",),
            "factors.warmup[1]",
            "warmup 'brief' is over before the first of 120 steps: it changes nothing; give it a "
            "larger share",
        ),
        (
            ("fixed.optimizer={as: mine, adam: {weight_decay: 0.1}}", "train.weight_decay=0.2"),
            "train.weight_decay",
            "takes the place of the weight_decay 0.1 that optimizer 'mine' says, in every cell; "
            "say it in one of the two places",
        ),
    ],
)
def test_what_cannot_act_is_refused_with_what_to_write(tmp_path, settings, place, sentence):
    with pytest.raises(InputError) as refused:
        planned(tmp_path, *settings)
    assert f": {place}: " in str(refused.value)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    "settings",
    [
        (HINGE, "factors.mixing=[none, mixup]", "exclude=[{loss: hinge, mixing: mixup}]"),
        (HINGE, "factors.mixing=[none, mixup]", "only=[{loss: cross_entropy}, {mixing: none}]"),
        (
            HINGE,
            "factors.train.label_smoothing=[0, 0.1]",
            "exclude=[{loss: hinge, train.label_smoothing: 0.1}]",
        ),
        ("factors.averaging=[none, {swa: {start: 0.5}}]", "train.epochs=4"),
        ("factors.warmup=[none, {linear: {share: 0.02}}]",),
        (
            "fixed.optimizer={adam: {weight_decay: 0.1}}",
            "factors.train.weight_decay=[null, 0.2]",
        ),
        ("factors.train.weight_decay=[0, 0.2]",),
        ("fixed.mixing=none", "train.batch_size=1"),
        ("factors.train.batch_size=[32, 64]",),
    ],
)
def test_what_can_act_is_planned(tmp_path, settings):
    assert planned(tmp_path, *settings).cells


def test_a_plugins_optimizer_without_decay_has_none_to_set(tmp_path):
    @registry.level("optimizer", "without_decay")
    def without_decay(parameters, *, lr: float = 0.1):
        """No decay."""

    with pytest.raises(InputError, match="has no parameter weight_decay that this could set"):
        planned(tmp_path, "fixed.optimizer=without_decay", "train.weight_decay=0.1")


@pytest.mark.parametrize(
    ("settings", "note"),
    [
        (
            (
                "factors.scheduler=[constant, one_cycle, cyclic]",
                "fixed.scheduler=null",
                "factors.warmup=[none, linear]",
            ),
            "warmup linear comes on top of scheduler one_cycle and cyclic, whose rate begins low "
            "and rises anyway; 'exclude: [{scheduler: [one_cycle, cyclic], warmup: linear}]' keeps "
            "them apart",
        ),
        (
            ("fixed.scheduler=one_cycle", "fixed.warmup=linear"),
            "warmup linear comes on top of scheduler one_cycle, whose rate begins low and rises "
            "anyway; take one of the two out",
        ),
        (
            ("fixed.averaging=ema",),
            "averaging 'ema' remembers about 1,000 steps and a cell takes 120: the first count "
            "nearly as much as the last; a decay of 0.92 remembers a tenth of them",
        ),
        (
            (HINGE,),
            "losses of validation and test images are cross-entropy under every level of loss, so "
            "that they compare; those of training images are the level's own",
        ),
    ],
)
def test_what_is_hardly_meant_is_a_note(tmp_path, settings, note):
    assert warnings(planned(tmp_path, *settings)) == (note,)


@pytest.mark.parametrize(
    "settings",
    [
        (),
        ("fixed.loss=cross_entropy", "fixed.mixing=none", "fixed.warmup=none"),
        ("fixed.averaging={ema: {decay: 0.9}}", "fixed.clipping=norm"),
        ("fixed.averaging=ema", "train.epochs=100"),
        ("fixed.warmup=linear",),
    ],
)
def test_nothing_is_said_where_there_is_nothing_to_say(tmp_path, settings):
    assert warnings(planned(tmp_path, *settings)) == ()


def test_of_images_nobody_has_counted_steps_are_not_spoken(tmp_path):
    folder = tmp_path / "images"
    for split in ("train", "test"):
        for label in ("a", "b"):
            (folder / split / label).mkdir(parents=True)
            (folder / split / label / "1.png").write_bytes(b"x")
    settings = ("data.name=image_folder", f"data.root={folder}", "fixed.averaging=ema")
    assert warnings(planned(tmp_path, *settings, "fixed.warmup={linear: {share: 1e-9}}")) == ()
