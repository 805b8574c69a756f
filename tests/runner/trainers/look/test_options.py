"""Options read from a help text of argparse, click or typer."""

import argparse

import pytest

from runner.trainers.look.options import options_in, required_in


def argparse_help() -> str:
    parser = argparse.ArgumentParser("train.py")
    parser.add_argument("--lr", "-l", type=float, required=True, help="Rate of learning")
    parser.add_argument("--loss", choices=["ce", "focal"], default="ce", help="which loss")
    parser.add_argument("--weight-decay", type=float)
    parser.add_argument("--amp", action="store_true", help="Half the precision")
    parser.add_argument("--ema", action=argparse.BooleanOptionalAction)
    parser.add_argument("--a-very-long-option-name-that-wraps", type=int, help="help below")
    return parser.format_help()


def test_argparse():
    found = options_in(argparse_help())
    assert set(found) == {
        *("help", "lr", "loss", "weight_decay", "amp", "ema"),
        "a_very_long_option_name_that_wraps",
    }
    assert found["lr"].takes_value
    assert found["loss"].choices == ("ce", "focal")
    assert found["weight_decay"].spelled == "--weight-decay"
    assert not found["amp"].takes_value
    assert found["ema"].negated == "--no-ema"
    assert required_in(argparse_help()) == ("lr",)


CLICK = """Usage: train.py [OPTIONS]

Options:
  --lr FLOAT                  Learning rate.  [required]
  --loss [ce|focal]
  --shuffle / --no-shuffle    Shuffle.
  --help                      Show this message and exit.
"""

TYPER = """
 Usage: train.py [OPTIONS]

╭─ Options ────────────────────────────────────────────────╮
│ *  --lr            FLOAT       [default: None] [required] │
│    --loss          [ce|focal]  [default: ce]              │
│    --amp                       Half the precision         │
│    --help                      Show this message and exit.│
╰───────────────────────────────────────────────────────────╯
"""


@pytest.mark.parametrize("text", [CLICK, TYPER], ids=["click", "typer"])
def test_click_and_typer(text):
    found = options_in(text)
    assert found["lr"].takes_value
    assert found["loss"].choices == ("ce", "focal")
    flag = found.get("shuffle") or found["amp"]
    assert not flag.takes_value


def test_clicks_pairs():
    assert options_in(CLICK)["shuffle"].negated == "--no-shuffle"


def test_an_option_that_only_says_no_is_one():
    found = options_in("  --no-cuda   disables CUDA\n")
    assert (found["no_cuda"].spelled, found["no_cuda"].negated) == ("--no-cuda", "")


@pytest.mark.parametrize("text", [CLICK, TYPER], ids=["click", "typer"])
def test_what_must_be_given_is_known(text):
    assert [name for name, one in options_in(text).items() if one.required] == ["lr"]


def test_sentences_about_options_are_none():
    assert options_in("usage: x\n\nUse --lr to set it, and --no-color.\n") == {}
