"""Factors that a file may leave out, where they cannot act: refused, or advised against.

Two levels that make the same training are a question without an answer, and half the cells for
nothing. What is refused here is known before anything is trained.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ablations import registry
from ablations.optional.averaging import Average
from runner.content.cell import Cell
from runner.content.level import Level
from runner.program.wording import counted, listed
from runner.spec.catalog import train_images
from runner.spec.spec import Spec

RISING = ("one_cycle", "cyclic")
"""Schedulers that begin below the learning rate and rise by themselves."""

_SECTIONS = ("loss", "mixing", "averaging", "warmup", "optimizer", "scheduler")
_FIELDS = ("batch_size", "label_smoothing", "weight_decay", "epochs")


def refuse_what_cannot_act(spec: Spec, cells: Sequence[Cell]) -> None:
    """Refuse levels that change nothing beside another of the same cell.

    Args:
        spec: what was asked.
        cells: one of each combination.

    Raises:
        InputError: which, with the line of the file and what to write instead.
    """
    _refuse_parameters_of_others(spec, cells)
    for cell in _distinct(spec, cells):
        _refuse_hard_labels(spec, cell)
        _refuse_decay(spec, cell)
        if (level := cell.chosen("mixing")) and cell.train.batch_size == 1:
            raise spec.refuse(
                _place(spec, level),
                f"mixing {level.label!r} needs two images, and a batch has one; raise "
                "train.batch_size",
            )
        if (rule := _average(cell)) and rule.per == "epoch" and rule.first >= cell.train.epochs:
            level = cell.level("averaging")
            raise spec.refuse(
                _place(spec, level),
                f"averaging {level.label!r} begins with epoch {rule.first} of "
                f"{cell.train.epochs}: no two epochs to average; give it an earlier start or the "
                "cell more epochs",
            )
        _refuse_a_short_warmup(spec, cell)


def advice(spec: Spec, cells: Sequence[Cell]) -> Iterator[str]:
    """Sentences on what is allowed and may not be what was meant."""
    distinct = list(_distinct(spec, cells))
    if any(cell.chosen("loss") for cell in distinct):
        yield (
            "losses of validation and test images are cross-entropy under every level of loss, so "
            "that they compare; those of training images are the level's own"
        )
    rising = [one for one in distinct if one.chosen("warmup") and _scheduler(one) in RISING]
    if rising:
        both = {
            factor: list(dict.fromkeys(cell.level(factor).label for cell in rising))
            for factor in ("scheduler", "warmup")
        }
        yield (
            f"warmup {listed(both['warmup'])} comes on top of scheduler "
            f"{listed(both['scheduler'])}, whose rate begins low and rises anyway"
            + _exclude(spec, both)
        )
    yield from dict.fromkeys(filter(None, map(_long_memory, distinct)))


def _distinct(spec: Spec, cells: Sequence[Cell]) -> Iterator[Cell]:
    """Cells that differ in what is looked at here; none where the file names nothing of it."""
    if spec.trainer is not None:  # only it knows what acts on what
        return
    named = {level.factor for factor in spec.factors for level in factor.levels[:1]}
    named |= {level.factor for level in spec.fixed}
    if not named & set(registry.OPTIONAL) and spec.values("train.weight_decay") == [None]:
        return
    seen = set()
    for cell in cells:
        levels = (one for one in (*cell.levels, *cell.held) if one.factor in _SECTIONS)
        key = (
            *((one.factor, one.label) for one in levels),
            *(getattr(cell.train, field) for field in _FIELDS),
            *(cell.data.name, cell.data.limit, cell.data.validation),
        )
        if key not in seen:
            seen.add(key)
            yield cell


def _refuse_parameters_of_others(spec: Spec, cells: Sequence[Cell]) -> None:
    """Levels of `optimizer.lr` beside an optimizer that has none: all of them one training."""
    if spec.trainer is not None:
        return
    for factor in spec.factors:
        owner, _, name = factor.name.partition(".")
        if owner not in (*registry.FACTORS, *registry.OPTIONAL) or not name:
            continue
        beside: dict[str, list[str]] = {}
        for cell in cells:
            level = cell.level(owner)
            if name not in level.parameters:
                seen = beside.setdefault(level.label, [])
                seen += [one for one in [cell.labels[factor.name]] if one not in seen]
        for label, labels in beside.items():
            if len(labels) > 1:
                order = [one for one in factor.labels if one in labels]
                raise spec.refuse(
                    ("factors", factor.name),
                    f"{owner} {label!r} has no parameter {name!r}: beside it these levels are all "
                    "one training" + _exclude(spec, {owner: [label], factor.name: order[1:]}),
                )


def _refuse_hard_labels(spec: Spec, cell: Cell) -> None:
    loss, mixing = cell.chosen("loss"), cell.chosen("mixing")
    if loss is None or not registry.find("loss", loss.name).facts.get("hard_labels"):
        return
    takes = f"loss {loss.label!r} takes hard labels only"
    if mixing is not None:
        raise spec.refuse(
            _place(spec, mixing),
            f"{takes}, and mixing {mixing.label!r} makes shares of two classes of them"
            + _exclude(spec, {"loss": [loss.label], "mixing": [mixing.label]}),
        )
    smoothing = cell.train.label_smoothing
    if smoothing:
        raise spec.refuse(
            _field(spec, "train.label_smoothing"),
            f"{takes}: label smoothing ({smoothing:g}) changes nothing of it"
            + _exclude(spec, {"loss": [loss.label], "train.label_smoothing": [f"{smoothing:g}"]}),
        )


def _refuse_decay(spec: Spec, cell: Cell) -> None:
    decay, optimizer = cell.train.weight_decay, cell.level("optimizer")
    if decay is None:
        return
    own = registry.find("optimizer", optimizer.name).defaults
    if "weight_decay" not in own:
        raise spec.refuse(
            _field(spec, "train.weight_decay"),
            f"optimizer {optimizer.label!r} has no parameter weight_decay that this could set",
        )
    said = optimizer.parameters["weight_decay"]
    if said != own["weight_decay"] and None not in spec.values("train.weight_decay"):
        raise spec.refuse(
            _field(spec, "train.weight_decay"),
            f"takes the place of the weight_decay {said:g} that optimizer {optimizer.label!r} "
            "says, in every cell; say it in one of the two places",
        )


def _refuse_a_short_warmup(spec: Spec, cell: Cell) -> None:
    level, steps = cell.chosen("warmup"), steps_of(cell)
    if level is None or not steps or not registry.is_built_in("warmup", level.name):
        return
    if registry.find("warmup", level.name).function(1, steps, **level.parameters) >= 1:
        raise spec.refuse(
            _place(spec, level),
            f"warmup {level.label!r} is over before the first of {counted(steps, 'step')}: it "
            "changes nothing; give it a larger share",
        )


def _long_memory(cell: Cell) -> str | None:
    """An average that remembers more steps than there are."""
    level, steps = cell.chosen("averaging"), steps_of(cell)
    decay = None if level is None else level.parameters.get("decay")
    if level is None or level.name != "ema" or decay is None or not steps:
        return None
    memory = round(1 / (1 - decay))
    if memory <= steps:
        return None
    shorter = f"; a decay of {1 - 10 / steps:.2g} remembers a tenth of them" if steps > 20 else ""
    return (
        f"averaging {level.label!r} remembers about {memory:,} steps and a cell takes {steps:,}: "
        f"the first count nearly as much as the last{shorter}"
    )


def steps_of(cell: Cell) -> int | None:
    """Optimizer steps of the whole training; None where the number of images is not known yet."""
    images = train_images(cell.data)
    if not images:
        return None
    return cell.train.epochs * (images // min(cell.train.batch_size, images))


def _average(cell: Cell) -> Average | None:
    """What is averaged; None for a plugin's level too, which is not run for planning."""
    level = cell.chosen("averaging")
    if level is None or not registry.is_built_in("averaging", level.name):
        return None
    rule: Average = registry.find("averaging", level.name).function(
        cell.train.epochs, **level.parameters
    )
    return rule


def _scheduler(cell: Cell) -> str:
    return cell.level("scheduler").name


def _place(spec: Spec, level: Level) -> tuple[str | int, ...]:
    """Where in the file the level stands."""
    labels = spec.labels.get(level.factor)
    if labels is None:
        return "fixed", level.factor
    return "factors", level.factor, labels.index(level.label)


def _field(spec: Spec, field: str) -> tuple[str, ...]:
    return ("factors", field) if field in spec.labels else tuple(field.split("."))


def _flow(labels: Sequence[str]) -> str:
    """One label or several, as YAML has them."""
    return labels[0] if len(labels) == 1 else f"[{', '.join(labels)}]"


def _exclude(spec: Spec, levels: Mapping[str, Sequence[str]]) -> str:
    """What to write so that these levels do not meet, where that can be written."""
    if not all(factor in spec.labels for factor in levels):
        return "; take one of the two out"
    pair = ", ".join(f"{factor}: {_flow(labels)}" for factor, labels in levels.items())
    return f"; 'exclude: [{{{pair}}}]' keeps them apart"
