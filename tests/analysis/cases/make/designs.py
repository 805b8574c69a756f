"""Expected measures of designs, by ways that `runner.design.search.quality` does not go.

Regular fractions: the group of defining words of published generators (Box, Hunter and Hunter;
Chen, Sun and Wu 1993), as bit masks. Orthogonal arrays: the rows stand in the case's expected.json,
their generalised word lengths come from agreements between pairs of runs (Xu and Wu 2001), their
generalised resolution from regressions (Groemping and Xu 2014).
"""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

CASES = Path(__file__).parents[1]
LETTERS = "ABCDEFGHJ"
GENERATORS = {
    "2^(4-1)": ["ABC"],
    "2^(5-1)": ["ABCD"],
    "2^(5-2)": ["AB", "AC"],
    "2^(6-2)": ["ABC", "ABD"],
    "2^(7-3)": ["ABC", "ABD", "ACD"],
    "2^(7-4)": ["AB", "AC", "BC", "ABC"],
    "2^(6-1)": ["ABCDE"],
    "2^(8-4)": ["ABC", "ABD", "ACD", "BCD"],
}


def mask(letters: str) -> int:
    return sum(1 << LETTERS.index(letter) for letter in letters)


def word(bits: int) -> str:
    return "".join(letter for k, letter in enumerate(LETTERS) if bits >> k & 1)


def regular(generators: list[str], factors: int) -> dict[str, Any]:
    """Rows, word lengths and aliases of the fraction whose last factors are these products."""
    base = factors - len(generators)
    words = {0}
    for k, product in enumerate(generators):
        words |= {w ^ mask(product) ^ 1 << (base + k) for w in words}
    lengths = [w.bit_count() for w in words if w]
    runs = [[1 if run >> k & 1 else -1 for k in range(base)] for run in range(2**base)]
    for run in runs:
        run += [int(np.prod([run[LETTERS.index(x)] for x in product])) for product in generators]
    low = [1 << k for k in range(factors)]
    low += [low[a] | low[b] for a, b in combinations(range(factors), 2)]
    sets: dict[int, list[int]] = {}
    for term in low:
        sets.setdefault(min(term ^ w for w in words), []).append(term)
    mixed = [group for group in sets.values() if len(group) > 1]
    mixed.sort(key=lambda group: low.index(group[0]))
    names = [(group[0].bit_count(), "=".join(word(t) for t in group)) for group in mixed]
    alone = [group[0] for group in sets.values() if len(group) == 1]
    return {
        "nruns": len(runs),
        "nfactors": factors,
        "resolution": min(lengths),
        "WLP_3plus": [lengths.count(size) for size in range(3, 8)],
        "n_clear_2fis": sum(term.bit_count() == 2 for term in alone),
        "alias_main": [name for size, name in names if size == 1],
        "alias_2fi": [name for size, name in names if size == 2],
        "design": runs,
    }


def word_lengths(runs: np.ndarray, levels: list[int]) -> list[float]:
    """A_0, A_1, ...: means over pairs of runs of elementary symmetric polynomials of agreements."""
    polynomial = np.zeros((len(levels) + 1, len(runs), len(runs)))
    polynomial[0] = 1
    for column, count in zip(runs.T, levels, strict=True):
        agreement = count * (column[:, None] == column) - 1.0
        polynomial[1:] = polynomial[1:] + polynomial[:-1] * agreement
    return [round(float(a), 10) + 0.0 for a in polynomial.mean((1, 2))]


def effects(columns: np.ndarray) -> np.ndarray:
    """Orthonormal columns of everything that these factors together span, the mean left out."""
    _, cells = np.unique(columns, axis=0, return_inverse=True)
    dummies = np.eye(cells.max() + 1)[cells.ravel()]
    q, r = np.linalg.qr(np.column_stack([np.ones(len(columns)), dummies[:, 1:]]))
    return np.asarray(q[:, 1:][:, np.abs(np.diag(r))[1:] > 1e-9])


def generalised_resolution(runs: np.ndarray, words: list[float]) -> list[float] | None:
    """GR and GR_ind: by a factor's mean and largest squared correlation with r - 1 others."""
    order = next((size for size in range(1, len(words)) if words[size] > 1e-9), None)
    if order is None:
        return None
    mean, largest = 0.0, 0.0
    for chosen in combinations(range(runs.shape[1]), order):
        for factor in chosen:
            others = [other for other in chosen if other != factor]
            overlap = effects(runs[:, [factor]]).T @ effects(runs[:, others])
            squares = np.linalg.svd(overlap, compute_uv=False) ** 2
            mean = max(mean, float(squares.sum() / overlap.shape[0]))
            largest = max(largest, float(squares.max()))
    return [round(order + 1 - x**0.5, 6) for x in (mean, largest)]


def write(case: str, numbers: dict[str, Any]) -> None:
    """One array or fraction an entry, each of its keys a line."""
    entries: list[str] = []
    for name, entry in numbers.items():
        lines = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in entry.items())
        entries.append(f" {json.dumps(name)}: {{\n{lines}\n }}")
    text = "{\n" + ",\n".join(entries) + "\n}\n"
    (CASES / case / "expected.json").write_text(text, "utf-8")


def main() -> None:
    write(
        "design_regular_fractions",
        {name: regular(words, int(name[3])) for name, words in GENERATORS.items()},
    )
    arrays = json.loads((CASES / "design_orthogonal_arrays" / "expected.json").read_text("utf-8"))
    for array in arrays.values():
        runs = np.array(array["design"])
        array["GWLP"] = word_lengths(runs, array["nlevels"])
        array["GR"] = generalised_resolution(runs, array["GWLP"])
    write("design_orthogonal_arrays", arrays)


if __name__ == "__main__":
    main()
