"""What is read out of a training's source text."""

from __future__ import annotations

import re

from runner.beginning.source import told_by


def test_a_function_tells_its_responses_by_what_it_returns():
    text = "def fit():\n    kept = {'train_loss': 1, 'epoch': 2, 'accuracy': 3}\n    return kept\n"
    assert told_by(text, "fit").responses == ("accuracy", "train_loss")
    assert told_by("def fit():\n    return float(val_loss)\n", "fit").responses == ("val_loss",)
    assert told_by("def fit():\n    return\n", "fit").responses == ()


def test_a_printed_line_becomes_an_expression_that_finds_its_numbers():
    text = (
        "print('Train loss {:.3f}'.format(x))\n"
        "print('\\nTest set: Average loss: {:.4f}, '\n"
        "      'Accuracy: {}/{} ({:.0f}%)\\n'.format(a, b, c, d))\n"
        "print('done')\n"
    )
    told = told_by(text)
    printed = "\nTest set: Average loss: 0.0312, Accuracy: 9871/10000 (99%)\n"
    found = re.search(told.pattern, printed, re.MULTILINE)
    assert found is not None
    assert found.groupdict() == {"loss": "0.0312", "accuracy": "9871"}
    assert told.responses[0] == "accuracy"


def test_an_f_string_names_numbers_by_its_variables():
    told = told_by("for epoch in e:\n    print(f'[{epoch}] {val_acc:.3f} ({seconds} s)')\n")
    found = re.search(told.pattern, "[3] nan (2 s)")
    assert found is not None
    assert found.groupdict()["epoch"] == "3"
    assert found.groupdict()["val_acc"] == "nan"


def test_json_that_is_printed_is_told_from_json_in_a_file():
    assert told_by("print(json.dumps({'rmse': 1}))").prints_json
    told = told_by("f = open('metrics.jsonl')\nprint(json.dumps({'rmse': 1}), file=f)")
    assert (told.prints_json, told.file, told.responses) == (False, "metrics.jsonl", ("rmse",))


def test_choices_are_what_a_text_is_compared_with_matched_with_or_looks_up():
    text = """
TABLE = {"relu": 1, "gelu": 2}
def fit(a, b, c, d):
    if a == "x": pass
    elif a in ("y", "z"): pass
    match b:
        case "m": pass
        case "n": pass
    return TABLE[c], {"p": 1}[self.d]
"""
    assert told_by(text).choices == {
        "a": ("x", "y", "z"), "b": ("m", "n"), "c": ("relu", "gelu"), "d": ("p",),
    }  # fmt: skip


def test_text_that_is_no_python_tells_nothing():
    assert told_by("this is { no python").responses == ()
