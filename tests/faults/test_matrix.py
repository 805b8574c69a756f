"""The fault matrix names tests that exist, and every fault has one."""

from __future__ import annotations

import ast
from functools import cache

import pytest

from tests.faults.harness import ROOT
from tests.faults.matrix import MATRIX

ROWS = [
    *(f"P{number}" for number in range(1, 11)),
    *(f"S{number}" for number in range(1, 13)),
    *(f"I{number}" for number in range(1, 7)),
    *(f"T{number}" for number in range(1, 5)),
    *(f"A{number}" for number in range(1, 4)),
    *(f"X{number}" for number in range(1, 8)),
    *(f"O{number}" for number in range(1, 8)),
    "W1",
]


@cache
def functions_of(file: str) -> set[str]:
    """Names of the test functions of a file, read without importing it."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}


def test_every_row_of_the_matrix_is_there():
    assert list(MATRIX) == ROWS


@pytest.mark.parametrize("row", MATRIX)
def test_a_row_has_tests_and_they_exist(row):
    assert MATRIX[row].tests, f"{row} has no test"
    for test in MATRIX[row].tests:
        file, _, function = test.partition("::")
        assert (ROOT / file).is_file(), f"{row} names a file that does not exist: {file}"
        assert function.startswith("test_"), f"{row} names no test: {test}"
        assert function in functions_of(file), f"{row} names a test that does not exist: {test}"
