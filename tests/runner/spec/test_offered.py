"""Levels and models that an installed distribution offers by entry points."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from ablations import registry
from ablations.errors import InputError
from ablations.plugins.offered import offered
from ablations.registry import CONFINED_TO
from runner.content.cell import Cell
from runner.design import design_of
from runner.spec import Spec, load_spec

LEVELS = """
from ablations.registry import level, model

@level("optimizer", "NAME")
def _own(parameters, *, lr: float = 0.1):
    "An optimizer of somebody's."
    from torch.optim import SGD
    return SGD(parameters, lr=lr)

@model("NAME_net")
def _net(classes, block):
    raise NotImplementedError
"""
FILE = """
name: offered
factors: {optimizer: [adam, {NAME: {lr: 0.5}}], init: [he, naive]}
fixed: {augmentation: none, scheduler: constant, bn_placement: none}
data: {name: digits}
replicates: 1
"""


NUMBERS = count()


class Installed:
    """A distribution in a folder of the path, with one module of levels."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name, self.module = folder, name, f"{name}_levels"
        self.info = folder / f"{name}_levels-1.2.dist-info"
        self.info.mkdir(parents=True)
        (folder / f"{self.module}.py").write_text(LEVELS.replace("NAME", name))
        self.offer(f"optimizer.{name}", f"model.{name}_net")
        self.release("1.2")

    def offer(self, *names: str) -> None:
        lines = [f"{name} = {self.module}" for name in names]
        (self.info / "entry_points.txt").write_text("\n".join(["[ablations]", *lines]))
        forget()

    def release(self, version: str) -> None:
        words = f"Metadata-Version: 2.1\nName: {self.name}-levels\nVersion: {version}\n"
        (self.info / "METADATA").write_text(words)
        forget()


def forget() -> None:
    importlib.invalidate_caches()
    offered.__globals__["_offers"].cache_clear()


@pytest.fixture
def lion(tmp_path, monkeypatch) -> Iterator[Installed]:
    name = f"own{next(NUMBERS)}"  # a module is imported once a process
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    made = Installed(tmp_path / "site", name)
    (tmp_path / "file.yaml").write_text(FILE.replace("NAME", name))
    yield made
    sys.modules.pop(made.module, None)
    forget()


@pytest.fixture
def read(tmp_path, lion):
    def load(*settings: str) -> Spec:
        return load_spec(tmp_path / "file.yaml", overrides=settings, cuda_visible=False)

    return load


def test_a_file_names_it_as_it_names_what_is_built_in(read, lion):
    assert lion.module not in sys.modules, "nothing is imported before a file names it"
    spec = read()
    assert spec.plugins == (lion.module,)
    level = spec.factors[0].levels[1]
    assert (level.name, level.parameters) == (lion.name, {"lr": 0.5})
    digest = registry.code_digest("optimizer", lion.name)
    assert dict(spec.code) == {
        f"optimizer {lion.name}": digest[:16],
        f"distribution {lion.name}-levels": "1.2",
    }


def test_the_version_is_part_of_the_cells_that_use_it_and_of_no_others(read, lion):
    before = design_of(read()).cells
    lion.release("1.3")
    after = design_of(read()).cells
    for old, new in zip(before, after, strict=True):
        uses_it = old.labels["optimizer"] != "adam"
        assert bool(old.code) == uses_it
        assert (old.id == new.id) == (not uses_it)
    (planned,) = [cell for cell in before if cell.code and cell.labels["init"] == "he"]
    with pytest.raises(InputError, match=r"levels \(1\.3, not 1\.2\) is not the one this was"):
        Cell.from_json(planned.to_json()).check_code()
    lion.release("1.2")
    planned.check_code()


def test_a_model_is_found_too(read, lion):
    spec = read(f"model.name={lion.name}_net", "fixed.bn_placement=none")
    assert spec.model.name == f"{lion.name}_net"
    assert spec.plugins == (lion.module,)
    assert f"model {lion.name}_net" in dict(spec.code)


def test_it_is_confined_as_plugins_are(read, lion, tmp_path, monkeypatch):
    (tmp_path / "reviewed").mkdir()
    monkeypatch.setenv(CONFINED_TO, str(tmp_path / "reviewed"))
    with pytest.raises(InputError, match="plugins are confined to"):
        read()
    assert lion.module not in sys.modules
    monkeypatch.setenv(CONFINED_TO, str(tmp_path / "site"))
    assert read().plugins == (lion.module,)


def test_what_is_offered_and_not_there_is_said_with_its_place(read, lion):
    lion.offer(f"optimizer.{lion.name}", "init.none_such")
    with pytest.raises(InputError) as refused:
        read("factors.init=[he, none_such]")
    said = str(refused.value)
    assert "factors.init: the distribution" in said
    assert f"offers init 'none_such' in its module {lion.module}, which registers none" in said


def test_two_who_offer_one_name_are_refused(read, lion, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path / "other"))
    other = Installed(tmp_path / "other", "other")
    other.offer(f"optimizer.{lion.name}")
    with pytest.raises(InputError, match=f"is offered by other-levels and {lion.name}-levels"):
        read()


def test_a_built_in_name_is_nobodys_to_offer(read, lion):
    lion.offer("optimizer.adam", "optimizer.sgd")
    spec = read("factors.optimizer=[adam, sgd]")
    assert (spec.plugins, spec.code) == ((), ())
    assert lion.module not in sys.modules
