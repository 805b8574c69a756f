"""Claims: the comparisons a study was planned to answer, written as one line each.

    bn_placement: before > after
    optimizer: sgd_momentum > adam | scheduler != constant and init in {he, xavier}
    augmentation: strong > basic by 0.5
    optimizer: adam = adamw by 0.5
    init: he > naive on convergence
    bn_placement: before < none on epochs by 2

Without "on" a claim is about test accuracy, or the first response of a trainer of one's own. On
convergence it compares the shares of runs that reached the target, on epochs the mean epochs until
the target accuracy: fewer is "<".

`parse_claim` reads the syntax, `check_claim` holds it against the study's factors. Whether a claim
is true is the analysis' business. A label with spaces or signs is quoted: `init: "he 2" > naive`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from ablations.errors import InputError, did_you_mean
from runner.content.response import ACCURACY, CONVERGED, EPOCHS, RESPONSES, Response, names_accuracy

Sign = Literal[">", "<", "="]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'])*')
      | (?P<sign>!=|==|>=|<=|[><=~|:,{}\[\]()])
      | (?P<word>[^\s"'!=<>~|:,{}\[\]()]+)
    )""",
    re.VERBOSE,
)
_POINTS = ("%", "pp", "points", "point")
_OPENING, _CLOSING = "{[(", "}])"
_SYNTAX = (
    "expected 'FACTOR: LEVEL > LEVEL', with 'on convergence' or 'on epochs', 'by POINTS' and "
    "'| FACTOR = LEVEL and ...' after it"
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One restriction on another factor: only cells with (or without) these levels count."""

    factor: str
    labels: tuple[str, ...]
    negated: bool = False  # "!=" and "not in"


@dataclass(frozen=True, slots=True)
class Claim:
    """`left` compared with `right` of one factor, by at least `margin`.

    With sign "=" the claim is equivalence: the difference lies within plus or minus `margin`.
    """

    text: str  # as written
    factor: str
    left: str
    sign: Sign
    right: str
    margin: float = 0.0  # as shown: percentage points of a share, epochs, the unit of a column
    conditions: tuple[Condition, ...] = ()
    about: Response = ACCURACY

    @property
    def outcome(self) -> str:
        """What it is about, in the word of a claim; a column of somebody's table by its name."""
        return self.about.claimed or self.about.column

    def given(self, factors: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
        """The levels that count, for each factor a condition names, in declared order.

        Args:
            factors: Every factor of the study with its labels.
        """
        allowed: dict[str, tuple[str, ...]] = {}
        for one in self.conditions:
            labels = allowed.get(one.factor, tuple(factors[one.factor]))
            allowed[one.factor] = tuple(
                label for label in labels if (label in one.labels) is not one.negated
            )
        return allowed

    def meaning(self, factors: Mapping[str, Sequence[str]]) -> tuple[object, ...]:
        """Equal for claims that say the same, however they are written.

        Args:
            factors: Every factor of the study with its labels.
        """
        left, sign, right = self.left, self.sign, self.right
        if sign == "<" or (sign == "=" and right < left):
            left, sign, right = right, (">" if sign == "<" else sign), left
        given = {
            (factor, labels)
            for factor, labels in self.given(factors).items()
            if len(labels) < len(factors[factor])
        }
        return self.factor, left, sign, right, self.margin, self.about, frozenset(given)


def parse_claim(
    text: str, about: Response = ACCURACY, outcomes: Iterable[Response] = RESPONSES
) -> Claim:
    """Read one claim; factors and levels are not looked up.

    Args:
        text: as written.
        about: the outcome that a claim without "on" is about.
        outcomes: what it may name after "on".

    Raises:
        InputError: the text is not a claim; the sentence quotes it and says what was expected.
    """
    return _ClaimReader(text, outcomes).claim(about)


def claim_reader(responses: Mapping[str, Response] | None) -> Callable[[str], Claim]:
    """What reads claims about the shipped trainer's outcomes, or about these."""
    if not responses:
        return parse_claim
    records = tuple(responses.values())
    ours = (one for one in (CONVERGED, EPOCHS) if one.claimed not in responses)
    return partial(parse_claim, about=records[0], outcomes=(*records, *ours))


def check_claim(claim: Claim, factors: Mapping[str, Sequence[str]]) -> Claim:
    """The claim, once every factor and level in it was found among `factors`.

    Args:
        claim: What `parse_claim` read.
        factors: Varied factors with their labels in declared order.

    Raises:
        InputError: an unknown factor or level (with the nearest name), a condition on the compared
            factor, or conditions that leave no level.
    """

    def refuse(problem: str) -> InputError:
        return InputError(f"claim {claim.text!r}: {problem}")

    def own(factor: str, label: str) -> str:
        return same_label(label, factors.get(factor, ()))

    claim = replace(
        claim,
        left=own(claim.factor, claim.left),
        right=own(claim.factor, claim.right),
        conditions=tuple(
            replace(one, labels=tuple(own(one.factor, label) for label in one.labels))
            for one in claim.conditions
        ),
    )

    def known(factor: str, labels: Sequence[str]) -> None:
        if factor not in factors:
            hint = did_you_mean(factor, factors)
            raise refuse(f"{factor!r} is no factor of this study; {hint}")
        for label in labels:
            if label not in factors[factor]:
                hint = did_you_mean(label, factors[factor])
                raise refuse(f"{factor!r} has no level {label!r}; {hint}")

    known(claim.factor, (claim.left, claim.right))
    for condition in claim.conditions:
        known(condition.factor, condition.labels)
        if condition.factor == claim.factor:
            raise refuse(f"a condition on {claim.factor!r}, the factor it compares, cannot help")
    for factor, labels in claim.given(factors).items():
        if not labels:
            raise refuse(f"its conditions leave no level of {factor!r}")
    return claim


def same_label(label: object, labels: Sequence[str]) -> str:
    """The label among these that this is, be it a number or written another way (0.001, 1e-3).

    Returns:
        The label itself, as text, where none or several are.
    """
    text = str(label).strip()
    if text in labels:
        return text
    try:
        value = float(text)
    except ValueError:
        return text
    equal = [one for one in labels if _is_number(one, value)]
    return equal[0] if len(equal) == 1 else text


def _is_number(label: str, value: float) -> bool:
    try:
        return float(label) == value
    except ValueError:
        return False


class _ClaimReader:
    """A recursive-descent reader over the tokens of one claim."""

    def __init__(self, text: str, outcomes: Iterable[Response]) -> None:
        self.text = text
        self.outcomes = outcomes
        self.tokens: list[tuple[str, str]] = []  # (kind, value)
        position = 0
        end = len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
            if match is None:
                raise self.refuse(f"cannot read {text[position:].strip()!r}")
            kind = match.lastgroup or "word"
            value = match.group(kind)
            if kind == "quoted":
                value = re.sub(r"\\(.)", r"\1", value[1:-1]) if value[0] == '"' else value[1:-1]
            self.tokens.append((kind, value))
            position = match.end()
        self.next = 0

    def refuse(self, problem: str) -> InputError:
        return InputError(f"claim {self.text!r}: {problem}; {_SYNTAX}")

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.next] if self.next < len(self.tokens) else ("end", "")

    def take(self, *signs: str) -> str | None:
        """The sign that comes next, where it is one of `signs`."""
        kind, value = self.peek()
        if kind == "sign" and value in signs:
            self.next += 1
            return value
        return None

    def take_word(self, word: str) -> bool:
        """Whether the keyword comes next (a quoted word is never a keyword)."""
        if self.peek() == ("word", word):
            self.next += 1
            return True
        return False

    def name(self, what: str) -> str:
        kind, value = self.peek()
        if kind not in ("word", "quoted") or not value:
            raise self.refuse(f"{what} is missing {self.where()}")
        self.next += 1
        return value

    def where(self) -> str:
        kind, value = self.peek()
        return "at its end" if kind == "end" else f"before {value!r}"

    def claim(self, about: Response) -> Claim:
        factor = self.name("the factor")
        if not self.take(":"):
            raise self.refuse(f"':' is missing after {factor!r}")
        left = self.name("a level")
        sign = self.sign()
        right = self.name("a level")
        if left == right:
            raise self.refuse(f"it compares {left!r} with itself")
        claim = Claim(self.text, factor, left, sign, right, about=about)
        if self.take_word("on"):
            claim = replace(claim, about=self.outcome(about))
        if self.take_word("by"):
            claim = replace(claim, margin=self.margin(claim.about))
        if sign == "=" and claim.margin == 0:
            raise self.refuse("'=' needs a margin within which two levels count as equal")
        if self.take("|"):
            claim = replace(claim, conditions=self.conditions())
        if self.peek()[0] != "end":
            raise self.refuse(f"cannot read on {self.where()}")
        return claim

    def sign(self) -> Sign:
        taken = self.take(">", "<", "=", "==", "~")
        if taken is None:
            raise self.refuse(f"'>', '<' or '=' is missing {self.where()}")
        if taken == ">":
            return ">"
        return "<" if taken == "<" else "="

    def outcome(self, about: Response) -> Response:
        word = self.name("the outcome after 'on'")
        known = {one.claimed: one for one in self.outcomes if one.claimed}
        known |= {about.column: about}
        if names_accuracy(about.column):  # of somebody's table: in its own unit
            known[ACCURACY.claimed] = about
        if word not in known:
            hint = did_you_mean(word, known)
            raise InputError(f"claim {self.text!r}: {word!r} is no outcome of a claim; {hint}")
        return known[word]

    def margin(self, about: Response) -> float:
        word = self.name("the margin after 'by'")
        unit = about.words.unit or f"units of {about.name}"
        unit = "percentage points" if about.share else unit
        bare = re.sub(r"(%|pp)$", "", word)
        in_points = bare != word or any(self.take_word(one) for one in _POINTS)
        # A column of shares within 0 and 1 is shown as it is stored; points are hundredths of it.
        hundredths = in_points and about.unit_interval
        try:
            margin = float(bare if about.share or hundredths else word)
        except ValueError:
            raise self.refuse(f"the margin {word!r} is no number of {unit}") from None
        most = 100.0 if about.share or hundredths else 1.0 if about.unit_interval else float("inf")
        if not 0 < margin < float("inf") or margin > most:
            allowed = f"between 0 and {most:g}" if most < float("inf") else "above 0"
            hint = f" (two points are 0.02 {unit}, or 2pp)" if most == 1 else ""
            raise self.refuse(f"the margin {word!r} is not {allowed} {unit}{hint}")
        if about.difference and not in_points:
            self.take_word(about.difference)
        return margin / 100 if hundredths else margin

    def conditions(self) -> tuple[Condition, ...]:
        conditions = [self.condition()]
        while self.take(",") or self.take_word("and"):
            conditions.append(self.condition())
        return tuple(conditions)

    def condition(self) -> Condition:
        factor = self.name("the factor of a condition")
        if self.take("=", "=="):
            return Condition(factor, (self.name("a level"),))
        if self.take("!="):
            return Condition(factor, (self.name("a level"),), negated=True)
        negated = self.take_word("not")
        if not self.take_word("in"):
            raise self.refuse(f"'=', '!=' or 'in' is missing after {factor!r}")
        return Condition(factor, self.labels(), negated)

    def labels(self) -> tuple[str, ...]:
        opening = self.take(*_OPENING)
        if opening is None:
            raise self.refuse(f"'in' needs a list of levels such as {{a, b}} {self.where()}")
        closing = _CLOSING[_OPENING.index(opening)]
        labels = [self.name("a level")]
        while self.take(","):
            labels.append(self.name("a level"))
        if not self.take(closing):
            raise self.refuse(f"{closing!r} is missing {self.where()}")
        return tuple(labels)
