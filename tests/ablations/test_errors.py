"""An error keeps its parts: nobody reads a key back out of its sentence."""

from __future__ import annotations

import pickle

import pytest

from ablations.errors import InputError, OptionError, did_you_mean
from ablations.registry import ParameterError
from runner.data import DataError


@pytest.mark.parametrize(
    ("error", "sentence", "key"),
    [
        (InputError("the file is empty"), "the file is empty", ""),
        (InputError("no folder /x", "data.root"), "data.root: no folder /x", "data.root"),
        (DataError("no images", "data.root"), "data.root: no images", "data.root"),
        (OptionError("--devices", "9", "is not there"), "--devices 9: is not there", "--devices"),
        (ParameterError("sgd needs a value for 'lr'", "lr"), "sgd needs a value for 'lr'", ""),
    ],
)
def test_sentence_and_parts_come_whole_out_of_another_process(error, sentence, key):
    for one in (error, pickle.loads(pickle.dumps(error))):  # noqa: S301
        assert type(one) is type(error)
        assert (str(one), one.key) == (sentence, key)
        assert vars(one) == vars(error)


def test_the_nearest_name_or_all_of_them():
    assert did_you_mean("adan", ["sgd", "adam"]) == "did you mean 'adam'?"
    assert did_you_mean("x", ["sgd", "adam"]) == "expected one of adam, sgd"
    assert did_you_mean("x", []) == "no name is valid here"
