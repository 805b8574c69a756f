"""A function of one's own as a cell: what it is given, what becomes of how it ends."""

import sys
from pathlib import Path

import pytest

from ablations.errors import InputError
from runner.content.cell import Cell
from runner.content.level import Level
from runner.content.outcome import Point, Reason, Status
from runner.content.own.trainer import Trainer, digest_of
from runner.content.protocol import DataSpec, ModelSpec, TrainSpec
from runner.trainers.function import load_function, nested, train
from runner.trainers.place import Place

HEAD = "import math, sys, time\n"


def cell_of(
    tmp_path: Path, body: str, levels: dict[str, object] | None = None, **about: object
) -> Cell:
    file = tmp_path / f"train_{abs(hash(body))}.py"
    file.write_text(HEAD + body)
    given = {"lr": 0.1} if levels is None else levels
    trainer = Trainer(
        "function",
        f"{file}:fit",
        str(tmp_path),
        responses=("acc",),
        code=((file.name, digest_of(file)),),
    )
    return Cell(
        levels=tuple(Level(name, str(v), str(v), {"value": v}) for name, v in given.items()),
        held=(),
        replicate=0,
        data=DataSpec(),
        model=ModelSpec(),
        train=TrainSpec(**about),
        trainer=trainer,
    )


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(sys, "path", list(sys.path))
    return Place("cpu", tmp_path / "cell", tmp_path / "log", 1, 60.0)


def outcome_of(cell: Cell, place: Place):
    told: list[Point] = []
    return train(cell, place, told.append), told


@pytest.mark.parametrize(
    ("returned", "responses"),
    [("0.5", {"acc": 0.5}), ("{'acc': 0.5, 'b': 1}", {"acc": 0.5, "b": 1.0})],
)
def test_a_bare_number_is_the_first_response(tmp_path, place, returned, responses):
    outcome, _ = outcome_of(cell_of(tmp_path, f"def fit(lr): return {returned}"), place)
    assert (outcome.status, outcome.responses) == (Status.FINISHED, responses)


def test_what_the_signature_asks_for_is_given_by_name(tmp_path, place):
    body = (
        "def fit(lr, *, seed, device, folder, run):\n"
        "    assert folder.is_dir() and run.folder == folder and run.seed == seed\n"
        "    return {'acc': lr, 'seed': seed, 'cpu': float(device == 'cpu')}"
    )
    cell = cell_of(tmp_path, body)
    outcome, _ = outcome_of(cell, place)
    assert outcome.responses == {"acc": 0.1, "seed": float(cell.seed), "cpu": 1.0}


def test_dotted_names_reach_into_an_argument(tmp_path, place):
    body = "def fit(model): return model['depth'] + model['inner']['width']"
    levels = {"model": {"depth": 1, "inner": {"width": 5}}, "model.depth": 3}
    outcome, _ = outcome_of(cell_of(tmp_path, body, levels), place)
    assert outcome.responses == {"acc": 8.0}
    assert nested({"a.b.c": 1, "a": {"b": {"d": 2}}}) == {"a": {"b": {"c": 1, "d": 2}}}


@pytest.mark.parametrize(
    ("body", "status", "reason", "detail"),
    [
        ("def fit(lr): 1 / 0", Status.FAILED, Reason.BUG, "ZeroDivisionError"),
        ("def fit(lr): raise MemoryError('no room')", Status.FAILED, Reason.OOM, "no room"),
        ("def fit(lr): sys.exit(75)", Status.FAILED, Reason.AGAIN, "tried again"),
        ("def fit(lr): sys.exit(3)", Status.FAILED, Reason.BUG, "SystemExit: 3"),
        ("def fit(lr): sys.exit()", Status.FAILED, Reason.NO_RESPONSE, "returned nothing"),
        ("def fit(lr): pass", Status.FAILED, Reason.NO_RESPONSE, "it returned None"),
        ("def fit(lr): return 'x'", Status.FAILED, Reason.NO_RESPONSE, "it returned 'x'"),
        ("def fit(lr): return {'b': 1}", Status.FAILED, Reason.NO_RESPONSE, "it gave b"),
        ("def fit(lr): return math.nan", Status.DIVERGED, None, "acc is not finite"),
        ("def fit(lr, run): run.report(1, loss=math.nan)", Status.DIVERGED, None, "at step 1"),
        ("def fit(lr, run): run.report(1, loss='x')", Status.FAILED, Reason.BUG, "a number"),
        ("def git(lr): return 1", Status.FAILED, Reason.BAD_LEVEL, "did you mean 'git'"),
        ("raise OSError('at import')", Status.FAILED, Reason.BUG, "at import"),
    ],
)  # fmt: skip
def test_every_end_is_an_outcome(tmp_path, place, body, status, reason, detail):
    outcome, _ = outcome_of(cell_of(tmp_path, body), place)
    assert (outcome.status, outcome.reason) == (status, reason)
    assert detail in (outcome.detail or "")


def test_a_divergence_cannot_be_caught_as_an_exception(tmp_path, place):
    body = (
        "def fit(lr, run):\n"
        "    run.report(0, loss=1.0)\n"
        "    try: run.report(1, loss=math.inf)\n"
        "    except Exception: pass\n"
        "    return 0.9"
    )
    outcome, told = outcome_of(cell_of(tmp_path, body), place)
    assert (outcome.status, outcome.diverged_epoch) == (Status.DIVERGED, 1)
    assert outcome.points == (Point(0, {"loss": 1.0}), Point(1, {}))
    assert told[0] == Point(0, {"loss": 1.0})


def test_a_report_past_the_time_limit_ends_it(tmp_path):
    place = Place("cpu", tmp_path / "cell", tmp_path / "log", 1, -1.0)
    outcome, _ = outcome_of(cell_of(tmp_path, "def fit(lr, run): run.report(0, a=1)"), place)
    assert (outcome.status, outcome.reason) == (Status.TIMEOUT, Reason.TIMEOUT)


@pytest.mark.parametrize("library", ["", "import torch\n"])
def test_what_was_saved_comes_back_with_the_curve_so_far(tmp_path, place, library):
    body = (
        f"{library}"
        "def fit(lr, run):\n"
        "    kept = run.load()\n"
        "    start = kept['step'] + 1 if kept else 0\n"
        "    for step in range(start, start + 2):\n"
        "        run.report(step, loss=float(step))\n"
        "        run.save({'step': step})\n"
        "    return start"
    )
    cell = cell_of(tmp_path, body)
    first, _ = outcome_of(cell, place)
    second, _ = outcome_of(cell, place)
    assert (first.responses, second.responses) == ({"acc": 0.0}, {"acc": 2.0})
    assert [point.step for point in second.points] == [0, 1, 2, 3]


def test_a_damaged_checkpoint_starts_over(tmp_path, place, capsys):
    place.folder.mkdir()
    (place.folder / "run.checkpoint").write_bytes(b"\x80nonsense")
    outcome, _ = outcome_of(cell_of(tmp_path, "def fit(lr, run): return run.load() is None"), place)
    assert outcome.responses == {"acc": 1.0}
    assert "starting over" in capsys.readouterr().out


def test_an_edited_file_is_not_trained_with(tmp_path, place):
    cell = cell_of(tmp_path, "def fit(lr): return 1")
    assert cell.trainer is not None
    Path(cell.trainer.call.rpartition(":")[0]).write_text("def fit(lr): return 2")
    outcome, _ = outcome_of(cell, place)
    assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.BAD_LEVEL)
    assert "not what it was when this was planned" in (outcome.detail or "")


def test_a_file_outside_the_folder_that_is_allowed_is_not_run(tmp_path, place, monkeypatch):
    allowed = tmp_path / "reviewed"
    allowed.mkdir()
    monkeypatch.setenv("ABLATIONS_PLUGINS", str(allowed))
    cell = cell_of(tmp_path, "print('ran')\ndef fit(lr): return 1")
    assert cell.trainer is not None
    with pytest.raises(InputError, match="is not in it and is not run"):
        load_function(cell.trainer)


def test_the_same_content_is_the_same_cell_wherever_its_file_lies(tmp_path):
    one, two = tmp_path / "a", tmp_path / "b"
    one.mkdir(), two.mkdir()
    body = "def fit(lr): return 1"
    assert cell_of(one, body).id == cell_of(two, body).id
    assert cell_of(one, body).id != cell_of(one, body + "  # edited").id
    assert cell_of(one, body).id != cell_of(one, body, {"lr": 0.2}).id
    assert cell_of(one, body).id != cell_of(one, body, seed=1).id
    assert Cell.from_json(cell_of(one, body).to_json()) == cell_of(one, body)
