"""Code that a store names: said, confined and held against the plan before it runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ablations import registry
from runner.commands import main
from runner.commands.running.grid import register_design
from runner.content.code import check_files, files_of
from runner.design import design_of
from runner.pool.worker import Worker
from runner.spec import load_spec
from runner.store import open_store

PLUGIN = """\
from ablations.registry import level

@level("optimizer", "NAME")
def _own(parameters, *, lr: float = 0.1): ...
"""
STUDY = """\
name: own
plugins: [own.py]
factors: {optimizer: [adam, NAME], init: [he, naive]}
fixed: {augmentation: none, scheduler: constant, bn_placement: none}
data: {name: digits}
replicates: 1
"""
EDITED = "from pathlib import Path\nPath(__file__).with_name('ran').touch()\n"


@pytest.fixture
def planned(tmp_path, request, monkeypatch):
    """A study in a store, planned with a plugin that no process has loaded since."""
    name = request.node.name.replace("[", "_").rstrip("]")
    (tmp_path / "own.py").write_text(PLUGIN.replace("NAME", name))
    (tmp_path / "own.yaml").write_text(STUDY.replace("NAME", name))
    spec = load_spec(tmp_path / "own.yaml", cuda_visible=False)
    address = f"sqlite:///{tmp_path / 'store.db'}"
    with open_store(address, create=True) as store:
        register_design(store, spec, design_of(spec), "cpu")
    registry._plugins.pop(str(tmp_path / "own.py"))
    monkeypatch.setattr(os, "environ", dict(os.environ))  # `--plugins` tells child processes
    return ["work", "own", "--storage", address, "--results", str(tmp_path / "results")]


def test_an_edited_plugin_is_refused_before_it_runs(planned, tmp_path, capsys):
    (tmp_path / "own.py").write_text(EDITED)
    assert main(planned) == 2
    assert not (tmp_path / "ran").exists()
    said = capsys.readouterr().err
    assert f"the plugin {tmp_path / 'own.py'} is not the one this was planned with" in said
    (tmp_path / "own.py").unlink()
    assert main(planned) == 2
    assert capsys.readouterr().err.endswith("own.py is not on this machine\n")


def test_a_plugin_outside_the_folder_is_refused_before_it_runs(planned, tmp_path, capsys):
    (tmp_path / "reviewed").mkdir()
    assert main([*planned, "--plugins", str(tmp_path / "reviewed")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"confined to {tmp_path / 'reviewed'}: {tmp_path / 'own.py'} is not in it" in said
    assert str(tmp_path / "own.py") not in registry._plugins


def test_plugins_are_named_before_they_run(planned, tmp_path, capsys, monkeypatch):
    def loads(plugins):
        assert f"plugins that run here: {tmp_path / 'own.py'}\n" in capsys.readouterr().err
        raise SystemExit(5)

    monkeypatch.setattr("runner.commands.running.work.load_plugins", loads)
    with pytest.raises(SystemExit, match="5"):
        main([*planned, "--plugins", str(tmp_path)])
    assert os.environ[registry.CONFINED_TO] == str(tmp_path)


def test_a_plugin_that_only_a_cell_names_is_said_once(planned, tmp_path, caplog):
    with open_store(planned[3]) as store:
        worker = Worker(store, store.find_study("own"), tmp_path, "me", listener=None)
        worker._name_plugins((str(tmp_path / "own.py"),))
        assert not caplog.messages
        for _ in range(2):
            worker._name_plugins(("other.py",))
        assert caplog.messages == ["its cells run further plugins: other.py"]


def test_a_module_is_held_against_the_plan_without_being_run(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "planned_module.py").write_text("raise AssertionError")
    files = files_of(["planned_module"])
    assert [name for name, _ in files] == ["planned_module"]
    check_files(files)
    Path(tmp_path / "planned_module.py").write_text("raise AssertionError  # edited")
    with pytest.raises(registry.InputError, match="plugin planned_module is not the one"):
        check_files(files)
