"""The whole of it as a new user walks it: installed, first grid, answers, report, dashboard.

The program is that of the wheel; the folder has modules with the names of its packages. Each step
is what the step before, the README or the tutorial says to type.
"""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.installed import ROOT, ablate, clean
from tests.docs.pages import files

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

THEIRS = ("analysis/__init__.py", "ablations/__init__.py", "runner.py")
READY = "html[data-ready=true]"
TOP = "element => element.getBoundingClientRect().top"

Done = subprocess.CompletedProcess[str]


@dataclass
class Walk:
    """A person's terminal: what was typed so far, and what came of it.

    Attributes:
        program: the installed `ablate`.
        folder: where they are.
        said: the ends of all commands, in the order in which they were typed.
    """

    program: Path
    folder: Path
    said: list[Done] = field(default_factory=list)

    def type(self, line: str, code: int = 0) -> str:
        """Type `ablate LINE`; what it prints (on an error: to standard error)."""
        done = ablate(self.program, self.folder, *line.split())
        self.said.append(done)
        assert done.returncode == code, f"ablate {line}\n{done.stdout}{done.stderr}"
        return done.stderr if code == 2 else done.stdout

    def go(self, folder: Path) -> None:
        """Change into a folder, in which they have modules with our names, too."""
        self.folder = folder
        for name in THEIRS:
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("raise RuntimeError('that of somebody was imported')\n")


@dataclass(frozen=True)
class Walked:
    """Where the walk has led: the terminal, the report, the first cell."""

    walk: Walk
    report: Path
    cell: str


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory, program: Path) -> Walked:
    """From nothing to a report: the first steps, each checked."""
    walk = Walk(program, tmp_path_factory.mktemp("people"))
    walk.go(walk.folder / "project")
    assert re.match(r"ablation-grid-runner [\d.]+, Python 3\S+, ", walk.type("--version"))
    assert walk.type("--help").startswith("usage: ablate VERB")
    assert "did you mean 'grid'" in walk.type("gird five_factor", code=2)

    nothing = walk.type("status", code=2)
    assert re.match(r"error: there is no store at \S+/project/results/ablations.db; `ablate grid FI"
                    r"LE` makes one", nothing)  # fmt: skip
    first = walk.type("init --example function").splitlines()
    assert first[:-1] == ["written: function/train.py", "written: function/study.yaml"]
    assert first[-1] == "next: cd function && ablate grid study.yaml"
    walk.go(walk.folder / "function")

    planned = walk.type("plan study.yaml")
    assert "24 cells" in planned
    assert "error" not in planned
    cells = json.loads(walk.type("plan study.yaml --json"))["cells"]

    trained = walk.type("grid study.yaml --devices cpu")
    assert "24 cells trained here" in trained
    (line,) = [one for one in trained.splitlines() if "report.html" in one]
    report = walk.folder / line.split()[-1]
    assert report.is_file()
    return Walked(walk, report, cells[0]["cell"])


def test_the_same_command_again_has_nothing_to_do(walked: Walked) -> None:
    assert "nothing to do: every cell of this grid has been run" in walked.walk.type(
        "grid study.yaml"
    )


def test_every_question_of_the_terminal_is_answered(walked: Walked) -> None:
    say = walked.walk.type
    assert re.search(r"digits_function-\S+ +\d{4}-\d\d-\d\d \d\d:\d\d +24 +24", say("status"))
    one = say("status digits_function")
    assert "24 complete" in one
    assert "Claims: 1 " in one
    shown = say(f"show {walked.cell[:8]}")
    assert walked.cell in shown
    assert "accuracy" in shown
    again = say("report digits_function")
    assert again.splitlines()[-1].startswith("wrote ")
    assert again.splitlines()[-1].endswith("report.html")
    claims = say("claims digits_function")
    assert re.match(r"(SUPPORTED|REFUTED|UNDECIDED) +optimizer: adam > sgd\n +\w", claims)
    assert "decided" in say("decided digits_function")
    assert say("power digits_function").startswith("With 3 runs per cell")
    exported = say("export digits_function --to csv").split()
    assert all((walked.walk.folder / file).is_file() for file in exported)


def test_a_program_is_answered_in_json(walked: Walked) -> None:
    said = walked.walk.type("claims digits_function --json")
    (claim,) = json.loads(said)["claims"]
    assert claim["claim"] == "optimizer: adam > sgd"
    assert claim["verdict"] in ("supported", "refuted", "undecided")
    document = json.loads(walked.walk.type("effects digits_function --json"))["document"]
    assert document["n_runs"] == 24


def test_a_second_study_is_compared_with_the_first(walked: Walked) -> None:
    fewer = walked.walk.type("grid study.yaml --set name=fewer --set replicates=2 --no-report")
    assert "16 cells trained here" in fewer
    side_by_side = walked.walk.type("compare digits_function fewer")
    for word in ("digits_function", "fewer", "optimizer", "adam"):
        assert word in side_by_side


def test_a_mistake_is_a_sentence_with_its_line(walked: Walked) -> None:
    folder = walked.walk.folder
    text = (folder / "study.yaml").read_text()
    (folder / "wrong.yaml").write_text(text.replace("lr:", "lrr:").replace("replicates", "replica"))
    said = walked.walk.type("grid wrong.yaml", code=2).splitlines()
    assert all(re.match(r"error: .*wrong\.yaml:\d+: ", line) for line in said), said
    assert "replicates" in "".join(said)
    assert walked.walk.type("show zzzz", code=2).startswith("error: ")
    assert walked.walk.type("report nothing_here", code=2).startswith("error: ")


def test_a_training_that_does_not_learn_is_diagnosed(walked: Walked) -> None:
    """With code 3, which says that it is not healthy."""
    page = ROOT / "docs" / "how-to" / "doctor.md"
    (walked.walk.folder / "my_net.py").write_text(files(page)["my_net.py"])
    said = walked.walk.type("doctor my_net.py:make", code=3)
    assert said.startswith("The learning rate is too high (optimizer, my_net.py:16;")


@pytest.fixture
def dashboard(walked: Walked) -> Iterator[str]:
    """The address that `ablate dashboard` prints; Ctrl-C ends it after the test."""
    words = [walked.walk.program, "dashboard", "--port", "0"]
    running = subprocess.Popen(
        words, cwd=walked.walk.folder, env=clean(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert running.stdout is not None
    address = re.match(
        r"(http://127\.0\.0\.1:\d+/\?token=\S+)  \(Ctrl-C ends it\)$", running.stdout.readline()
    )
    yield address[1] if address else ""
    running.send_signal(signal.SIGINT)
    out, error = running.communicate(timeout=60)
    walked.walk.said.append(Done(words, running.returncode, out, error))
    assert running.returncode == 130


def test_the_dashboard_shows_the_study_to_who_has_its_address(
    walked: Walked, dashboard: str, page: Page
) -> None:
    assert dashboard
    base = dashboard.partition("?")[0]
    assert page.request.get(base).status == 403
    page.goto(dashboard)
    page.get_by_text("digits_function").first.click(timeout=60_000)
    for title in ("Hyperparameter Importance", "Share of the variance of accuracy", "Main effects"):
        expect(page.get_by_text(title).first).to_be_visible(timeout=60_000)
    number = page.url.split("/studies/")[1].partition("/")[0]
    (told,) = page.request.get(f"{base}api/studies/{number}/param_importances").json()[
        "param_importances"
    ]
    assert {one["name"] for one in told} == {"loss", "lr", "optimizer"}


def test_the_report_answers_in_three_lines_then_a_table_then_the_map(
    walked: Walked, page: Page
) -> None:
    page.goto(walked.report.as_uri())
    page.wait_for_selector(READY)
    lines = page.locator("#answer .lead p").all_inner_texts()
    assert 1 <= len(lines) <= 3
    terminal = " ".join(walked.report.with_name("findings.txt").read_text().split())
    for line in lines:
        assert " ".join(line.split()) in terminal, "the terminal and the page say the same"
    rows = page.locator("#answer table.brief th[scope=row]").all_inner_texts()
    for factor in ("loss", "lr", "optimizer"):
        assert any(row.startswith(factor) for row in rows)
    expect(page.locator("#figure-cell_heat_map svg")).to_be_visible()
    assert page.locator("#answer figure").first.get_attribute("id") == "figure-cell_heat_map"


def test_every_link_of_the_report_lands(walked: Walked, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(walked.report.as_uri())
    page.wait_for_selector(READY)
    links = page.locator("nav.contents a")
    wanted = [links.nth(n).get_attribute("href") or "" for n in range(links.count())]
    assert len(wanted) > 10
    for target in wanted:
        page.locator(f'nav.contents a[href="{target}"]').click()
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        top = page.locator(target).evaluate(TOP)
        end = page.evaluate("innerHeight + scrollY >= document.documentElement.scrollHeight - 2")
        assert -2 <= top <= 60 or (end and 0 <= top < 900), f"{target} at {top}"
    beside = page.locator("figcaption a[href], p a[href]").evaluate_all(
        "all => [...new Set(all.map(one => one.getAttribute('href')))]"
    )
    files_of = [one for one in beside if not one.startswith(("#", "http"))]
    assert len(files_of) > 10
    assert all((walked.report.parent / one).is_file() for one in files_of)


def test_two_factors_of_the_report_are_a_table_to_copy(walked: Walked, page: Page) -> None:
    page.add_init_script(
        "Object.defineProperty(navigator, 'clipboard', {value: {writeText: async (text) => "
        "{ window.copied = text; }}});"
    )
    page.goto(walked.report.as_uri())
    page.wait_for_selector(READY)
    page.select_option("#pivot-rows", "optimizer")
    page.select_option("#pivot-columns", "lr")
    expect(page.locator("#pivot-table caption")).to_contain_text("optimizer and lr")
    page.click("[data-copy=csv]")
    expect(page.locator("#pivot-copied")).to_have_text("Copied.")
    rows = list(csv.DictReader(io.StringIO(str(page.evaluate("window.copied")))))
    assert [row["n"] for row in rows] == ["6"] * 4


def test_nothing_of_theirs_was_imported_and_nothing_raised(walked: Walked) -> None:
    for done in walked.walk.said:
        told = done.stdout + done.stderr
        assert "of somebody" not in told
        assert "Traceback" not in told
