"""What is published is what optuna-dashboard serves, once each; a lost store is no error."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from wsgiref.simple_server import WSGIRequestHandler, make_server

import optuna
import pytest
from optuna.distributions import CategoricalDistribution
from optuna_dashboard import _serializer
from optuna_dashboard._serializer import serialize_study_detail
from playwright.sync_api import Page, expect

from analysis.dashboard import Board
from analysis.dashboard.board import PUBLISHED
from analysis.dashboard.importance import SHARES
from analysis.dashboard.server import FewCurves, LookUp, Once, Shares, application
from analysis.loading import from_store
from runner.commands.looking.dashboard import keep_current
from runner.optuna_mirror.mirror import Mirror, load_study
from runner.optuna_mirror.optuna_tables import open_storage, set_study_attributes, study_attributes
from runner.store import Store, StudyInfo, open_store
from tests.analysis.report.simulated import outcome, simulate

_serialize = _serializer.serialize_frozen_trial
SMALL = [
    "train.epochs=3", "replicates=2", "factors.scheduler=[constant, cosine]",
    "factors.bn_placement=[none, before]", "factors.augmentation=[none, basic]", "claims=[]",
]  # fmt: skip


class Quiet(WSGIRequestHandler):
    """Serves without a word."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Store, StudyInfo, Board]]:
    """A study half done, mirrored, with its board."""
    url, info = simulate(tmp_path, overrides=SMALL, finished=0.6, failing=1)
    with open_store(url) as store:
        with Mirror(store, info) as mirror:
            mirror.sync()
        yield store, info, Board(store, info)


@pytest.fixture
def served(
    running: tuple[Store, StudyInfo, Board], tmp_path: Path
) -> Iterator[tuple[str, StudyInfo]]:
    """The dashboard on a port of its own, everything published."""
    store, info, board = running
    while not board.publish(30.0):
        pass
    app = application(store, tmp_path / "results")
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", info
        server.shutdown()
        thread.join()


def _attributes(store: Store, info: StudyInfo) -> dict[str, object]:
    page = load_study(store, info)._study_id
    found: dict[str, object] = store.database.read(lambda c: study_attributes(c, page, ""))
    return found


def _notes(attributes: dict[str, object]) -> list[str]:
    return [key for key in attributes if key.endswith(":note_ver") and key.count(":") == 2]


def test_panels_note_and_pictures_are_published_once(
    running: tuple[Store, StudyInfo, Board],
) -> None:
    store, info, board = running
    while not board.publish(30.0):
        pass
    first = _attributes(store, info)
    panels = {key.split(":")[2] for key in first if key.startswith("dashboard:plot_data:")}
    assert panels == {
        "a-importance", "a-progress", "b-main-effects", "c-interactions", "d-convergence"
    }  # fmt: skip
    ended = store.status(info)
    pictures = [key for key in first if key.startswith("dashboard:artifacts:")]
    assert len(pictures) == ended.complete
    assert len(_notes(first)) == ended.complete + ended.failed
    again = Board(store, info)  # another process later
    assert again.publish()
    assert _attributes(store, info) == first


def test_a_short_budget_leaves_the_rest_for_the_next_call(
    running: tuple[Store, StudyInfo, Board], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, info, board = running
    monkeypatch.setattr("analysis.dashboard.board.BATCH", 3)
    counts = store.status(info)
    ended = counts.complete + counts.failed
    for noted in range(3, ended, 3):  # one batch a call, whatever the machine is busy with
        assert board.publish(seconds=0.0) is False
        assert len(_notes(_attributes(store, info))) == noted
    while not board.publish(seconds=0.0):
        pass
    assert len(_notes(_attributes(store, info))) == ended


def test_panels_take_a_small_share_of_the_time_and_are_last_drawn_at_the_end(
    running: tuple[Store, StudyInfo, Board], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, info, board = running
    monkeypatch.setattr("analysis.dashboard.board.SHARE", 1e-9)  # the next time in years
    assert board.publish(30.0)

    def shown() -> object:
        return _attributes(store, info)["dashboard:plot_data:a-progress:0"]

    def end(count: int) -> None:
        for claim in store.claim_many(info, "host:1", count, lease_seconds=600):
            store.finish(claim, outcome(claim.cell))

    first = shown()
    end(1)
    assert board.publish(30.0) is False
    assert shown() == first
    end(1000)
    assert board.publish(30.0)
    assert shown() != first


def test_before_the_mirror_there_is_nothing_to_publish(tmp_path: Path) -> None:
    url, info = simulate(tmp_path, overrides=SMALL, finished=0.0)
    with open_store(url) as store:
        assert Board(store, info).publish() is False


def test_a_store_that_is_gone_is_no_error(
    running: tuple[Store, StudyInfo, Board], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store, _, board = running
    store.close()
    path = tmp_path / "store.db"
    path.rename(tmp_path / "elsewhere.db")
    path.write_bytes(b"this is not a database at all, whatever its name says" * 40)
    assert board.publish() is False
    assert "dashboard not updated" in caplog.text


def test_the_server_gives_out_the_picture_of_a_run(served: tuple[str, StudyInfo]) -> None:
    url, _ = served
    with urlopen(f"{url}/api/studies/1?after=0", timeout=30) as answer:  # noqa: S310
        study = json.load(answer)
    assert len(study["plotly_graph_objects"]) == 5
    trial = next(one for one in study["trials"] if one["state"] == "Complete")
    artifact = trial["artifacts"][0]["artifact_id"]
    address = f"{url}/artifacts/1/{trial['trial_id']}/{artifact}"
    with urlopen(address, timeout=30) as answer:  # noqa: S310
        assert answer.read(8) == b"\x89PNG\r\n\x1a\n"
    body = trial["note"]["body"]
    endings = ("Reached the target", "Short of the target", "Diverged", "Stalled")
    assert any(ending in body for ending in endings)


def test_looking_attributes_up_changes_no_answer(running: tuple[Store, StudyInfo, Board]) -> None:
    store, info, board = running
    while not board.publish(30.0):
        pass
    study = load_study(store, info)
    attributes = _attributes(store, info)
    quick = LookUp(_serialize)
    for trial in study.get_trials(deepcopy=False):
        said = _serialize(study._study_id, trial, attributes)
        assert quick(study._study_id, trial, attributes) == said
        assert said["note"]["body"] or trial.state.name == "RUNNING"


OTHERS: tuple[Any, ...] = ([], [], [], True, {}, [])
"""What else the dashboard gives its function: spaces, attributes, panels."""


def _page(ended: int) -> tuple[optuna.Study, tuple[Any, ...]]:
    """A study of so many ended trials and one that runs, and what its page is made of."""
    study = optuna.create_study()
    for number in range(ended):
        trial = study.ask()
        trial.report(0.5, 1)
        trial.report(0.7 + number / 100, 2)
        study.tell(trial, 0.7 + number / 100)
    study.ask().report(0.3, 1)
    frozen = study._storage.get_all_studies()[0]
    return study, (frozen, [study.best_trial], study.get_trials(deepcopy=False), *OTHERS)


def test_a_page_of_many_trials_holds_the_curves_of_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.dashboard.server.CURVES", 5)
    study, made_of = _page(13)
    plain = serialize_study_detail(*made_of)
    few = FewCurves(serialize_study_detail)(*made_of)
    shown = [trial["number"] for trial in few["trials"] if trial["intermediate_values"]]
    assert shown == [0, 3, 6, 9, 12, 13], "every third, and the one that runs"
    for one, whole in zip(few["trials"], plain["trials"], strict=True):
        assert one | {"intermediate_values": []} == whole | {"intermediate_values": []}
        assert not one["intermediate_values"] or one == whole
    assert few | {"trials": []} == plain | {"trials": []}
    # What was thinned was a copy: the dashboard's cache keeps the curves.
    assert all(trial.intermediate_values for trial in study.get_trials(deepcopy=False))


def test_a_page_of_very_many_trials_has_no_plot_of_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.dashboard.server.MOST_LINES", 5)
    pages = [FewCurves(serialize_study_detail)(*_page(ended)[1]) for ended in (4, 5)]
    assert [page["has_intermediate_values"] for page in pages] == [True, False]


def test_a_distribution_is_serialised_once() -> None:
    asked: list[object] = []

    def serialize(distribution: object) -> dict[str, Any]:
        asked.append(distribution)
        return {"choices": distribution.choices}  # type: ignore[attr-defined]

    once = Once(serialize)
    first, second = (CategoricalDistribution(names) for names in (("a",), ("b",)))
    assert once(first) is once(first)
    assert once(second) == {"choices": ("b",)}
    assert asked == [first, second]


def test_a_page_of_few_trials_is_the_dashboards_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.dashboard.server.CURVES", 5)
    _, made_of = _page(4)
    assert FewCurves(serialize_study_detail)(*made_of) == serialize_study_detail(*made_of)
    frozen, best, _, *others = made_of
    assert FewCurves(serialize_study_detail)(frozen, best, [], *others)["trials"] == []


def test_optunas_own_importances_are_the_shares_of_the_report(
    served: tuple[str, StudyInfo], running: tuple[Store, StudyInfo, Board]
) -> None:
    url, info = served
    with urlopen(f"{url}/api/studies/1/param_importances", timeout=30) as answer:  # noqa: S310
        (told,) = json.load(answer)["param_importances"]
    table = from_store(running[0], info).variance_shares().dropna(subset="percent")
    main = table[table["kind"].isin(["main", "replicate"])].set_index("term")["percent"] / 100
    assert {one["name"]: one["importance"] for one in told} == pytest.approx(main.to_dict())
    values = [one["importance"] for one in told]
    assert values == sorted(values, reverse=True)
    assert {one["distribution"] for one in told} == {"CategoricalDistribution"}


@pytest.mark.parametrize(
    ("attributes", "told"), [({}, ["Optuna's"]), ({SHARES: {}}, []), ({SHARES: {"gone": 1.0}}, [])]
)
def test_a_study_that_is_not_ours_keeps_optunas_importances(
    attributes: dict[str, Any], told: list[Any]
) -> None:
    study, (_, _, trials, *_) = _page(2)
    for key, value in attributes.items():
        study._storage.set_study_system_attr(study._study_id, key, value)
    importances = Shares(lambda *_: ["Optuna's"])  # type: ignore[list-item]
    assert importances(None, study._storage, study._study_id, 0, trials) == told


def test_a_page_that_another_version_has_made_is_made_anew(
    running: tuple[Store, StudyInfo, Board],
) -> None:
    store, info, board = running
    while not board.publish(30.0):
        pass
    before = dict(_attributes(store, info)[PUBLISHED])  # type: ignore[call-overload]
    page = load_study(store, info)._study_id
    old = {PUBLISHED: {**before, "form": 1, "at": 0.0}, "dashboard:plot_data:a-progress:0": "{}"}
    store.database.write(lambda connection: set_study_attributes(connection, page, old))
    assert Board(store, info).publish(30.0)
    assert _attributes(store, info)["dashboard:plot_data:a-progress:0"] != "{}"


def test_a_study_deleted_in_the_dashboard_has_its_whole_page_again(
    running: tuple[Store, StudyInfo, Board],
) -> None:
    store, info, board = running
    while not board.publish(30.0):
        pass
    before = _attributes(store, info)
    boards = {info.name: board}
    optuna.delete_study(study_name=info.name, storage=open_storage(store.database))
    assert list(keep_current(store, boards)) == []
    while not boards[info.name].publish(30.0):
        pass
    after = _attributes(store, info)
    panels = [key for key in before if key.startswith("dashboard:plot_data:")]
    assert {key: after[key] for key in panels} == {key: before[key] for key in panels}
    assert len(_notes(after)) == len(_notes(before))


def test_a_person_sees_effects_and_clicks_through_to_a_curve(
    served: tuple[str, StudyInfo], page: Page
) -> None:
    url, _ = served
    page.goto(f"{url}/dashboard/studies/1", timeout=120_000)
    titles = ("Share of the variance", "Main effects: mean test accuracy", "Progress:")
    for title in (*titles, "Interaction matrix"):
        expect(page.get_by_text(title).first).to_be_visible(timeout=60_000)
    page.goto(f"{url}/dashboard/studies/1/note")
    expect(page.get_by_text("Still running.")).to_be_visible(timeout=30_000)
    page.goto(f"{url}/dashboard/studies/1/trials?numbers=0")
    picture = page.locator("img").first
    picture.scroll_into_view_if_needed(timeout=30_000)
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 400


# -- a later optuna-dashboard ----------------------------------------------------------------------


def test_a_later_version_without_a_private_part_costs_its_page_alone(
    running: tuple[Store, StudyInfo, Board],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    _, _, board = running
    monkeypatch.delattr("optuna_dashboard._note.save_note_with_version")
    assert board.publish()
    (said,) = caplog.records
    assert said.exc_info is None, "a sentence, no traceback"
    assert said.getMessage().startswith("no page of the study in this optuna-dashboard: cannot imp")
    assert board.publish()
    assert len(caplog.records) == 1


def test_a_later_version_is_served_as_it_is(
    running: tuple[Store, StudyInfo, Board],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, _, _ = running
    monkeypatch.delattr("optuna_dashboard._serializer.serialize_distribution")
    monkeypatch.setitem(sys.modules, "optuna_dashboard._custom_plot_data", None)
    assert callable(application(store, tmp_path / "results"))
    assert len(caplog.messages) == 2
    for said in caplog.messages:
        assert said.startswith("pages of large studies may be slow in this optuna-dashboard: ")
