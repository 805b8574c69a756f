"""Claims read what a person writes and refuse the rest with the nearest name."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ablations.errors import InputError
from runner.content.response import CONVERGED, EPOCHS
from runner.spec.claims import Claim, Condition, check_claim, parse_claim

FACTORS = {
    "optimizer": ("adam", "adamw", "sgd_momentum"),
    "scheduler": ("constant", "cosine", "one_cycle"),
    "bn_placement": ("none", "before", "after"),
    "model.depth": ("11", "16"),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "bn_placement: before > after",
            Claim("bn_placement: before > after", "bn_placement", "before", ">", "after"),
        ),
        (
            "bn_placement:before<after by 0.5",
            Claim("bn_placement:before<after by 0.5", "bn_placement", "before", "<", "after", 0.5),
        ),
        (
            "optimizer: adam = adamw by 1e-1 pp",
            Claim("optimizer: adam = adamw by 1e-1 pp", "optimizer", "adam", "=", "adamw", 0.1),
        ),
        (
            "optimizer: adam > adamw on convergence",
            Claim("optimizer: adam > adamw on convergence", "optimizer", "adam", ">", "adamw",
                  about=CONVERGED),
        ),
        (
            "bn_placement: before < none on epochs by 120 | scheduler = cosine",
            Claim("bn_placement: before < none on epochs by 120 | scheduler = cosine",
                  "bn_placement", "before", "<", "none", 120.0,
                  (Condition("scheduler", ("cosine",)),), EPOCHS),
        ),
        (
            "optimizer: adam ~ adamw by 2pp",
            Claim("optimizer: adam ~ adamw by 2pp", "optimizer", "adam", "=", "adamw", 2.0),
        ),
        (
            "optimizer: adam > adamw by 2% | scheduler != constant",
            Claim(
                "optimizer: adam > adamw by 2% | scheduler != constant",
                "optimizer", "adam", ">", "adamw", 2.0,
                (Condition("scheduler", ("constant",), True),),
            ),
        ),
        (
            "model.depth: 16 > 11 | optimizer = adam, scheduler in {cosine, one_cycle}",
            Claim(
                "model.depth: 16 > 11 | optimizer = adam, scheduler in {cosine, one_cycle}",
                "model.depth", "16", ">", "11", 0.0,
                (
                    Condition("optimizer", ("adam",)),
                    Condition("scheduler", ("cosine", "one_cycle")),
                ),
            ),
        ),
        (
            "optimizer: adam > adamw | scheduler not in [constant] and bn_placement == none",
            Claim(
                "optimizer: adam > adamw | scheduler not in [constant] and bn_placement == none",
                "optimizer", "adam", ">", "adamw", 0.0,
                (Condition("scheduler", ("constant",), True), Condition("bn_placement", ("none",))),
            ),
        ),
    ],
)  # fmt: skip
def test_a_claim_is_read(text: str, expected: Claim) -> None:
    assert parse_claim(text) == expected
    assert check_claim(parse_claim(text), FACTORS) == expected


def test_quoted_labels_may_hold_anything() -> None:
    claim = parse_claim("""init: "he > 2" > 'by | and' """)
    assert (claim.left, claim.right) == ("he > 2", "by | and")
    assert parse_claim(r'init: "a\"b" > c').left == 'a"b'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the factor is missing"),
        ("bn_placement before > after", "':' is missing after 'bn_placement'"),
        ("bn_placement: before", "'>', '<' or '=' is missing at its end"),
        ("bn_placement: > after", "a level is missing before '>'"),
        ("bn_placement: before > ", "a level is missing at its end"),
        ("bn_placement: before >= after", "'>', '<' or '=' is missing before '>='"),
        ("bn_placement: before > before", "compares 'before' with itself"),
        ("bn_placement: before > after by", "margin after 'by' is missing"),
        ("bn_placement: before > after by much", "'much' is no number"),
        ("bn_placement: before > after by pp", "no number"),
        ("bn_placement: before > after by -1", "not between 0 and 100"),
        ("bn_placement: before > after by nan", "not between 0 and 100"),
        ("bn_placement: before > after by 101", "not between 0 and 100"),
        ("optimizer: adam = adamw", "'=' needs a margin"),
        ("optimizer: adam > adamw on", "the outcome after 'on' is missing at its end"),
        ("optimizer: adam > adamw on convergense", "did you mean 'convergence'"),
        ("optimizer: adam > adamw on epochs by 2pp", "no number of epochs"),
        ("optimizer: adam > adamw on epochs by inf", "not above 0 epochs"),
        ("optimizer: adam > adamw on convergence by 101", "not between 0 and 100"),
        ("optimizer: adam > adamw |", "the factor of a condition is missing at its end"),
        ("optimizer: adam > adamw | scheduler", "'=', '!=' or 'in' is missing"),
        ("optimizer: adam > adamw | scheduler in cosine", "'in' needs a list"),
        ("optimizer: adam > adamw | scheduler in {cosine, one_cycle", "'}' is missing"),
        ("optimizer: adam > adamw | scheduler in {cosine]", "'}' is missing"),
        ("optimizer: adam > adamw | scheduler = cosine or init = he", "cannot read on"),
        ("optimizer: adam > adamw extra", "cannot read on before 'extra'"),
        ("optimizer: adam > adamw | scheduler ! cosine", "cannot read '! cosine'"),
        ('optimizer: "adam > adamw', "cannot read"),
    ],
)
def test_what_is_no_claim_is_refused_with_its_text(text: str, says: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_claim(text)
    assert says in str(refused.value)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("optimiser: adam > adamw", "no factor of this study; did you mean 'optimizer'?"),
        ("optimizer: adm > adamw", "no level 'adm'; did you mean 'adam'?"),
        ("optimizer: adam > adamw | shceduler = cosine", "did you mean 'scheduler'?"),
        ("optimizer: adam > adamw | scheduler = cosin", "did you mean 'cosine'?"),
        ("optimizer: adam > adamw | optimizer != sgd_momentum", "the factor it compares"),
        (
            "optimizer: adam > adamw | scheduler = cosine and scheduler = constant",
            "leave no level of 'scheduler'",
        ),
    ],
)
def test_names_are_held_against_the_study(text: str, says: str) -> None:
    with pytest.raises(InputError, match="claim") as refused:
        check_claim(parse_claim(text), FACTORS)
    assert says in str(refused.value)


def test_given_lists_the_levels_that_count_in_declared_order() -> None:
    claim = parse_claim(
        "optimizer: adam > adamw | scheduler in {one_cycle, cosine} and model.depth != 11"
    )
    assert claim.given(FACTORS) == {
        "scheduler": ("cosine", "one_cycle"),
        "model.depth": ("16",),
    }


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_claim_or_a_clear_refusal(text: str) -> None:
    try:
        claim = parse_claim(text)
    except InputError:
        return  # any other exception would fail the test
    assert claim.text == text
    assert claim.left != claim.right


names = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=12)


@settings(max_examples=200, deadline=None)
@given(names, names, names, st.sampled_from("<>"), st.floats(0.01, 100))
def test_any_label_survives_quoting(
    factor: str, left: str, right: str, sign: str, margin: float
) -> None:
    def quote(label: str) -> str:
        return '"' + label.replace("\\", "\\\\").replace('"', '\\"') + '"'

    text = f"{quote(factor)}: {quote(left)} {sign} {quote(right)} by {margin}"
    if left == right:
        with pytest.raises(InputError, match="itself"):
            parse_claim(text)
        return
    claim = parse_claim(text)
    assert (claim.factor, claim.left, claim.sign, claim.right) == (factor, left, sign, right)
    assert claim.margin == margin


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("optimizer: sgd_hot > adam", "optimizer:sgd_hot>adam", True),
        ("optimizer: sgd_hot > adam", "optimizer: adam < sgd_hot", True),
        ("optimizer: sgd_hot = adam by 1", "optimizer: adam ~ sgd_hot by 1pp", True),
        ("optimizer: sgd_hot > adam | init != he", "optimizer: sgd_hot > adam | init in {OTHERS}",
         True),
        ("optimizer: sgd_hot > adam | init in {he, OTHERS}", "optimizer: sgd_hot > adam", True),
        ("optimizer: sgd_hot > adam", "optimizer: adam > sgd_hot", False),
        ("optimizer: sgd_hot > adam", "optimizer: sgd_hot > adam by 1", False),
        ("optimizer: sgd_hot > adam", "optimizer: sgd_hot > adam on convergence", False),
        ("optimizer: sgd_hot > adam", "optimizer: sgd_hot > adam | init = he", False),
    ],
)  # fmt: skip
def test_claims_that_say_the_same_are_known_as_such(one: str, other: str, same: bool) -> None:
    factors = {"optimizer": ("adam", "sgd_hot"), "init": ("he", "xavier", "naive")}
    left, right = (
        parse_claim(text.replace("OTHERS", "xavier, naive")).meaning(factors)
        for text in (one, other)
    )
    assert (left == right) is same
