"""One table in many forms gives the numbers of its plain form, or a sentence on what is wrong."""

from __future__ import annotations

import gzip
import itertools
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ablations.errors import InputError
from analysis.loading import from_frame
from analysis.study import Study
from analysis.table.forms.numbers import read_written
from analysis.table.forms.shape import Shape
from analysis.table.reading import read_table

ACC = [0.9003, 0.9038, 0.8972, 0.913, 0.9092, 0.9092, 0.9357, 0.9305, 0.9299, 0.9422, 0.9434,
       0.9399]  # fmt: skip
ROWS = [
    (opt, lr, seed, acc)
    for (opt, lr, seed), acc in zip(
        itertools.product(("Adam", "SGD momentum"), ("1e-3", "0.01"), "012"), ACC, strict=True
    )
]
HEADER = ("optimizer", "lr", "seed", "acc")
DIFFERENCES = [-0.0314833, -0.0099167]  # Adam - SGD momentum, 1e-3 - 0.01


def text(sep: str = ",", acc: str = "{:.4f}", rows: list[tuple] = ROWS) -> str:
    lines = [sep.join((*row[:3], acc.format(row[3]))) for row in rows]
    return "\n".join((sep.join(HEADER), *lines)) + "\n"


PLAIN = text()


def differences(path: Path, response: str = "acc", block: str | None = "seed") -> list[float]:
    table = read_table(path, ["optimizer", "lr"], response, block)
    assert len(table.frame) == 12
    return Study.of(table).contrasts()["estimate"].tolist()


@pytest.mark.parametrize(
    "raw",
    [
        PLAIN.encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-32"),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        gzip.compress(PLAIN.encode()),
        text("\t").encode(),
        text(";").encode(),
        text(";").replace("0.9", "0,9").encode(),
        text("\t").replace("0.9", "0,9").encode(),
        ("sep=;\n" + text(";")).encode(),
        text("|").encode(),
        text(" , ").encode(),
        ("# exported from a tracker\n# with, three, commas, here\n" + PLAIN).encode(),
        ("Results of May\n\n" + PLAIN).encode(),
        ("#" + PLAIN).encode(),
        (PLAIN + ",,,\n,,,\n\n").encode(),
        PLAIN.replace("\n", ",,,\n").encode(),
        (PLAIN + "optimizer,lr,seed,acc\n").encode(),
        PLAIN.replace("Adam", '"Adam"').encode(),
        text(acc='"{:.4f}"').encode(),
    ],
)  # fmt: skip
def test_a_table_in_any_dress_gives_the_same_numbers(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "runs.csv"
    path.write_bytes(raw)
    assert differences(path) == pytest.approx(DIFFERENCES, abs=1e-6)


def test_markdown_and_spaces_delimit_too(tmp_path: Path) -> None:
    path = tmp_path / "t.md"
    bars = "".join(f"| {' | '.join((o, lr, s, f'**{a}**'))} |\n" for o, lr, s, a in ROWS)
    path.write_text(f"| {' | '.join(HEADER)} |\n|---|:--|--:|---|\n{bars}", encoding="utf-8")
    assert differences(path) == pytest.approx(DIFFERENCES, abs=1e-6)
    quoted = PLAIN.replace("SGD momentum", '"SGD momentum"').replace(",", "  ")
    path.write_text(quoted, encoding="utf-8")
    assert differences(path) == pytest.approx(DIFFERENCES, abs=1e-6)
    numbered = [f'"{k}" {line}' for k, line in enumerate(quoted.splitlines())]
    path.write_text("\n".join([quoted.splitlines()[0], *numbered[1:]]), encoding="utf-8")
    assert differences(path) == pytest.approx(DIFFERENCES, abs=1e-6)  # as R's write.table


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS, columns=HEADER).assign(lr=lambda d: d["lr"].astype(float))
    frame.to_parquet(tmp_path / "runs.parquet")
    assert differences(tmp_path / "runs.parquet") == pytest.approx(DIFFERENCES, abs=1e-6)
    (tmp_path / "half.parquet").write_bytes((tmp_path / "runs.parquet").read_bytes()[:90])
    with pytest.raises(InputError, match="no whole Parquet file"):
        read_table(tmp_path / "half.parquet", ["lr"], "acc")


def test_parquet_without_its_library_is_said_what_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"needs pyarrow: pip install '.*\[parquet\]', or save"):
        read_table(tmp_path / "runs.parquet", ["lr"], "acc")


def test_excel_needs_its_extra_and_is_read_with_it(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS, columns=HEADER)
    try:
        import openpyxl
    except ImportError:
        (tmp_path / "t.xlsx").write_bytes(b"PK\x03\x04")
        with pytest.raises(InputError, match=r"needs openpyxl: pip install '.*\[excel\]'"):
            read_table(tmp_path / "t.xlsx", ["lr"], "acc")
        return
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        pd.DataFrame({"a": [1]}).to_excel(book, sheet_name="notes")
        frame.to_excel(book, sheet_name="runs", startrow=2, index=False)
    assert differences(tmp_path / "t.xlsx") == pytest.approx(DIFFERENCES, abs=1e-6)
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    for row in book["runs"].iter_rows(min_row=4, min_col=4, max_col=4):
        row[0].number_format = "0.0%"
    book.save(tmp_path / "t.xlsx")
    table = read_table(tmp_path / "t.xlsx", ["optimizer", "lr"], "acc", "seed")
    assert (table.unit, table.frame["acc"].iloc[0]) == ("%", 90.03)
    assert table.notes == ("sheet 'runs' of 2 was read",)


def test_percent_is_a_unit(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text(acc="{:.2%}"), encoding="utf-8")
    table = read_table(path, ["optimizer", "lr"], "acc", "seed")
    assert table.unit == "%"
    study = Study.of(table)
    assert study.contrasts()["estimate"].tolist() == pytest.approx(
        [100 * one for one in DIFFERENCES], abs=1e-4
    )
    assert study.measure.difference == "points"
    claim = study.claims('optimizer: "SGD momentum" > Adam by 2').iloc[0]
    assert claim["verdict"] == "supported"
    assert "3.15 points higher (better)" in claim["sentence"]
    path.write_text(text(acc="{:.2%}").replace("90.03%", "0.9003"), encoding="utf-8")
    with pytest.raises(InputError, match=r"has both '90.38%' and '0.9003'"):
        read_table(path, ["optimizer", "lr"], "acc", "seed")


def test_a_frame_with_text_in_percent_says_so_too() -> None:
    frame = pd.DataFrame(ROWS, columns=HEADER).assign(acc=[f"{one:.1%}" for one in ACC])
    study = from_frame(frame, ["optimizer", "lr"], "acc", "seed")
    assert (study.measure.unit, study.measure.high) == ("%", 100.0)


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        (["10,803", "9,950", "11,228"], [10803, 9950, 11228]),
        (["10 803", "9 950", "11 228"], [10803, 9950, 11228]),
        (["10'803", "9'950.5", "11\u2019228"], [10803, 9950.5, 11228]),
        (["1 234,5", "2 000", "3,25"], [1234.5, 2000, 3.25]),
        (["0,913", "0,9", "1,25"], [0.913, 0.9, 1.25]),
        (["1.234,5", "2.000,25", "3"], [1234.5, 2000.25, 3]),
        (["1,234.5", "2,000.25", "3"], [1234.5, 2000.25, 3]),
        (["1.234.567", "2.000.000", "3"], [1234567, 2000000, 3]),
        (["1,5e-3", "2e-3", "-0,5"], [0.0015, 0.002, -0.5]),
        (["\u22121.5", "2", "+3"], [-1.5, 2, 3]),
        (["-", "2", "n/a"], [np.nan, 2, np.nan]),
        (["#N/A", "\u2014", "?"], [np.nan] * 3),
        (["93 %", "n.a.", "94.5%"], [93, np.nan, 94.5]),
        (["0.90 +- 0.01", "0.91\u00b10.02", "0.92 (0.03)"], [0.90, 0.91, 0.92]),
        (["$90.0 \\pm 0.2$", "91.0 +/- 0.3", "**92.0** "], [90, 91, 92]),
    ],
)
def test_numbers_as_people_write_them(values: list[str], numbers: list[float]) -> None:
    read = read_written(pd.Series(values), "y", "the frame")
    assert read.values.tolist() == pytest.approx(numbers, nan_ok=True)


def test_a_lone_comma_is_read_as_the_file_suggests(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("A;y\na;1,234\na;1,250\nb;2,345\nb;2,350\n", encoding="utf-8")
    table = read_table(path, ["A"], "y")
    assert table.frame["y"].tolist() == [1.234, 1.25, 2.345, 2.35]
    assert table.notes == ("'1,234' of y is read as 1.234, others like it",)
    path.write_text('A,y\na,"1,234"\na,"1,250"\nb,"2,345"\nb,"2,350"\n', encoding="utf-8")
    assert read_table(path, ["A"], "y").frame["y"].tolist() == [1234, 1250, 2345, 2350]


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ("A,seed,y\na,0,1\nb,0,2,9\nb,1,3,9\n", r"line 3 of .* has 4 fields where the header names "
         r"3 \(so have 2 lines\): name the further column in the header, or quote the field that"),
        ("# c\nA;seed;y\n\na;0;1\nb;0;1;5\n", r"line 5 of .* has 4 fields .* holds ';'"),
        ("A,seed,y\na,0,1\nb\n", "line 3 of .* ends after 1 of the 3 fields"),
        ('A,seed,y\na,0,1\n\nb,0,"2\nb,1,3\n', "line 4 of .* begins a quoted field that is not"),
        ('[{"A": "a", "seed": 0, "y": 1}]', "is JSON: expected CSV, Parquet or Excel"),
        ("<html>404</html>", "is HTML or XML"),
        ("A,seed,y\na,0,1\nmean,,2\n", "'seed' .* is empty in data row 2: expected a level"),
        ("A,seed,y\na,0,1\nb,0,diverged\n", "has 'diverged' in data row 2: expected a number"),
        ("\n \n", "is empty: expected a header"),
    ],
)  # fmt: skip
def test_a_line_that_does_not_fit_is_named(tmp_path: Path, raw: str, sentence: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(raw, encoding="utf-8")
    with pytest.raises(InputError, match=sentence):
        read_table(path, ["A"], "y", "seed")


def test_windows_text_is_read_and_said_so(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(PLAIN.replace("optimizer", "optimizér").encode("cp1252"))
    table = read_table(path, ["optimizér", "lr"], "acc", "seed")
    assert table.notes == ("the file is not UTF-8 and was read as Windows-1252",)


def test_one_number_is_one_level_and_case_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(PLAIN.replace("1e-3,1", "0.001,1"), encoding="utf-8")
    table = read_table(path, ["optimizer", "lr"], "acc", "seed")
    assert table.factors["lr"] == ("1e-3", "0.01")
    assert table.notes == ("levels '1e-3', '0.001' of lr are one number: taken as one level, "
                           "'1e-3'",)  # fmt: skip
    assert differences(path) == pytest.approx(DIFFERENCES, abs=1e-6)
    path.write_text(PLAIN.replace("Adam,1e-3", "adam,1e-3"), encoding="utf-8")
    table = read_table(path, ["optimizer", "lr"], "acc", "seed")
    assert len(table.factors["optimizer"]) == 3
    assert "levels 'adam', 'Adam' of optimizer are written nearly alike" in table.notes[0]
    signs = pd.DataFrame({"A": ["-1", "1", "-1", "1"], "y": [1.0, 2.0, 3.0, 4.0]})
    assert from_frame(signs, ["A"], "y").table.notes == ()


def test_seeds_of_two_files_are_the_same_seeds() -> None:
    """Written 0 by one program and 0.0 by another."""
    frame = pd.DataFrame(ROWS, columns=HEADER)
    frame["seed"] = frame["seed"].where(frame["optimizer"] == "Adam", frame["seed"] + ".0")
    study = from_frame(frame, ["optimizer", "lr"], "acc", "seed")
    assert study.cells.replicate_names == ("0", "1", "2")
    assert "levels '0', '0.0' of seed are one number" in study.table.notes[0]
    many = pd.DataFrame({"A": list("ab") * 9, "seed": [k // 2 for k in range(18)]})
    many["seed"] = many["seed"].astype(str) + many["A"].map({"a": "", "b": ".0"})
    (note,) = from_frame(many.assign(y=range(18)), ["A"], "y", "seed").table.notes
    assert note.endswith("'0'; so are 8 more, each as it is written first")


def test_a_column_a_seed_is_a_run_each(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    lines = [
        f"{opt},{lr}," + ",".join(str(a) for o, r, _, a in ROWS if (o, r) == (opt, lr))
        for opt, lr in dict.fromkeys((o, r) for o, r, *_ in ROWS)
    ]
    path.write_text("optimizer,lr,seed0,seed1,seed2\n" + "\n".join(lines), encoding="utf-8")
    factors = ["optimizer", "lr"]
    table = read_table(path, factors, "acc", shape=Shape(wide="seed*"))
    assert (table.response, table.replicate) == ("acc", "seed")
    assert list(table.frame["seed"].cat.categories) == ["0", "1", "2"]
    found = Study.of(table).contrasts()
    wanted = from_frame(pd.DataFrame(ROWS, columns=HEADER), factors, "acc", "seed").contrasts()
    assert found[["estimate", "se", "p"]].equals(wanted[["estimate", "se", "p"]])
    assert read_table(path, factors, None, shape=Shape(wide="seed*")).response == "value"
    alone = read_table(path, factors, "seed0")
    assert "only seed0 is analysed: seed0, seed1, seed2 look like one outcome" in alone.notes[0]
    with pytest.raises(InputError, match="has none"):
        read_table(path, factors, "acc", shape=Shape(wide="run*"))


def test_columns_may_be_called_by_numbers() -> None:
    frame = pd.DataFrame(ROWS, columns=HEADER)
    wide = frame.pivot(index=["optimizer", "lr"], columns="seed", values="acc").reset_index()
    study = from_frame(wide.rename(columns=lambda x: int(x) if x.isdigit() else x),
                       ["optimizer", "lr"], wide="[0-9]")  # fmt: skip
    assert (study.response, study.replicate, study.cells.n) == ("acc", "replicate", 12)
    assert from_frame(frame.rename(columns={"acc": 5}), ["lr"], 5).cells.n == 12  # type: ignore[arg-type]


def test_top1_and_top5_are_no_seeds() -> None:
    frame = pd.DataFrame({"A": list("aabb"), "top1": [1, 2, 3, 4.0], "top5": [2, 3, 4, 5.0]})
    assert from_frame(frame, ["A"], "top1").table.notes == ()


@pytest.fixture
def summary() -> pd.DataFrame:
    runs = pd.DataFrame(ROWS, columns=HEADER)
    by_cell = runs.groupby(["optimizer", "lr"], sort=False)["acc"].agg(["mean", "std", "count"])
    return by_cell.reset_index().rename(columns={"count": "n_seeds"})


def test_means_deviations_and_counts_say_what_the_runs_say(summary: pd.DataFrame) -> None:
    factors = ["optimizer", "lr"]
    runs = from_frame(pd.DataFrame(ROWS, columns=HEADER), factors, "acc").contrasts()
    told = summary.rename(columns={"std": "spread", "n_seeds": "k"})
    written = summary.assign(
        mean=[f"{m:.12f} ± {s:.12f}" for m, s in zip(summary["mean"], summary["std"], strict=True)]
    ).drop(columns=["std", "n_seeds"])
    for study in (
        from_frame(summary, factors, "mean"),
        from_frame(told, factors, "mean", std="spread", n="k"),
        from_frame(told, factors, "mean", std="spread", n=3),
        from_frame(written, factors, "mean", n=3),
    ):
        found = study.contrasts()
        for name in ("estimate", "se", "df", "p"):
            assert found[name].to_numpy() == pytest.approx(runs[name].to_numpy(), rel=1e-6)
        assert study.table.notes[0].startswith("12 runs were made up from means, deviations")
        assert len(study.table.notes) == 1


def test_a_deviation_without_a_count_is_named_as_unused(summary: pd.DataFrame) -> None:
    study = from_frame(summary.drop(columns="n_seeds"), ["optimizer", "lr"], "mean")
    assert study.cells.n == 4
    assert study.table.notes[0].startswith("each row counts as one run; if std is the deviation")


def test_a_summary_that_lacks_something_is_refused(summary: pd.DataFrame) -> None:
    factors = ["optimizer", "lr"]
    written = summary.assign(mean="0.90±0.01").drop(columns=["std", "n_seeds"])
    for frame, more, sentence in (
        (written, {}, "not of how many runs: name the column of the counts with --n"),
        (summary, {"std": "sdt"}, r"no column 'sdt' \(--std\)"),
        (summary, {"std": "std", "n": "seeds"}, r"no column 'seeds' \(--n\)"),
        (summary.drop(columns="std"), {"n": "n_seeds"}, "their standard deviation with --std"),
        (summary.assign(std=-1.0), {}, "no standard deviation of 3 runs in data row 1"),
        (summary.assign(n_seeds=2.5), {}, "'n_seeds' of the frame has 2.5 in data row 1"),
        (summary, {"replicate": "n_seeds"}, "no replicate is known: leave --block out"),
    ):
        with pytest.raises(InputError, match=sentence):
            from_frame(frame, factors, "mean", **more)


def test_each_row_with_a_deviation_is_still_a_run_where_cells_have_several() -> None:
    frame = pd.DataFrame(ROWS, columns=HEADER).assign(acc=[f"{one}±0.002" for one in ACC])
    study = from_frame(frame, ["optimizer", "lr"], "acc", "seed")
    assert study.contrasts()["estimate"].tolist() == pytest.approx(DIFFERENCES, abs=1e-6)
    assert study.table.notes == ("what stands behind the ± of acc is not used: each row is a run",)


DAYS = [1.95, 1.90, 1.79, 2.01, 1.96, 2.03, 1.85, 1.71, 1.95, 1.84, 1.96, 2.01, 1.89, 1.91, 1.94,
        1.98, 1.86, 1.98, 1.84, 1.95, 1.75, 1.78, 1.67, 1.67, 1.75, 1.72, 1.72, 1.86, 1.64, 1.76,
        1.70, 1.62, 1.54, 1.69, 1.74, 1.70, 1.52, 1.63, 1.67, 1.52]  # fmt: skip
"""Two runs a day for ten days, each measured twice (statsmodels/statsmodels#9577)."""


@pytest.fixture
def days() -> pd.DataFrame:
    day = [d for d in range(1, 11) for _ in range(4)]
    return pd.DataFrame({"Day": day, "Run": [1, 2] * 20, "y": DAYS})


def test_runs_within_days_are_what_days_are_tested_against(days: pd.DataFrame) -> None:
    """R: aov(y ~ Day + Error(Day:Run)) has F(9, 10) = 22.5, p = 1.7e-5."""
    study = from_frame(days, ["Day"], "y", nested="Run:Day")
    row = study.document()["anova"]["type3"][0]
    assert (row["df"], round(row["F"], 1)) == (9, 22.5)
    assert row["p"] == pytest.approx(1.7e-5, rel=0.05)
    assert study.cells.n == 20
    assert "40 rows became 20 means, one of each Run within Day" in study.table.notes[0]


def test_a_factor_is_tested_against_the_unit_that_has_one_level_of_it(days: pd.DataFrame) -> None:
    outer = days.assign(oven=np.where(days["Day"] % 2, "old", "new"))
    study = from_frame(outer, ["oven"], "y", nested="Run:Day")
    assert study.cells.n == 10  # days, not runs or measurements
    assert study.estimates().fit.residual_df == 8
    inner = days.assign(kind=np.where(days["Run"] == 1, "a", "b"))
    study = from_frame(inner, ["kind"], "y", nested="Run:Day")
    assert (study.cells.n, study.replicate) == (20, "Day")
    within = days.assign(dose=["lo", "lo", "hi", "hi"] * 10)
    study = from_frame(within, ["dose"], "y", nested="Run:Day")
    assert len(study.cells.replicate_names) == 20  # ids begin anew in each day
    both = within.assign(oven=outer["oven"])
    with pytest.raises(InputError, match=r"dose varies within each Run of .*, oven does not"):
        from_frame(both, ["oven", "dose"], "y", nested="Run:Day")
    for text, sentence in (
        ("Run", "expected 'Run:Day'"),
        ("Rum:Day", "no column 'Rum'"),
    ):
        with pytest.raises(InputError, match=sentence):
            from_frame(days, ["Day"], "y", nested=text)


def test_notes_count_in_grammar() -> None:
    frame = pd.DataFrame(
        {"A": list("aabbaab"), "B": list("xxxxyyy"), "y": [1.0, 2, 3, 4, 5, 6, np.nan]}
    )
    notes = from_frame(frame, ["A", "B"], "y").estimates().notes
    assert notes[0] == "1 of 7 runs has no y"
    assert notes[1] == "1 of 4 cells has no run with y"
