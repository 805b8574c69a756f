"""A specification is read right, or refused with file, line, key and the nearest name."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from ablations import registry
from ablations.errors import InputError
from runner.design import design_of, warnings
from runner.spec import Spec, load_spec
from runner.spec.spec_file import DOptimalDesign, OrthogonalDesign, RegularDesign

from .conftest import PLUGIN, SMALL, Load

SHIPPED = Path(__file__).parents[3] / "ablations"


def with_line(after: str, line: str) -> str:
    """SMALL with a line put in after the line that begins so."""
    lines = SMALL.splitlines()
    at = next(i for i, one in enumerate(lines) if one.strip().startswith(after))
    return "\n".join([*lines[: at + 1], line, *lines[at + 1 :]]) + "\n"


def replaced(old: str, new: str) -> str:
    assert old in SMALL
    return SMALL.replace(old, new)


# -- what is read right ----------------------------------------------------------------------


def test_a_small_file_gets_every_default(load: Load) -> None:
    spec = load(SMALL)
    assert spec.labels == {"optimizer": ("adam", "sgd"), "scheduler": ("constant", "cosine")}
    assert [(level.factor, level.label) for level in spec.fixed] == [
        ("augmentation", "none"), ("init", "he"), ("bn_placement", "before"),
    ]  # fmt: skip
    assert spec.factors[0].levels[0].parameters["lr"] == 1e-3
    assert (spec.profile, spec.replicates, spec.train.epochs) == ("default", 3, 30)
    assert spec.design.kind == "full"
    assert spec.combinations == 4
    assert Path(spec.source).name == "study.yaml"


@pytest.mark.parametrize(
    ("text", "check"),
    [
        (SMALL + "train: {label_smoothing: 5e-2}\n", lambda s: s.train.label_smoothing == 0.05),
        (SMALL + "train: {target: 1}\n", lambda s: s.train.target == 1.0),
        (SMALL + "train: {epochs: 012}\n", lambda s: s.train.epochs == 12),
        (SMALL + "train: {epochs: 0x10}\n", lambda s: s.train.epochs == 16),
        (SMALL + "train:\ndata:\nclaims:\n", lambda s: s.claims == ()),
        (SMALL + "train: {checkpoint_minutes: null}\n",
         lambda s: s.train.checkpoint_minutes is None),
        (SMALL + "data: {limit: 500}\n", lambda s: s.data.limit == 500),
        (replaced("name: small", "name: naïve-Ünïcode_1.2+3"), lambda s: "naïve" in s.name),
        (replaced("[adam, sgd]", "[adam, {sgd: {lr: 5e-1}}]"),
         lambda s: s.factors[0].levels[1].parameters["lr"] == 0.5),
        (replaced("[adam, sgd]", "[adam, {sgd: }, {as: hot, sgd: {lr: 1}}]"),
         lambda s: s.labels["optimizer"] == ("adam", "sgd", "hot")
         and s.factors[0].levels[2].name == "sgd"),
        (with_line("optimizer", "  model.depth: [11, {as: deep, value: 16}]"),
         lambda s: s.labels["model.depth"] == ("11", "deep")
         and s.factors[1].levels[1].parameters == {"value": 16}),
        (with_line("optimizer", "  train.label_smoothing: [0, 0.1]"),
         lambda s: s.labels["train.label_smoothing"] == ("0", "0.1")),
        (with_line("optimizer", "  train.batch_size: [32, 128]"),
         lambda s: s.labels["train.batch_size"] == ("32", "128")),
        (with_line("optimizer", "  train.weight_decay: [null, 0, 5e-4]"),
         lambda s: s.labels["train.weight_decay"] == ("null", "0", "0.0005")),
        (with_line("optimizer", "  averaging: [none, {as: long, ema: {decay: 0.9999}}]"),
         lambda s: s.labels["averaging"] == ("none", "long")
         and s.factors[1].levels[1].parameters == {"decay": 0.9999}),
        (replaced("init: he", "init: he, averaging: ema, loss: {focal: {gamma: 1}}"),
         lambda s: [(one.factor, one.label) for one in s.fixed][3:]
         == [("loss", "focal"), ("averaging", "ema")]),
        (with_line("optimizer", "  mixing: [none, mixup, cutmix]")
         + "exclude: [{mixing: [mixup, cutmix], optimizer: sgd}]\n"
         + "claims: ['mixing: mixup > none by 0.5 | optimizer = adam']\n",
         lambda s: s.claims[0].factor == "mixing" and s.exclude[0].levels[0][0] == "mixing"),
        (with_line("optimizer", "  train.deterministic: [true, false]"),
         lambda s: s.labels["train.deterministic"] == ("true", "false")),
        (with_line("optimizer", "  data.limit: [null, 500]"),
         lambda s: s.labels["data.limit"] == ("null", "500")),
        (with_line("optimizer", "  train.precision: [fp32, bf16]"),
         lambda s: s.labels["train.precision"] == ("fp32", "bf16")),
        (with_line("optimizer", "  data.name: [digits, cifar10]"),
         lambda s: s.labels["data.name"] == ("digits", "cifar10")),
        (SMALL + "exclude:\n  - {scheduler: cosine, optimizer: [adam, sgd, adam]}\n",
         lambda s: s.exclude[0].levels == (("scheduler", ("cosine",)),
                                           ("optimizer", ("adam", "sgd")))),
        (with_line("optimizer", "  model.depth: [11, 16]") + "only: [{model.depth: 11}]\n",
         lambda s: s.only[0].matches({"model.depth": "11"})
         and not s.only[0].matches({"model.depth": "16"})),
        (SMALL + "claims: ['optimizer: sgd > adam by 0.5 | scheduler = cosine']\n",
         lambda s: s.claims[0].margin == 0.5),
        (SMALL + "design: {kind: regular, resolution: 3}\n",
         lambda s: s.design == RegularDesign(kind="regular", resolution=3)),
        (SMALL + "design: {kind: regular, generators: ['B=A']}\n",
         lambda s: s.design.generators == ["B=A"]),
        (SMALL + "design: {kind: d_optimal, runs: 3, order: 1}\n",
         lambda s: s.design == DOptimalDesign(kind="d_optimal", runs=3, order=1)),
        (SMALL + "design: {kind: orthogonal, runs: 4}\n",
         lambda s: s.design == OrthogonalDesign(kind="orthogonal", runs=4)),
        (SMALL + "run: {devices: cpu, slots_per_device: 2}",
         lambda s: (s.run.devices, s.run.slots_per_device) == ("cpu", 2)),
        (SMALL + "backend: {kind: dask, scheduler: 'tcp://h:1'}",
         lambda s: (s.backend.kind, s.backend.scheduler) == ("dask", "tcp://h:1")),
        ("\ufeff" + SMALL, lambda s: s.name == "small"),
        (SMALL.replace("\n", "\r\n"), lambda s: s.combinations == 4),
    ],
)  # fmt: skip
def test_good_files_are_read(load: Load, text: str, check: object) -> None:
    assert check(load(text))  # type: ignore[operator]


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.yaml")), ids=lambda one: one.stem)
@pytest.mark.parametrize("profile", ["cpu", "cuda"])
def test_every_shipped_file_loads_with_every_profile(file: Path, profile: str) -> None:
    has_profiles = "\nprofiles:" in file.read_text()
    spec = load_spec(file, profile if has_profiles else "default", cuda_visible=False)
    assert spec.study.startswith(f"{file.stem}-{profile}-" if has_profiles else f"{file.stem}-")
    assert spec.claims
    first = file.read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=schema.json"


def test_the_five_factor_file_varies_all_five() -> None:
    spec = load_spec(SHIPPED / "five_factor.yaml", "cpu", cuda_visible=False)
    assert set(spec.labels) == {"augmentation", "scheduler", "init", "bn_placement", "optimizer"}
    assert spec.combinations * spec.replicates >= 100
    cuda = load_spec(SHIPPED / "five_factor.yaml", "cuda", cuda_visible=False)
    assert (cuda.data.name, cuda.model.depth, cuda.train.precision) == ("cifar10", 16, "bf16")


# -- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        # sections and keys
        (SMALL + "trian: {epochs: 3}\n", 6, "trian: unknown key; did you mean 'train'?"),
        (SMALL + "train: {epocs: 3}\n", 6, "train.epocs: unknown key; did you mean 'epochs'?"),
        (SMALL + "train:\n  epochs: 3\n  bath_size: 1\n", 8, "did you mean 'batch_size'?"),
        (SMALL + "design: {kind: d_optimal, run: 3}\n", 6, "design.run: unknown key"),
        (SMALL + "design: {runs: 3}\n", 6, "design: unknown design ''"),
        (SMALL + "design: {kind: fraction}\n", 6, "design: unknown design 'fraction'"),
        (SMALL + "design: full\n", 6, "design: 'full': expected a mapping"),
        (SMALL + "design: {kind: regular}\n", 6, "either 'resolution' or 'generators'"),
        (SMALL + "design: {kind: d_optimal}\n", 6, "design.runs: is missing"),
        (SMALL + "data: digits\n", 6, "data: 'digits': expected a mapping"),
        (SMALL + "run: {storage: 'sqlite:///x'}\n", 6, "run.storage: unknown key"),
        (SMALL.replace("name: small\n", ""), 1, "name: is missing"),
        ("name: x\n", 1, "factors: is missing"),
        # types and bounds
        (SMALL + "train: {epochs: '3'}\n", 6, "train.epochs: '3': expected a valid integer"),
        (SMALL + "train: {epochs: 3.0}\n", 6, "train.epochs: 3.0: expected a valid integer"),
        (SMALL + "train: {epochs: true}\n", 6, "train.epochs: True: expected a valid integer"),
        (SMALL + "train: {epochs: 1:30}\n", 6, "train.epochs: '1:30'"),
        (SMALL + "train: {epochs: 0}\n", 6, "epochs: 0: expected at least 1 and at most 100,000"),
        (SMALL + "train: {epochs: 1000000000}\n", 6, "at most 100,000"),
        (SMALL + "train: {batch_size: 1000000000}\n", 6, "at most 1,000,000"),
        (SMALL + "train: {threads: 10000}\n", 6, "at most 1,024"),
        (SMALL + "run: {slots_per_device: 65}\n", 6, "run.slots_per_device: 65: expected at least"),
        (SMALL + "data: {mirror_keeps_labels: true}\n", 6, "is said of image_folder only"),
        (with_line("optimizer", "  data.mirror_keeps_labels: [true, false]"), 4, "unknown factor"),
        (SMALL + "train: {target: nan}\n", 6, "train.target: 'nan': expected a valid number"),
        (SMALL + "train: {deterministic: on}\n", 6, "'on': expected true or false"),
        (SMALL + "train: {deterministic: no}\n", 6, "'no': expected true or false"),
        (SMALL + "train: {precision: fp16}\n", 6, "expected 'fp32', 'tf32' or 'bf16'"),
        (SMALL + "model: {depth: 12}\n", 6, "model.depth: 12: expected 11, 13, 16 or 19"),
        (SMALL + "replicates: 0\n", 6, "replicates: 0"),
        (SMALL + "replicates: 2.5\n", 6, "replicates: 2.5"),
        (SMALL + "train: {epochs: x, batch_size: y}\n", 6, "(1 more after it)"),
        (replaced("name: small", "name: 5"), 1, "name: 5: expected text; quote it"),
        (replaced("name: small", "name: ../x"), 1, "name: '../x' cannot name a folder"),
        (replaced("name: small", "name: a/b"), 1, "cannot name a folder"),
        (replaced("name: small", "name: a\\b"), 1, "cannot name a folder"),
        (replaced("name: small", "name: .hidden"), 1, "cannot name a folder"),
        (replaced("name: small", 'name: "a\\nb"'), 1, "cannot name a folder"),
        (replaced("name: small", "name: " + "x" * 101), 1, "cannot name a folder"),
        (replaced("name: small", "name: ''"), 1, "cannot name a folder"),
        # names of models and data sets
        (SMALL + "model: {name: vg}\n", 6, "model.name: unknown model 'vg'; did you mean 'vgg'?"),
        (SMALL + "data: {name: cifar}\n", 6, "data.name: unknown dataset 'cifar'; did you mean"),
        (SMALL + "data: {parameters: {a: 1}}\n", 6, "data 'digits' takes no parameters"),
        # factors and levels
        (replaced("scheduler: [constant, cosine]", "scheduler: [cosine]"), 4,
         "factors.scheduler: a factor needs two levels or more, found only 'cosine'; put "
         "'scheduler: cosine' under 'fixed'"),
        (replaced("[constant, cosine]", "[]"), 4, "two levels or more, found none"),
        (replaced("[constant, cosine]", "cosine"), 4, "factors.scheduler: 'cosine': expected"),
        (replaced("[constant, cosine]", ""), 4, "factors.scheduler: None: expected a valid list"),
        (replaced("[constant, cosine]", "[cosine, cosine]"), 4,
         "factors.scheduler[1]: level 'cosine' is given twice"),
        (replaced("[constant, cosine]", "[cosine, [step]]"), 4, "a level cannot be a list"),
        (replaced("[constant, cosine]", "[cosine, 3]"), 4, "3 is no name of a level"),
        (replaced("[constant, cosine]", "[cosine, null]"), 4, "None is no name of a level"),
        (replaced("[adam, sgd]", "[adam, sgd_momentun]"), 3, "did you mean 'sgd_momentum'?"),
        (replaced("[adam, sgd]", "[adam, {as: also, adam: {lr: 1e-3}}]"), 3,
         "level 'also' is given twice (as 'adam')"),
        (replaced("[adam, sgd]", "[adam, {adam: {lr: 0.1}}]"), 3,
         "two levels are called 'adam'; give one another name"),
        (replaced("[adam, sgd]", "[adam, {as: adam, sgd: }]"), 3, "two levels are called 'adam'"),
        (replaced("[adam, sgd]", "[adam, {sgd: {lx: 0.1}}]"), 3,
         "factors.optimizer[1].sgd.lx: optimizer 'sgd' has no parameter 'lx'"),
        (replaced("[adam, sgd]", "[adam, {sgd: {lr: '0.1'}}]"), 3, "lr = '0.1'"),
        (replaced("[adam, sgd]", "[adam, {sgd: {lr: true}}]"), 3, "lr = True"),
        (replaced("[adam, sgd]", "[adam, {sgd: {lr: -1}}]"), 3,
         "factors.optimizer[1].sgd.lr: optimizer 'sgd': lr = -1: expected above 0 and at most"),
        (with_line("optimizer", "  train.epochs: [1, 0]"), 4, "0: expected at least 1 and at most"),
        (replaced("[adam, sgd]", "[adam, {sgd: 0.1}]"), 3, "expected parameters such as"),
        (replaced("[adam, sgd]", "[adam, {sgd: {}, adamw: {}}]"), 3, "found sgd, adamw"),
        (replaced("[adam, sgd]", "[adam, {as: x}]"), 3, "expected one level"),
        (replaced("[adam, sgd]", "[adam, {as: 5, sgd: }]"), 3, "5: an alias is text"),
        (replaced("[adam, sgd]", "[adam, {as: ' x', sgd: }]"), 3, "an alias is text"),
        (replaced("[adam, sgd]", '[adam, {as: "a\\eb", sgd: }]'), 3, "holds a control character"),
        (with_line("optimizer", '  model.parameters.kind: [a, "b\\x07"]'), 4,
         "factors.model.parameters.kind[1]: 'b\\x07' holds a control character"),
        (with_line("optimizer", '  model.parameters.kind: [a, "\\u202e"]'), 4, "holds a control"),
        (with_line("optimizer", '  model.parameters.kind: [a, "\\e[31m"]'), 4, "holds a control"),
        (replaced("[adam, sgd]", "[adam, {as: " + "x" * 101 + ", sgd: }]"), 3, "at most 100"),
        (replaced("  optimizer:", "  optimiser:"), 3,
         "factors.optimiser: unknown factor 'optimiser'; did you mean 'optimizer'?"),
        (with_line("optimizer", "  batch_size: [32, 64]"), 4,
         "unknown factor 'batch_size'; did you mean 'train.batch_size'?"),
        (with_line("optimizer", "  weight_decay: [0, 0.1]"), 4, "mean 'train.weight_decay'?"),
        (with_line("optimizer", "  clip: [none, norm]"), 4, "did you mean 'clipping'?"),
        (with_line("optimizer", "  averaging: [none, emma]"), 4,
         "averaging has no level 'emma'; did you mean 'ema'?"),
        (with_line("optimizer", "  averaging: [none, {ema: {decay: 1.0}}]"), 4,
         "averaging 'ema': decay = 1.0: expected above 0 and below 1"),
        (SMALL + "averaging: ema\n", 6, "did you mean 'factors.averaging' or 'fixed.averaging'?"),
        (SMALL + "train: {weight_decay: -1}\n", 6, "expected at least 0"),
        (with_line("optimizer", "  model.dept: [11, 16]"), 4, "did you mean 'model.depth'?"),
        (with_line("optimizer", "  model.depth: [11, 12]"), 4, "factors.model.depth[1]: 12"),
        (with_line("optimizer", "  model.depth: [11, [16]]"), 4, "a level cannot be a list"),
        (with_line("optimizer", "  model.depth: [11, {depth: 16}]"), 4, "{as: NAME, value: ...}"),
        (with_line("optimizer", "  model.depth: [11, {value: [16]}]"), 4, "is a single value"),
        (with_line("optimizer", "  model.depth: [16]"), 4, "set model.depth in its section"),
        (with_line("optimizer", "  train.label_smoothing: [0, 0.0]"), 4, "'0' is given twice"),
        (with_line("optimizer", "  train.label_smoothing: [0, true]"), 4, "True"),
        (with_line("optimizer", "  train.deterministic: [true, 1]"), 4, "1: expected a valid bool"),
        (with_line("optimizer", "  train.batch_size: [64, 64.0]"), 4, "64.0"),
        (with_line("optimizer", "  train.time_limit: [10, 20]"), 4, "does not change what a cell"),
        (with_line("optimizer", "  train.target: [0.5, 0.9]"), 4, "does not change what a cell"),
        (with_line("optimizer", "  data.root: [a, b]"), 4, "does not change what a cell"),
        (with_line("optimizer", "  data.name: [digits, digit]"), 4, "did you mean 'digits'?"),
        (with_line("optimizer", "  model.parameters: [1, 2]"), 4, "unknown factor"),
        (with_line("optimizer", "  model.parameters.x: [1, 1.0]"), 4, "level '1' is given twice"),
        (with_line("optimizer", "  model.parameters.x: [1, true]"), 4, "given twice (as '1')"),
        (with_line("optimizer", "  model.parameters.x: [1, 2]"), 4,
         "factors.model.parameters.x[0]: model 'vgg' takes no parameters"),
        # fixed
        (replaced("init: he, ", ""), 2, "factors: 'init' is neither varied nor fixed; add a line "
         "such as 'init: default' under 'fixed' (levels: default, he,"),
        (replaced("init: he", "inti: he"), 5, "did you mean 'init'?"),
        (replaced("init: he", "init: hee"), 5, "fixed.init: init has no level 'hee'"),
        (replaced("init: he", "init: [he, naive]"), 5, "fixed.init: a level cannot be a list"),
        (replaced("init: he", "init: he, optimizer: adam"), 5,
         "fixed.optimizer: 'optimizer' is under 'factors' as well"),
        (replaced("init: he", "init: he, model.depth: 16"), 5,
         "set it in its section instead: 'model: {depth: ...}'"),
        ("name: x\nfactors: {}\n", 2, "no factor is varied"),
        # predicates and claims
        (SMALL + "exclude: [{optimizer: adm}]\n", 6,
         "exclude[0].optimizer: 'optimizer' has no level 'adm'; did you mean 'adam'?"),
        (SMALL + "exclude: [{optimiser: adam}]\n", 6, "did you mean 'optimizer'?"),
        (SMALL + "exclude: [{init: he}]\n", 6, "'init' is fixed"),
        (SMALL + "exclude: [{}]\n", 6, "exclude[0]: expected levels"),
        (SMALL + "exclude: [adam]\n", 6, "exclude[0]: 'adam': expected a mapping"),
        (SMALL + "only: [{optimizer: []}]\n", 6, "only[0].optimizer: expected at least one level"),
        (SMALL + "claims: ['optimizer: adam > adm']\n", 6,
         "claims[0]: claim 'optimizer: adam > adm': 'optimizer' has no level 'adm'"),
        (SMALL + "claims:\n- 'optimizer: adam > sgd'\n- 'optimizer adam > sgd'\n", 8, "claims[1]"),
        (SMALL + "claims: ['optimizer: adam > sgd', 'optimizer: adam > sgd']\n", 6, "given twice"),
        (SMALL + "claims: ['optimizer: adam > sgd', 'optimizer:  sgd<adam']\n", 6,
         "claims[1]: claim 'optimizer:  sgd<adam' is given twice (as 'optimizer: adam > sgd')"),
        (SMALL + "claims: ['init: he > naive']\n", 6, "'init' is no factor of this study"),
        # plugins
        (SMALL + "plugins: [nothing.py]\n", 6, "plugins[0]: no file"),
        (SMALL + "plugins: [no_such_module_here]\n", 6, "cannot import 'no_such_module_here'"),
        (SMALL + "plugins: plugin.py\n", 6, "plugins: 'plugin.py': expected a valid list"),
        # profiles
        (SMALL + "profiles: [cpu]\n", 6, "profiles: expected a mapping"),
        (SMALL + "profiles: {cpu: 3}\n", 6, "profiles.cpu: expected a mapping"),
        (SMALL + "profiles: {auto: {}}\n", 6, "'auto' is taken"),
        (SMALL + "profiles: {default: {}}\n", 6, "'default' is taken"),
        (SMALL + "profiles:\n  cpu:\n    extends: x.yaml\n", 8, "cannot stand in a profile"),
        (SMALL + "profiles:\n  cpu:\n    train: {epoch: 3}\n", 8,
         "profiles.cpu.train.epoch: unknown key; did you mean 'epochs'?"),
        (SMALL + "profiles:\n  cuda:\n    train: {epoch: 3}\n", 8, "did you mean 'epochs'?"),
        (SMALL + "profiles: {'a/b': {}}\n", 6, "profiles.a/b: profile 'a/b': expected"),
        (SMALL + "profiles:\n  cuda:\n    factors: {optimizer: [adam, adm]}\n", 8,
         "profiles.cuda.factors.optimizer[1]: optimizer has no level 'adm'"),
        (SMALL + "epochs: 5\n", 6, "epochs: unknown key; did you mean 'train.epochs'?"),
        (SMALL + "init: he\n", 6, "did you mean 'factors.init' or 'fixed.init'?"),
        # extends
        (SMALL + "extends: nothing.yaml\n", 6, "extends: there is no file"),
        (SMALL + "extends: [a.yaml]\n", 6, "extends: expected the name of one YAML file"),
        (SMALL + "extends: study.yaml\n", None, "extends itself: study.yaml -> study.yaml"),
        # size
        (with_line("optimizer", "  train.batch_size: [" + ", ".join(map(str, range(1, 1001))) + "]")
         + "replicates: 10000\n", 2, "40,000,000 cells are too many; expected at most 1,000,000"),
    ],
)  # fmt: skip
def test_mistakes_are_refused_with_file_line_and_key(
    load: Load, text: str, line: int | None, says: str
) -> None:
    with pytest.raises(InputError) as refused:
        load(text)
    message = str(refused.value)
    assert says in message
    assert "\n" not in message
    if line is not None:
        assert re.match(rf".*/study\.yaml:{line}: ", message), message


def test_a_whole_missing_factor_names_the_line_to_add(load: Load) -> None:
    with pytest.raises(InputError, match="'augmentation: none' under 'fixed'"):
        load("name: x\nfactors: {optimizer: [adam, sgd]}\n")


# -- profiles --------------------------------------------------------------------------------

PROFILES = (
    SMALL
    + """\
train: {epochs: 9, batch_size: 32}
profiles:
  cpu:
    train: {epochs: 2}
  cuda:
    train: {epochs: 4}
    factors:
      optimizer: [adam, adamw, sgd]
      scheduler: null
    fixed: {scheduler: cosine, init: {naive: {std: 0.02}}}
  big:
"""
)


@pytest.mark.parametrize(
    ("asked", "cuda", "profile", "epochs"),
    [
        ("auto", False, "cpu", 2),
        ("auto", True, "cuda", 4),
        ("cpu", True, "cpu", 2),
        ("cuda", False, "cuda", 4),
        ("big", False, "big", 9),
        ("default", True, "default", 9),
    ],
)
def test_a_profile_is_chosen_and_laid_over(
    load: Load, asked: str, cuda: bool, profile: str, epochs: int
) -> None:
    spec = load(PROFILES, profile=asked, cuda=cuda)
    assert (spec.profile, spec.train.epochs, spec.train.batch_size) == (profile, epochs, 32)
    assert spec.study.startswith(f"small-{profile}-")


def test_a_profile_replaces_moves_and_removes_factors(load: Load) -> None:
    spec = load(PROFILES, profile="cuda")
    assert spec.labels == {"optimizer": ("adam", "adamw", "sgd")}
    fixed = {level.factor: level for level in spec.fixed}
    assert fixed["scheduler"].label == "cosine"
    assert fixed["init"].parameters == {"std": 0.02}
    assert fixed["augmentation"].label == "none"


def test_a_level_is_replaced_as_a_whole(load: Load) -> None:
    text = SMALL.replace("init: he", "init: {naive: {std: 0.1}}") + (
        "profiles: {cpu: {fixed: {init: {he: {}}}}}\n"
    )
    assert next(level for level in load(text).fixed if level.factor == "init").name == "he"


def test_auto_without_a_profile_for_the_machine_uses_the_file_as_it_is(load: Load) -> None:
    assert load(SMALL, cuda=True).profile == "default"


def test_an_unknown_profile_names_the_nearest(load: Load) -> None:
    with pytest.raises(InputError, match="no profile 'cdua'; did you mean 'cuda'"):
        load(PROFILES, profile="cdua")
    with pytest.raises(InputError, match="the file has no profiles"):
        load(SMALL, profile="cuda")


# -- overrides -------------------------------------------------------------------------------


def test_overrides_come_last_and_are_yaml(load: Load) -> None:
    spec = load(
        PROFILES,
        "train.epochs=7",
        "train.label_smoothing=5e-2",
        "factors.optimizer=[adam, {as: hot, sgd: {lr: 0.5}}]",
        "factors.model.depth=[11, 16]",
        "factors.scheduler=null",
        "fixed.scheduler={step: }",
        "claims=['optimizer: adam > hot']",
        "exclude=[{optimizer: hot, model.depth: 16}]",
        "replicates=1",
        "data.limit=null",
        "design={kind: full}",
        profile="cpu",
    )
    assert (spec.train.epochs, spec.train.batch_size, spec.replicates) == (7, 32, 1)
    assert spec.train.label_smoothing == 0.05
    assert spec.labels == {"optimizer": ("adam", "hot"), "model.depth": ("11", "16")}
    assert next(level for level in spec.fixed if level.factor == "scheduler").name == "step"
    assert spec.claims[0].right == "hot"
    assert spec.exclude[0].to_dict() == {"optimizer": ["hot"], "model.depth": ["16"]}


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("train.epocs=2", "--set train.epocs=2: train.epocs: unknown key; did you mean 'epochs'?"),
        ("train.epochs=two", "--set train.epochs=two: train.epochs: 'two'"),
        ("train.epochs", "expected key=value"),
        ("=2", "expected key=value"),
        ("train.=2", "'train.' cannot be set"),
        (".epochs=2", "cannot be set"),
        ("train.epochs=[2", "--set train.epochs=[2: "),
        ("train.epochs=&a 2", "anchor"),
        ("train.epochs.deep=2", "expected a valid integer"),
        ("profiles.cpu.train.epochs=2", "cannot be set"),
        ("extends=x.yaml", "cannot be set"),
        ("optimizer=[adam, sgd]", "optimizer is a factor; set factors.optimizer"),
        ("init=he", "--set init=he: init: unknown key"),
        ("factors.optimizer=[adam, adm]", "factors.optimizer[1]: optimizer has no level 'adm'"),
        ("name=a/b", "--set name=a/b: name: 'a/b' cannot name a folder"),
    ],
)
def test_wrong_overrides_are_refused(load: Load, override: str, says: str) -> None:
    with pytest.raises(InputError) as refused:
        load(PROFILES, override)
    assert says in str(refused.value)


def test_a_mistake_in_another_profile_is_found_with_overrides_too(load: Load) -> None:
    text = SMALL + "profiles:\n  cuda:\n    train: {epoch: 3}\n"
    with pytest.raises(InputError, match=r":8: profiles.cuda.train.epoch: unknown key"):
        load(text, "train.epochs=2")
    # One that an override mends is none: this file has no name of its own.
    assert load(text.replace("name: small\n", "").replace("epoch:", "epochs:"), "name=x")


def test_a_field_that_is_a_factor_cannot_be_set_to_one_value(load: Load) -> None:
    text = with_line("optimizer", "  train.epochs: [1, 2]")
    with pytest.raises(InputError, match=r"train.epochs is a factor; set factors.train.epochs"):
        load(text, "train.epochs=3")


# -- extends ---------------------------------------------------------------------------------


def test_a_file_builds_on_another(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "one.yaml").write_text(
        PROFILES + "plugins: [own.py]\ndata: {root: images}\ndesign: {kind: d_optimal, runs: 3, "
        "order: 1}\n"
    )
    (tmp_path / "base" / "own.py").write_text("")
    (tmp_path / "two.yaml").write_text("extends: base/one.yaml\ntrain: {batch_size: 64}\n")
    three = tmp_path / "three.yaml"
    three.write_text(
        "extends: two.yaml\nname: third\ndesign: {runs: 4}\n"
        "profiles: {cpu: {factors: {scheduler: null}, fixed: {scheduler: step}}}\n"
    )
    spec = load_spec(three, cuda_visible=False)
    assert (spec.name, spec.train.epochs, spec.train.batch_size) == ("third", 2, 64)
    assert spec.labels == {"optimizer": ("adam", "sgd")}
    assert spec.design == DOptimalDesign(kind="d_optimal", runs=4, order=1)
    assert spec.plugins == (str(tmp_path / "base" / "own.py"),), "relative to where it stands"
    assert spec.data.root == str(tmp_path / "base" / "images")
    three.write_text("extends: two.yaml\nname: third\ndesign: {kind: full}\n")
    assert load_spec(three, cuda_visible=False).design.kind == "full"


def test_a_section_with_nothing_in_it_leaves_the_one_it_builds_on(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(PROFILES + "claims: ['optimizer: adam > sgd']\n")
    child = tmp_path / "child.yaml"
    child.write_text("extends: base.yaml\ntrain:\nclaims:\nprofiles: {cpu: , cuda: {train: }}\n")
    assert load_spec(child, cuda_visible=False).train.epochs == 2
    assert load_spec(child, cuda_visible=True).train.batch_size == 32
    assert load_spec(child, cuda_visible=False).claims
    assert load_spec(child, overrides=["claims=null"], cuda_visible=False).claims == ()


def test_errors_name_the_file_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(SMALL + "train: {epochs: x}\n")
    child = tmp_path / "child.yaml"
    child.write_text("extends: base.yaml\nname: child\n")
    with pytest.raises(InputError, match=r"base\.yaml:6: train\.epochs"):
        load_spec(child, cuda_visible=False)


def test_files_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("extends: b.yaml\n")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\n")
    with pytest.raises(InputError, match=r"extends itself: a.yaml -> b.yaml -> a.yaml"):
        load_spec(tmp_path / "a.yaml", cuda_visible=False)


# -- plugins and paths -----------------------------------------------------------------------


def test_a_plugins_level_model_and_data_set_are_found(load: Load) -> None:
    text = replaced("[adam, sgd]", "[adam, {lookahead: {lr: 1, betas: [0, 0.5]}}]") + (
        f"plugins: ['{PLUGIN}']\nmodel: {{name: tiny}}\ndata: {{name: blobs, parameters: "
        "{classes: 3}}\n"
    )
    spec = load(text.replace("init: he", "init: {sparse: {share: 0.5}}"))
    level = spec.factors[0].levels[1]
    assert level.parameters == {"lr": 1.0, "steps": 5, "betas": (0.0, 0.5)}
    assert spec.model.parameters == {"blocks": 2}, "defaults belong to a cell's identity"
    assert spec.data.parameters == {"classes": 3}
    assert spec.plugins == (str(PLUGIN),)
    with pytest.raises(InputError, match="needs a value for 'share'"):
        load(text.replace("init: he", "init: sparse"))
    with pytest.raises(
        InputError, match=r"model.parameters: model 'tiny' has no parameter 'bloks'"
    ):
        load(text.replace("{name: tiny}", "{name: tiny, parameters: {bloks: 1}}"))
    varied = text.replace("factors:\n", "factors:\n  model.parameters.blocks: [1, 2]\n")
    assert load(varied).labels["model.parameters.blocks"] == ("1", "2")
    with pytest.raises(InputError, match=r"blocks\[1\]: model 'tiny': blocks = 'two'"):
        load(varied.replace("[1, 2]", "[1, two]"))


def test_a_plugin_cannot_take_a_built_in_name(load: Load, tmp_path: Path) -> None:
    for decorator, name in (("model", "vgg"), ("dataset", "digits")):
        (tmp_path / f"{name}.py").write_text(
            f"from ablations import registry\n@registry.{decorator}()\ndef {name}(): ...\n"
        )
        with pytest.raises(InputError, match=rf":6: plugins: .*{name}.*built-in one; rename it"):
            load(SMALL + f"plugins: [{name}.py]\n")
        del registry._registered[decorator, name]


def test_a_plugin_that_breaks_is_named(load: Load, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    with pytest.raises(InputError, match=r"plugins\[0\]: .*broken.py:1: ZeroDivisionError"):
        load(SMALL + "plugins: [broken.py]\n")


def test_paths_on_the_command_line_are_relative_to_the_folder_one_is_in(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    spec = load(SMALL, "data.name=image_folder", "data.root=photos")
    assert spec.data.root == str(elsewhere / "photos")
    spec = load(SMALL + "data: {root: photos}\n")
    assert spec.data.root == str(tmp_path / "photos")
    monkeypatch.setenv("HOME", "/home/someone")
    assert load(SMALL, "data.root=~/photos").data.root == "/home/someone/photos"


def test_a_relative_file_is_found_and_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a b.yaml").write_text(SMALL)
    monkeypatch.chdir(tmp_path)
    spec: Spec = load_spec("a b.yaml", cuda_visible=False)
    assert spec.source == os.path.join(tmp_path, "a b.yaml")


# -- what a plugin's model changes -------------------------------------------------------------

WITH_TINY = SMALL + f"plugins: ['{PLUGIN}']\nmodel: {{name: tiny}}\n"


def test_a_plugins_model_keeps_its_weights_where_the_file_says_nothing_of_them(load: Load) -> None:
    silent = WITH_TINY.replace("init: he, ", "")
    assert {one.factor: one.name for one in load(silent).fixed}["init"] == "keep"
    assert {one.factor: one.name for one in load(WITH_TINY).fixed}["init"] == "he"
    varied = silent.replace("factors:\n", "factors:\n  init: [he, keep]\n")
    assert "init" not in {one.factor for one in load(varied).fixed}
    for built_in in (
        SMALL.replace("init: he, ", ""),
        silent.replace("factors:\n", "factors:\n  model.name: [tiny, vgg]\n"),
    ):
        with pytest.raises(InputError, match="'init' is neither varied nor fixed"):
            load(built_in)


def test_an_init_left_out_is_the_cell_that_writes_keep(load: Load) -> None:
    silent = load(WITH_TINY.replace("init: he, ", ""))
    written = load(WITH_TINY.replace("init: he", "init: keep"))
    assert silent.fixed == written.fixed
    assert silent.study == written.study


@pytest.mark.parametrize(
    ("field", "levels"), [("depth", "[11, 16]"), ("width", "[0.5, 1]"), ("dropout", "[0, 0.5]")]
)
def test_a_field_that_only_the_built_in_network_reads_is_no_factor_of_a_plugins_model(
    load: Load, field: str, levels: str
) -> None:
    text = WITH_TINY.replace("factors:\n", f"factors:\n  model.{field}: {levels}\n")
    says = rf":3: factors\.model\.{field}: changes nothing: only vgg reads it.*'tiny'"
    with pytest.raises(InputError, match=says):
        load(text)
    both = text.replace("factors:\n", "factors:\n  model.name: [tiny, vgg]\n")
    assert f"model.{field}" in load(both).labels


def test_a_size_is_for_image_folders_and_large_enough_for_the_network(load: Load) -> None:
    folder = SMALL + "data: {name: image_folder, root: photos, size: 64}\n"
    assert load(folder).data.side == 64
    assert load(folder.replace("64", "32")).study == load(folder.replace(", size: 64", "")).study
    assert load(folder).study != load(folder.replace(", size: 64", "")).study
    with pytest.raises(InputError, match=r":6: data\.size: is said of image_folder only; .*'digit"):
        load(SMALL + "data: {size: 64}\n")
    with pytest.raises(InputError, match=r"data\.size: 16: vgg halves images five times"):
        load(folder.replace("64", "16"))
    varied = folder.replace("factors:\n", "factors:\n  data.size: [32, 64]\n")
    assert load(varied).labels["data.size"] == ("32", "64")
    with pytest.raises(InputError, match=r"factors\.data\.size\[0\]: 16: vgg"):
        load(varied.replace("[32, 64]", "[16, 64]"))


PLANNED = (
    SMALL
    + """\
profiles:
  quick:
    claims: ["optimizer: adam > sgd", "scheduler: constant < cosine | optimizer != sgd"]
"""
)


def test_a_setting_that_takes_a_level_away_takes_the_claims_that_name_it(load: Load) -> None:
    spec = load(PLANNED, "factors.optimizer=[adam, adamw]", profile="quick")
    assert spec.claims == ()
    assert spec.left_out == tuple(
        f"claim '{text}' is left out: a setting (--set) took away what it names"
        for text in (
            "optimizer: adam > sgd",
            "scheduler: constant < cosine | optimizer != sgd",
        )
    )
    fewer = load(PLANNED, "factors.scheduler=[constant, step]", profile="quick")
    assert [claim.text for claim in fewer.claims] == ["optimizer: adam > sgd"]
    assert warnings(design_of(fewer)) == fewer.left_out
    assert load(PLANNED, profile="quick").left_out == ()


@pytest.mark.parametrize(
    ("setting", "claim"),
    [
        ("factors.optimizer=[adam, adamw]", "optimizer: adam > sdg"),  # the file never had it
        ("claims=['optimizer: adam > adamw']", "optimizer: adam > sgd"),  # the setting's own
    ],
)
def test_a_claim_that_the_file_never_bore_out_is_still_refused(
    load: Load, setting: str, claim: str
) -> None:
    with pytest.raises(InputError, match="has no level"):
        load(f"{SMALL}claims: ['{claim}']\n", setting)
