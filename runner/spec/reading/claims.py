"""The claims of a file, held against its factors.

A setting of the command line may take away a level that the file's claims name: those are left out,
with a sentence each, because nobody who tries two levels first should have to edit the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ablations.errors import InputError, Mistakes
from runner.content.level import Factor
from runner.content.response import Response
from runner.spec.claims import Claim, check_claim, claim_reader
from runner.spec.node import Node


def read_claims(
    root: Node,
    texts: Sequence[str],
    factors: Sequence[Factor],
    before: Node | None,
    read_factors: Callable[[Node], tuple[Factor, ...]],
    responses: Mapping[str, Response] | None = None,
) -> tuple[tuple[Claim, ...], tuple[str, ...]]:
    """The claims, and a sentence for each one that the settings left nothing to say about.

    Args:
        root: the tree with the settings.
        texts: the claims as written.
        factors: what is varied.
        before: the tree without the settings.
        read_factors: reads the factors of a tree.
        responses: what a trainer of one's own ends with, the primary one first.

    Raises:
        InputError: a claim that is none, is given twice, or names what the file never had.
    """
    labels = {factor.name: factor.labels for factor in factors}
    parse = claim_reader(responses)
    claims: list[Claim] = []
    left_out: list[str] = []
    mistakes = Mistakes()
    for position, text in enumerate(texts):
        try:
            claim = check_claim(parse(text), labels)
        except InputError as error:
            if before is None or not _was_sound(text, before, read_factors, parse):
                with mistakes.noted():
                    raise root.refuse(("claims", position), str(error)) from None
            left_out.append(
                f"claim {text!r} is left out: a setting (--set) took away what it names"
            )
            continue
        with mistakes.noted():
            for other in claims:
                if other.meaning(labels) == claim.meaning(labels):
                    spelling = "" if other.text == text else f" (as {other.text!r})"
                    said = f"claim {text!r} is given twice{spelling}"
                    raise root.refuse(("claims", position), said)
        claims.append(claim)
    mistakes.refuse()
    return tuple(claims), tuple(left_out)


def _was_sound(
    text: str,
    before: Node,
    read_factors: Callable[[Node], tuple[Factor, ...]],
    parse: Callable[[str], Claim],
) -> bool:
    """Whether the file has the claim, and what it names."""
    written = before.get("claims").plain
    if not isinstance(written, list) or text not in written:
        return False
    try:
        labels = {factor.name: factor.labels for factor in read_factors(before)}
        check_claim(parse(text), labels)
    except InputError:
        return False
    return True
