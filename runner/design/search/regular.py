"""Regular fractions of two-level factors: by generators, or the best of a wanted resolution.

A word is a bit mask over the factors; the product of two words is their exclusive or. Factors are
lettered A, B, C, ... in the order of the specification, without I, which is the mean. The first
level of a factor is its low level.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product

from ablations.errors import InputError

Combination = tuple[int, ...]
"""Index of a level for each factor, in the order of the specification."""

LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
MOST_FACTORS = 11
"""Beyond it the search for generators takes long; nobody varies so many by a regular fraction."""

_GENERATOR = re.compile(r"([A-Z])=([+-]?)([A-Z]+)")


def from_generators(factors: int, generators: Sequence[str]) -> list[Combination]:
    """The runs of the fraction that words such as "E=ABCD" or "E=-AB" define.

    Raises:
        InputError: a generator cannot be read, names a factor there is not, defines a basic or an
            already defined factor, or makes two factors the same.
    """
    defined: dict[int, tuple[int, int]] = {}  # factor: (mask of the factors in its word, sign)
    for text in generators:
        match = _GENERATOR.fullmatch(text.replace(" ", "").replace("*", "").upper())
        if match is None:
            raise InputError(f"{text!r}: expected such as 'E=ABCD' or 'E=-ABC'")
        factor = _position(match[1], factors, text)
        word = 0
        for letter in match[3]:
            bit = 1 << _position(letter, factors, text)
            if word & bit:
                raise InputError(f"{text!r}: {letter} stands twice")
            word |= bit
        if factor in defined:
            raise InputError(f"{text!r}: {match[1]} is defined twice")
        defined[factor] = (word, -1 if match[2] == "-" else 1)
    for factor, (word, _) in defined.items():
        if any(word >> other & 1 for other in defined):
            raise InputError(
                f"the word of {LETTERS[factor]} holds a factor that is itself "
                "defined by a generator"
            )
    words = [word | 1 << factor for factor, (word, _) in defined.items()]
    shortest = min((one.bit_count() for one in defining_words(words)), default=factors)
    if shortest < 3:
        raise InputError("two factors would always change together")
    basic = [factor for factor in range(factors) if factor not in defined]
    runs = []
    for levels in product((0, 1), repeat=len(basic)):
        run = dict(zip(basic, levels, strict=True))
        for factor, (word, sign) in defined.items():
            lows = sum(1 - run[other] for other in basic if word >> other & 1)
            run[factor] = int((-1) ** lows * sign > 0)
        runs.append(tuple(run[factor] for factor in range(factors)))
    return runs


def _position(letter: str, factors: int, text: str) -> int:
    position = LETTERS.find(letter)
    if not 0 <= position < factors:
        raise InputError(
            f"{text!r}: there is no factor {letter}; the {factors} factors are "
            f"{LETTERS[0]} to {LETTERS[factors - 1]} in the file's order"
        )
    return position


def defining_words(words: Sequence[int]) -> list[int]:
    """All products of the generating words: the defining relation without the mean."""
    relation = [0]
    for word in words:
        relation += [word ^ other for other in relation]
    return relation[1:]


def generators_of_resolution(factors: int, resolution: int) -> list[str]:
    """Generators of the smallest fraction of at least this resolution.

    Among those it has minimum aberration: as few as possible of the shortest words, then of the
    next longer ones (Fries and Hunter, 1980).

    Raises:
        InputError: more factors than the search takes, or no fraction is that good.
    """
    if factors > MOST_FACTORS:
        raise InputError(
            f"a resolution is searched for up to {MOST_FACTORS} factors; give generators"
        )
    for halvings in range(factors - 1, 0, -1):
        best = _minimum_aberration(factors, halvings, resolution)
        if best is not None:
            return [
                LETTERS[factors - halvings + i]
                + "="
                + "".join(LETTERS[f] for f in range(factors - halvings) if word >> f & 1)
                for i, word in enumerate(best)
            ]
    raise InputError(
        f"no fraction of {factors} two-level factors has resolution {resolution}; "
        "expected 'design: {kind: full}' or a lower resolution"
    )


def _minimum_aberration(factors: int, halvings: int, resolution: int) -> tuple[int, ...] | None:
    """The generators' words over the basic factors; None where no choice is good enough."""
    basic = factors - halvings
    candidates = [word for word in range(1 << basic) if word.bit_count() >= resolution - 1]
    best: tuple[tuple[int, ...], tuple[int, ...]] | None = None

    def extend(chosen: tuple[int, ...], first: int, relation: list[int]) -> None:
        nonlocal best
        if len(chosen) == halvings:
            lengths = [word.bit_count() for word in relation[1:]]
            pattern = tuple(lengths.count(size) for size in range(3, factors + 1))
            if best is None or pattern < best[0]:
                best = (pattern, chosen)
            return
        for position in range(first, len(candidates)):
            word = candidates[position] | 1 << (basic + len(chosen))
            products = [word ^ other for other in relation]
            if min(one.bit_count() for one in products) >= resolution:
                extend((*chosen, candidates[position]), position + 1, relation + products)

    extend((), 0, [0])
    return None if best is None else best[1]
