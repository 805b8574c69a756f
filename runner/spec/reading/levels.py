"""What stands under `factors` and `fixed`, turned into levels with all their parameters.

    optimizer: [adam, {sgd_momentum: {lr: 0.1}}, {as: hot, sgd_momentum: {lr: 0.5}}]
    optimizer.lr: [0.3, 0.1, 0.03]
    model.depth: [11, {as: deep, value: 16}]

A level of one of the five factors, or of those that a file may leave out, is looked up in the
registry; a level of a protocol field is checked against the field, one of a parameter
(`optimizer.lr`) against the levels that have it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from ablations import registry
from ablations.bounds import in_words
from ablations.errors import InputError, Mistakes, did_you_mean
from ablations.registry import BOUNDS, FACTORS, OPTIONAL, ParameterError
from runner.content.level import SECTIONS, Factor, Level
from runner.content.protocol import NOT_IDENTITY, DataSpec, ModelSpec, TrainSpec
from runner.program.wording import listed
from runner.spec.node import Node

Path = tuple[str | int, ...]

_MODELS: dict[str, type[BaseModel]] = dict(
    zip(SECTIONS, (DataSpec, ModelSpec, TrainSpec), strict=True)
)
LONGEST_LABEL = 100


def field_factors() -> tuple[str, ...]:
    """Protocol fields that may be factors: those that change what a cell learns."""
    return tuple(
        f"{section}.{field}"
        for section, model in _MODELS.items()
        for field in model.model_fields
        if field not in ("parameters", "mirror_keeps_labels") and field not in NOT_IDENTITY[section]
    )


def read_factors(
    root: Node, read_factor: Callable[[str, Node], Factor] | None = None
) -> tuple[Factor, ...]:
    """Every factor of the file with its levels, in the file's order.

    Args:
        root: the file.
        read_factor: reads one of them by its name; None: as a factor of the shipped trainer.

    Raises:
        InputError: an unknown factor or level, fewer than two levels, or two that are the same.
    """
    entries = root.get("factors").value
    factors = entries if isinstance(entries, dict) else {}
    if not factors:
        raise root.refuse(("factors",), "no factor is varied; expected at least one")
    found: list[Factor] = []
    mistakes = Mistakes()
    for name in factors:
        with mistakes.noted():
            found.append((read_factor or _read_factor)(name, root))
    mistakes.refuse()
    return tuple(found)


def _read_factor(name: str, root: Node) -> Factor:
    path: Path = ("factors", name)
    check_factor_name(name, root, path)
    node = root.at(path)
    entries = node.value if isinstance(node.value, list) else []
    levels: list[Level] = []
    mistakes = Mistakes()
    for position in range(len(entries)):
        with mistakes.noted():
            one = read_level(name, root, (*path, position))
            _check_new(one, levels, root, (*path, position))
            levels.append(one)
    mistakes.refuse()
    if len(levels) < 2:
        given = f"only {levels[0].label!r}" if levels else "none"
        value = levels[0].label if levels else "LEVEL"
        owner, _, field = name.partition(".")
        instead = (
            f"write '{owner}: {{LEVEL: {{{field}: {value}}}}}'"
            if is_parameter(name)
            else f"set {name} in its section"
            if "." in name
            else f"put '{name}: {value}' under 'fixed'"
        )
        raise root.refuse(path, f"a factor needs two levels or more, found {given}; {instead}")
    return Factor(name, tuple(levels))


def read_fixed(
    root: Node, varied: Sequence[str], usual: Mapping[str, str] | None = None
) -> tuple[Level, ...]:
    """The levels that are held constant: of the five factors, and of others that the file names.

    Args:
        root: the file.
        varied: names of the factors that are varied.
        usual: the level of a factor that the file may leave out.

    Raises:
        InputError: a factor is varied and fixed, unknown, or neither varied nor fixed.
    """
    entries = root.get("fixed").value
    fixed = entries if isinstance(entries, dict) else {}
    usual = {name: one for name, one in (usual or {}).items() if name not in (*fixed, *varied)}
    mistakes = Mistakes()
    for name in fixed:
        with mistakes.noted():
            _check_fixed(name, varied, root)
    for name in FACTORS:
        if name not in varied and name not in fixed and name not in usual:
            levels = ", ".join(registry.names(name))
            with mistakes.noted():
                raise root.refuse(
                    ("factors",),
                    f"{name!r} is neither varied nor fixed; add a line such as "
                    f"'{name}: {registry.names(name)[0]}' under 'fixed' (levels: {levels})",
                )
    read: dict[str, Level] = {}
    for name in (*FACTORS, *OPTIONAL):
        with mistakes.noted():
            if name in fixed:
                read[name] = read_level(name, root, ("fixed", name))
            elif name in usual:
                level = registry.resolve(name, usual[name], {})
                read[name] = Level(name, usual[name], usual[name], level)
    mistakes.refuse()
    return tuple(read.values())


def _check_fixed(name: str, varied: Sequence[str], root: Node) -> None:
    path: Path = ("fixed", name)
    section, _, field = name.partition(".")
    if "." in name and name in field_factors():
        raise root.refuse(path, f"set it in its section instead: '{section}: {{{field}: ...}}'")
    if is_parameter(name):
        raise root.refuse(
            path, f"write it into the level: '{section}: {{LEVEL: {{{field}: ...}}}}'"
        )
    check_factor_name(name, root, path)
    if name in varied:
        raise root.refuse(path, f"{name!r} is under 'factors' as well; take it out of one")


def check_factor_name(name: str, root: Node, path: Path) -> None:
    """Refuse what is no factor, no protocol field and no parameter of a level; InputError."""
    named = (*FACTORS, *OPTIONAL, *field_factors())
    if name in named or _plugin_parameter(name):
        return
    section, dot, field = name.partition(".")
    if dot and is_parameter(name):
        owners = _levels_of(section, root)
        known = {key for one in owners for key in one.parameters}
        if not owners:
            raise root.refuse(path, f"{section!r} is neither varied nor fixed; name its level")
        if field not in known:
            kept = listed([repr(one.label) for one in owners])
            hint = did_you_mean(field, sorted(known)) if known else "they take none"
            raise root.refuse(path, f"no level of {section} ({kept}) has a parameter {field!r}; "
                              f"{hint}")  # fmt: skip
        return
    if dot and field in NOT_IDENTITY.get(section, ()):
        raise root.refuse(path, f"{name} does not change what a cell learns: it cannot be a factor")
    inside = [one for one in named if one.partition(".")[2] == name]
    hint = f"did you mean {inside[0]!r}?" if inside else did_you_mean(name, named)
    raise root.refuse(path, f"unknown factor {name!r}; {hint}")


def is_parameter(name: str) -> bool:
    """Whether `name` is that of a parameter of a factor's levels, such as "optimizer.lr"."""
    return name.partition(".")[0] in (*FACTORS, *OPTIONAL) and "." in name


def _levels_of(factor: str, root: Node) -> list[Level]:
    """The levels of a factor of the registry in the file, varied or fixed."""
    entries = root.get("factors").get(factor).value
    if isinstance(entries, list):
        return [read_level(factor, root, ("factors", factor, i)) for i in range(len(entries))]
    if root.get("fixed").get(factor).value is not None:
        return [read_level(factor, root, ("fixed", factor))]
    return []


def _plugin_parameter(name: str) -> bool:
    """Whether `name` is `model.parameters.KEY` or `data.parameters.KEY`."""
    steps = name.split(".")
    return len(steps) == 3 and steps[0] in ("data", "model") and steps[1] == "parameters"


def _check_new(one: Level, before: list[Level], root: Node, path: Path) -> None:
    for other in before:
        same_function = one.is_field or other.name == one.name
        if same_function and other.parameters == one.parameters:  # 1, 1.0 and True are equal
            alias = "" if other.label == one.label else f" (as {other.label!r})"
            raise root.refuse(path, f"level {one.label!r} is given twice{alias}")
        if other.label == one.label:
            raise root.refuse(
                path,
                f"two levels are called {one.label!r}; give one another name: "
                f"{{as: NAME, {one.name}: {{...}}}}",
            )


def read_level(factor: str, root: Node, path: Path) -> Level:
    """The level written at `path`: a name, a name with parameters, or an alias for one."""
    node = root.at(path)
    read = _read_field_level if "." in factor else _read_named_level
    if isinstance(node.value, list):
        raise root.refuse(path, "a level cannot be a list")
    if not isinstance(node.value, dict):
        return _checked(read(factor, node.plain, None, None, root, path), root, path)
    entry = dict(node.value)
    alias = entry.pop("as", None)
    label = None if alias is None else read_alias(alias, root, (*path, "as"))
    if len(entry) != 1:
        keys = ", ".join(entry) or "nothing"
        raise root.refuse(path, f"expected one level (and 'as' for an alias), found {keys}")
    ((name, parameters),) = entry.items()
    return _checked(read(factor, name, parameters, label, root, path), root, path)


def _checked(level: Level, root: Node, path: Path) -> Level:
    """The level; refused where people cannot be shown what it is called, whatever named it."""
    if registry.has_control(level.label):
        raise root.refuse(path, f"{level.label!r} holds a control character; a label is plain text")
    return level


def read_alias(node: Node, root: Node, path: Path) -> str:
    """A label that a person gives; InputError where it cannot be one."""
    text = node.value
    printable = isinstance(text, str) and text.strip() == text != ""
    if not isinstance(text, str) or not printable:
        raise root.refuse(path, f"{node.plain!r}: an alias is text; quote it")
    if len(text) > LONGEST_LABEL:
        raise root.refuse(path, f"an alias has at most {LONGEST_LABEL} characters")
    return text


def _read_named_level(
    factor: str, name: Any, parameters: Node | None, label: str | None, root: Node, path: Path
) -> Level:
    if not isinstance(name, str):
        hint = did_you_mean(str(name), registry.names(factor))
        raise root.refuse(path, f"{name!r} is no name of a level; {hint}")
    given: Any = {} if parameters is None or parameters.value is None else parameters.plain
    if not isinstance(given, dict):
        raise root.refuse(
            (*path, name), f"expected parameters such as {{{name}: {{KEY: VALUE}}}}, got {given!r}"
        )
    try:
        resolved = registry.resolve(factor, name, given)
    except ParameterError as error:
        at = (*path, name, error.parameter) if error.parameter in given else path
        raise root.refuse(at, str(error)) from None
    except InputError as error:
        raise root.refuse(path, str(error)) from None
    return Level(factor, label or name, name, resolved)


def _read_field_level(
    factor: str, key: Any, parameters: Node | None, label: str | None, root: Node, path: Path
) -> Level:
    if parameters is not None:
        if key != "value":
            raise root.refuse(path, f"expected {{as: NAME, value: ...}}, found {key!r}")
        value = parameters.plain
    else:
        value = key
    checked = _field_value(factor, value, root, path)
    text = label_of(checked)
    return Level(factor, label or text, text, {"value": checked})


def _field_value(factor: str, value: Any, root: Node, path: Path) -> Any:
    if isinstance(value, dict | list):
        raise root.refuse(path, f"a level of {factor} is a single value, got {value!r}")
    if _plugin_parameter(factor):
        return value
    if is_parameter(factor):
        return _parameter_value(factor, value, root, path)
    section, _, field = factor.partition(".")
    info = _MODELS[section].model_fields[field]
    bounded: Any = Annotated[info.annotation, info]  # the type with the field's bounds
    adapter: TypeAdapter[Any] = TypeAdapter(bounded, config=ConfigDict(strict=True))
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        problem = first["msg"].replace("Input should be", "expected")
        if first["type"] in BOUNDS:
            problem = f"expected {in_words(info.metadata)}"
        raise root.refuse(path, f"{value!r}: {problem}") from None


def _parameter_value(factor: str, value: Any, root: Node, path: Path) -> Any:
    """The value as the levels that have the parameter take it."""
    owner, _, name = factor.partition(".")
    for level in _levels_of(owner, root):
        if name not in level.parameters:
            continue
        try:
            value = registry.resolve(owner, level.name, {**level.parameters, name: value})[name]
        except InputError as error:
            raise root.refuse(path, str(error)) from None
    return value


def label_of(value: Any) -> str:
    """A field's value as a label: `true`, `null`, `16`, `0.5`; 1.0 is `1`."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = str(value)
    return text.removesuffix(".0") if isinstance(value, float) else text
