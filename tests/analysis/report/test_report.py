"""The report says what the estimates say, names nothing as HTML, and needs no network."""

from __future__ import annotations

import gc
import json
import re
import tomllib
from dataclasses import replace
from html import unescape
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from markupsafe import escape

import analysis
from ablations.errors import InputError
from analysis.report import findings, is_current, write_report
from analysis.report.page.data import _integers, page_data, to_script
from analysis.report.page.page import _facts
from analysis.report.page.page_sections import SECTIONS
from analysis.report.page.tables.runs_table import table_of_runs
from analysis.report.press import Press
from analysis.report.words.answer import answer
from analysis.report.words.brief.build import brief
from analysis.report.words.brief.text import plain
from analysis.report.words.papers.methods import methods
from analysis.report.words.papers.tables import latex_table
from runner.store import open_store
from tests.analysis.written import Written

ROOT = Path(__file__).parents[3]
HOSTILE = '</script><script>alert("x")</script>'


def test_everything_is_written(written: Written) -> None:
    names = {str(file.relative_to(written.folder)) for file in written.folder.rglob("*.*")}
    assert {
        "report.html", "effects.json", "effects.schema.json", "outcomes.csv", "outcomes.parquet",
        "curves.csv", "curves.parquet", "findings.txt", "paper/ablation.tex", "paper/ablation.md",
        "paper/ablation.csv", "paper/methods.txt",
    } <= names  # fmt: skip
    for figure in (
        "main_effects",
        "interaction_matrix",
        "forest",
        "convergence_rates",
        "time_to_target",
    ):
        assert {f"figures/{figure}.{kind}" for kind in ("png", "svg", "csv")} <= names


def test_figures_for_a_paper_are_one_column_wide_as_pdf(written: Written, partial: Written) -> None:
    for report in (written, partial):
        for figure in ("main_effects", "interaction_matrix", "forest", "convergence_rates"):
            pdf = (report.folder / f"paper/{figure}.pdf").read_bytes()
            assert b"/MediaBox [ 0 0 252 " in pdf, figure


def test_the_list_of_files_names_only_what_is_there(written: Written, partial: Written) -> None:
    for report in (written, partial):
        listed = report.html.split('<ul class="files">')[1].split("</ul>")[0]
        for file in re.findall(r'href="([^"]+)"', listed):
            assert (report.folder / file).exists(), file


def test_the_page_is_one_file_without_network(written: Written) -> None:
    html = written.html
    assert html.count("<figure") == html.count('role="img" aria-labelledby="svg-') > 10
    assert "<!-- picture" not in html
    outside = re.findall(r'(?:src|href)="(?!#)([^"]+)"', written.body)
    assert not [link for link in outside if link.startswith(("http:", "https:", "//"))]
    assert "default-src 'none'" in html
    assert "<link" not in html
    assert len(html.encode()) < 5_000_000


def test_it_opens_with_the_answer_and_then_everything_else(written: Written) -> None:
    html = written.html
    order = [html.index(place) for place in (
        '<section id="answer"', 'id="else"', *(f'<section id="{name}"' for name in (
            "full", "claims", "effects", "interactions", "convergence", "curves", "cells",
            "design", "protocol", "provenance", "diagnostics", "caveats",
        )),
    )]  # fmt: skip
    assert order == sorted(order)
    verdicts = written.study.claims()["verdict"].tolist()
    claims = html[html.index('<section id="claims"') : html.index('<section id="explore"')]
    assert re.findall(r'class="verdict [a-z]*">([^<]+)<', claims) == verdicts
    assert len(verdicts) == 5


def test_the_answer_table_holds_the_numbers_of_effects_json(written: Written) -> None:
    document = written.effects
    found = answer(written.study)
    for row in found.factors.to_dict("records"):
        one = next(
            contrast for contrast in document["contrasts"]
            if contrast["factor"] == row["factor"]
            and set(contrast["levels"]) == {row["best"], row["worst"]}
        )  # fmt: skip
        stored = one["shown"]
        assert abs(stored["estimate"]) == pytest.approx(row["estimate"], rel=1e-9)
        ends = sorted((abs(stored["low"]), abs(stored["high"])))
        assert ends == pytest.approx(sorted((abs(row["low"]), abs(row["high"]))))
        assert f"{row['estimate'] * 100:+.1f} points".replace("-", "−") in written.html


def test_convergence_has_columns_only_where_runs_ended_differently(written: Written) -> None:
    found = written.study.convergence()
    assert ("Convergence</th>" in written.html) == found.mixed
    assert found.mixed
    assert not replace(found, hits=found.counted).mixed
    assert not replace(found, hits=0 * found.hits).mixed


def test_figures_have_names_descriptions_and_captions(written: Written) -> None:
    html = written.html
    figures = re.findall(r"<figure id=.*?</figure>", html, re.DOTALL)
    assert len(figures) >= 14
    for figure in figures:
        assert 'role="img"' in figure
        assert re.search(r"<title id=\"svg-\w+-title\">[^<]+</title>", figure)
        assert re.search(
            r"216 runs, 3 replicates per combination, \d+ diverged, none missing", figure
        )
    ids = re.findall(r'\bid="([^"]+)"', written.body)
    assert len(ids) == len(set(ids))


def test_ink_follows_the_theme(written: Written) -> None:
    figure = re.search(r'<figure id="figure-main_effects">.*?</figure>', written.html, re.DOTALL)
    assert figure is not None
    assert "var(--ink)" in figure.group()
    assert "#1b1f24" not in figure.group()
    assert "#0072b2" in figure.group(), "data keep their colours"


def test_the_table_of_runs_stands_without_scripts(written: Written) -> None:
    table = re.search(r'<table id="runs">.*?</table>', written.html, re.DOTALL)
    assert table is not None
    assert table.group().count("<tr>") == 1 + 216


def test_a_run_that_never_got_there_has_no_epoch_of_the_target(written: Written) -> None:
    """It had the budget's, which is what means of epochs count it as."""
    table = table_of_runs(written.study)
    keys = [one["key"] for one in table["head"]]
    status, epoch = keys.index("status"), keys.index("epoch")
    texts = [one["text"] for one in table["head"]]
    assert texts[epoch:] == ["Epochs to target", "Training time (s)"]
    had = {word: {bool(row[epoch]) for row in table["rows"] if row[status] == word}
           for word in ("reached", "short", "stalled")}  # fmt: skip
    assert had == {"reached": {True}, "short": {False}, "stalled": {False}}
    data = page_data(written.study, None)["runs"]
    shown = ["" if value is None else f"{value:g}" for value in data["epoch"]]
    assert shown == [row[epoch] for row in table["rows"]]


def test_what_a_convergence_is_judged_by_is_said(written: Written) -> None:
    said = "Convergence: verdicts and intervals rest on exact Cochran–Mantel–Haenszel tests"
    assert said in written.body


def test_findings_are_the_lines_and_the_table_of_the_page(written: Written) -> None:
    lines = findings(written.folder)
    assert lines == plain(brief(written.study))
    first = written.body[written.body.index('<div class="lead">') :]
    shown = re.findall(r"<p>(.*?)</p>", first[: first.index("</div>")])
    assert [unescape(one) for one in shown] == lines[: lines.index("")]
    for sentence in answer(written.study).sentences:  # in full, in the appendix
        assert str(escape(sentence.partition(":")[2] or sentence)) in written.html
    assert findings(written.folder / "nowhere") == []


def test_a_report_is_current_until_a_run_ends(written: Written, partial: Written) -> None:
    with open_store(written.url) as store:
        info = store.find_study(written.study.name)
        assert is_current(store, info, written.folder)
        assert not is_current(store, info, written.folder / "nowhere")
        assert not is_current(store, info, partial.folder)


def test_a_partial_report_says_what_is_missing_on_top(partial: Written) -> None:
    html = partial.html
    frame = partial.study.frame
    done = int(frame["test_accuracy"].notna().sum())
    assert 0 < done < len(frame)
    assert html.index('class="banner"') < html.index('<section id="answer"')
    assert f"{done} of {len(frame)} runs have an outcome" in html
    assert "2 failed" in html
    assert f"{done / len(frame):.1%}".rstrip("%") in html


def test_a_partial_report_counts_missing_runs_in_captions(partial: Written) -> None:
    frame = partial.study.frame
    missing = int(frame["test_accuracy"].isna().sum())
    assert f"{missing} missing." in partial.html


def test_nothing_finished_is_a_report_too(tmp_path: Path) -> None:
    from tests.analysis.report.simulated import simulate

    url, info = simulate(tmp_path, finished=0.0)
    page = write_report(info.name, tmp_path / "results", partial=True, storage=url)
    html = page.read_text(encoding="utf-8")
    assert "Nothing can be estimated yet" in html
    assert "0 of 216 runs have an outcome" in html


def _links(html: str) -> set[str]:
    body = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    return set(re.findall(r'<a href="(?!#)([^"]+)"', body))


def test_no_link_is_dead(written: Written, tmp_path: Path) -> None:
    from tests.analysis.report.simulated import simulate

    assert len(_links(written.html)) > 40
    assert all((written.folder / link).exists() for link in _links(written.html))
    url, info = simulate(tmp_path, finished=0.0)
    page = write_report(info.name, tmp_path / "results", partial=True, storage=url)
    links = _links(page.read_text(encoding="utf-8"))
    assert links
    assert all((page.parent / link).exists() for link in links)


def test_a_plugins_network_is_called_by_its_name_and_has_no_depth_of_ours(tmp_path: Path) -> None:
    from tests.analysis.report.simulated import simulate, specification

    url, info = simulate(tmp_path, specification(tmp_path, {"init": ["he", "xavier"]}))
    study = analysis.load(info.name, url)
    study = replace(study, info={**study.info, "model": {"name": "two_layers", "depth": 16}})
    for text in (methods(study), latex_table(study), *_facts(study)):
        assert "TWO" not in text
        assert "-16" not in text
    assert "Each run trained the network two_layers" in methods(study)


def test_the_library_in_a_page_carries_its_licence(written: Written) -> None:
    """Its MIT licence asks for its notice in every copy: each page is one, and each wheel."""
    notice = "The above copyright notice and this permission notice shall be included"
    assert notice in written.html
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    shipped = {path for pattern in project["license-files"] for path in ROOT.glob(pattern)}
    assert {path.name for path in shipped} == {"LICENSE", "LICENSE.plotly.txt"}
    assert any(notice in path.read_text("utf-8") for path in shipped)


def test_a_factor_of_the_protocol_is_no_setting_that_all_share(tmp_path: Path) -> None:
    from tests.analysis.report.simulated import simulate

    url, info = simulate(tmp_path, ROOT / "ablations" / "optimizer_by_depth.yaml")
    study = analysis.load(info.name, url)
    text = methods(study)
    assert "model.depth (11, 16)" in text
    assert "Each run trained a VGG of varied depth" in text
    assert "VGG-16" not in text
    assert (
        "Held fixed: augmentation basic, scheduler cosine, init he and bn placement before" in text
    )
    assert "Runs trained on CPU cores" in text
    assert "VGG on digits" in _facts(study)
    protocol = next(one for one in SECTIONS if one.key == "protocol").content(study, None)
    shared = [row[0] for row in protocol.tables[0]["rows"]]
    assert "model.depth" not in shared
    assert "model.width" in shared


def test_methods_name_uncommitted_changes_and_devices(written: Written) -> None:
    assert written.study.attempt_rows is not None
    attempts = written.study.attempt_rows.assign(
        dirty=True, device="cuda:0", provenance=[{"processor": "A CPU"}] * 216
    )
    text = methods(replace(written.study, attempt_rows=attempts))
    assert "code at commit 0123456789 with uncommitted changes" in text
    assert "Runs trained on CUDA devices." in text
    assert "with uncommitted changes" not in methods(written.study)


def test_a_loss_beyond_64_bits_stays_a_number() -> None:
    values = np.array([2.3, np.nan, 1e17, np.nan])
    assert _integers(values, 1000) == [2300, None, 10**20, None][:3]


def _hostile_table(names: tuple[str, str], label: str) -> pd.DataFrame:
    random = np.random.default_rng(0)
    rows = []
    for replicate in range(3):
        for first in (label, "None"):
            for second in ("a & b", "$x_1$"):
                value = 0.5 + 0.2 * (first == label) + random.normal(0, 0.01)
                rows.append((first, second, replicate, value))
    return pd.DataFrame(rows, columns=[*names, "seed", "acc"])


def test_names_are_never_html(tmp_path: Path) -> None:
    names = ("<img src=x onerror=alert(1)>", "yield")
    study = analysis.from_frame(
        _hostile_table(names, HOSTILE), list(names), "acc", "seed", name="<i>study</i>"
    )
    html = write_report(study, tmp_path).read_text(encoding="utf-8")
    assert "<img" not in html
    assert HOSTILE not in html
    assert "<i>study" not in html
    assert "&lt;i&gt;study" in html
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert data is not None
    assert HOSTILE in json.loads(data.group(1))["factors"][names[0]]
    tex = (tmp_path / "paper" / "ablation.tex").read_text(encoding="utf-8")
    assert r"\$x\_1\$" in tex
    assert r"a \& b" in tex
    markdown = (tmp_path / "paper" / "ablation.md").read_text(encoding="utf-8")
    assert "<script" not in markdown
    assert "<img" not in markdown


def test_no_name_of_a_factor_is_reserved(tmp_path: Path) -> None:
    names = ("mean", "runs", "level")
    rng = np.random.default_rng(0)
    rows = [
        (*cell, seed, 0.5 + 0.2 * (cell[0] == "factor") + 0.01 * rng.normal())
        for cell in product(("factor", "estimate"), ("low", "high"), ("cell", "p"))
        for seed in range(3)
    ]
    table = pd.DataFrame(rows, columns=[*names, "seed", "y"])
    study = analysis.from_frame(table, list(names), "y", "seed")
    assert "could not be drawn" not in write_report(study, tmp_path).read_text(encoding="utf-8")
    document = json.loads((tmp_path / "effects.json").read_text("utf-8"))
    means = document["marginal_means"]["pooled"]
    assert means[0]["levels"] == {"mean": "factor"}
    assert [row["term"] for row in means[:6:2]] == list(names)
    cells = pd.read_csv(tmp_path / "figures" / "cell_heat_map.csv")
    assert len(cells) == 8
    assert set(cells["cell"]) == {
        ", ".join(cell) for cell in product(("factor", "estimate"), ("low", "high"), ("cell", "p"))
    }


def test_data_of_a_script_cannot_end_it() -> None:
    text = to_script({"name": HOSTILE + "\u2028&"})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"name": HOSTILE + "\u2028&"}


def test_a_folder_that_cannot_be_written_is_one_sentence(written: Written, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write a report"):
        write_report(written.study, tmp_path / "file" / "below")


def test_an_unknown_study_is_one_sentence(written: Written, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no study"):
        write_report("nonsense", tmp_path, storage=written.url)


def test_a_report_that_cannot_be_written_leaves_the_collector_on(
    written: Written, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="cannot write a report"), Press(1) as press:
        write_report(written.study, tmp_path / "file" / "below", press=press)
    assert gc.isenabled()
