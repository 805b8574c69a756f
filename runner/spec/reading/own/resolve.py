"""A file whose trainer is a function or command of one's own, looked up and checked."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from ablations.errors import Mistakes
from runner.content.level import Factor, Level
from runner.content.protocol import TrainSpec
from runner.content.response import CONVERGED, EPOCHS
from runner.spec.claims import Claim
from runner.spec.node import Node
from runner.spec.predicates import Predicate
from runner.spec.reading.claims import read_claims
from runner.spec.reading.own.levels import read_argument, read_own_factors, read_own_fixed
from runner.spec.reading.own.responses import read_responses
from runner.spec.reading.own.trainer import read_trainer
from runner.spec.reading.restrictions import read_predicates
from runner.spec.reading.tune import read_own_tune
from runner.spec.spec import Spec
from runner.spec.spec_file import SpecFile

OF_EVERY_TRAINER = ("seed", "threads", "time_limit")
"""Fields of `train` that are not the image classifier's alone."""


def resolve_own(
    root: Node, sections: SpecFile, profile: str, file: Path, before: Node | None = None
) -> Spec:
    """The specification of a validated file.

    Raises:
        InputError: anything in it that cannot be.
    """
    assert sections.trainer is not None  # noqa: S101 - whoever calls has seen it
    mistakes = Mistakes()
    factors: tuple[Factor, ...] = ()
    with mistakes.noted():
        _refuse_the_classifiers(root)
    with mistakes.noted():
        if sections.run.keep_weights != "none":
            raise root.refuse(
                ("run", "keep_weights"),
                "is of the shipped trainer; a trainer of one's own keeps what it likes in the "
                "folder of its cell (the argument 'folder')",
            )
    with mistakes.noted():
        factors = read_own_factors(root)
    mistakes.refuse()  # what follows names levels
    fixed: tuple[Level, ...] = ()
    exclude: tuple[Predicate, ...] = ()
    only: tuple[Predicate, ...] = ()
    with mistakes.noted():
        fixed = read_own_fixed(root, factors)
    with mistakes.noted():
        exclude = read_predicates(root, "exclude", factors, fixed)
    with mistakes.noted():
        only = read_predicates(root, "only", factors, fixed)
    with mistakes.noted():
        records = read_responses(root, sections.responses, factors)
        claims, left_out = read_claims(
            root, sections.claims, factors, before, read_own_factors, records
        )
    with mistakes.noted():
        tune = read_own_tune(root, sections, factors, read_argument)
    mistakes.refuse()
    if next(iter(sections.responses.values())).target is None:
        _refuse_claims_on_a_target(root, claims)
    return Spec(
        name=unicodedata.normalize("NFC", sections.name),
        profile=profile,
        data=sections.data,
        model=sections.model,
        train=sections.train,
        factors=factors,
        fixed=fixed,
        replicates=sections.least,
        adaptive=sections.adaptive,
        seeds=sections.seeds,
        design=sections.design,
        exclude=exclude,
        only=only,
        claims=claims,
        left_out=left_out,
        tune=tune,
        run=sections.run,
        backend=sections.backend,
        trainer=read_trainer(
            root,
            sections.trainer,
            factors,
            (*fixed, *(() if tune is None else (*tune.starts, *tune.trial))),
            records,
            sections.least,
        ),
        responses={
            name: one.model_dump(exclude_none=True) for name, one in sections.responses.items()
        },
        source=str(file.resolve()),
        root=root,
    )


def _refuse_claims_on_a_target(root: Node, claims: Sequence[Claim]) -> None:
    written = root.get("claims").plain or []
    for claim in claims:
        if claim.about in (CONVERGED, EPOCHS):
            name = next(iter(root.get("responses").plain), "accuracy")
            raise root.refuse(
                ("claims", written.index(claim.text)),
                f"claim {claim.text!r} needs a target: 'responses: {{{name}: {{target: ...}}}}'",
            )


def _refuse_the_classifiers(root: Node) -> None:
    """Refuse what only the shipped image classifier reads."""
    for section in ("data", "model", "plugins"):
        if root.get(section).value is not None:
            raise root.refuse(
                (section,),
                "is the image classifier's; what the trainer of one's own is given stands under "
                "'factors' and 'fixed'",
            )
    train = root.get("train").value
    for key in train if isinstance(train, dict) else {}:
        if key in TrainSpec.model_fields and key not in OF_EVERY_TRAINER:
            raise root.refuse(
                ("train", key),
                f"is the image classifier's; give it to the trainer of one's own: 'fixed: {{{key}: "
                "...}'",
            )
