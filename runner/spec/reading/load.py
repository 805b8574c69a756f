"""From a YAML file to a `Spec`: read, lay over, validate, look up.

Every mistake ends as one `InputError` that names file, line and key. Loading a file whose `plugins`
are empty runs no code of the user's and imports no torch.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ablations import registry
from ablations.bounds import in_words
from ablations.errors import InputError, Mistakes, did_you_mean
from ablations.registry import BOUNDS, FACTORS, OPTIONAL
from runner.content.code import code_of, files_of
from runner.content.level import Factor, Level
from runner.content.protocol import SIDE, DataSpec, ModelSpec, TrainSpec
from runner.program.wording import listed
from runner.spec.catalog import DATASETS
from runner.spec.claims import Claim
from runner.spec.node import Node
from runner.spec.predicates import Predicate
from runner.spec.reading.claims import read_claims
from runner.spec.reading.files.merge import (
    choose_profile,
    profile_names,
    read_extended,
    with_profile,
    with_setting,
)
from runner.spec.reading.files.shipped import specification_file
from runner.spec.reading.files.source import relative_to_file
from runner.spec.reading.levels import read_factors, read_fixed
from runner.spec.reading.own.levels import read_own_factors
from runner.spec.reading.own.resolve import resolve_own
from runner.spec.reading.plugins import MODELS, load_plugins_of
from runner.spec.reading.restrictions import read_predicates
from runner.spec.reading.tune import read_tune
from runner.spec.spec import Spec
from runner.spec.spec_file import DESIGNS, TAGS, CustomDesign, SpecFile

MOST_CELLS = 1_000_000

ONLY_BUILT_IN = ("depth", "width", "dropout")
"""Fields of `model` that a plugin's function is not told."""

_KINDS = {"model": "model", "data": "dataset"}
"""What the registry calls that which a section names."""

_NAME = re.compile(r"\w[\w.+-]*")
LONGEST_NAME = 100


def load_spec(
    path: str | Path,
    profile: str = "auto",
    overrides: Iterable[str] = (),
    *,
    cuda_visible: bool,
) -> Spec:
    """Read a specification.

    Args:
        path: The YAML file.
        profile: A profile's name, "auto" (cuda where a device is visible, else cpu, if the file has
            them) or "default" (none).
        overrides: `key=value` settings of the command line, applied last.
        cuda_visible: Whether "auto" means cuda.

    Raises:
        InputError: anything wrong in the file, the profile or the overrides.
    """
    file = specification_file(path)
    root = read_extended(file)
    settings = list(overrides)
    chosen = choose_profile(root, profile, cuda_visible=cuda_visible)
    spec = _resolve_with(root, chosen, settings, file)
    for other in profile_names(root):
        if other != chosen:  # a mistake in another machine's profile is better found on this one
            _check_profile(root, other, settings, file)
    return spec


def _check_profile(root: Node, profile: str, settings: list[str], file: Path) -> None:
    """Refuse a profile that is wrong in itself: with the settings and without them."""
    try:
        _resolve(with_profile(root, profile), profile, file)
    except InputError:
        if settings:  # they may have been meant for it, or not
            try:
                _resolve_with(root, profile, settings, file)
            except InputError:
                pass
            else:
                return
        raise


def _resolve_with(root: Node, profile: str, settings: list[str], file: Path) -> Spec:
    """What the settings of the command line make of a profile.

    What is wrong with a setting itself is said beside what is wrong with the file that the others
    make.
    """
    tree = before = with_profile(root, profile)
    mistakes = Mistakes()
    for setting in settings:
        with mistakes.noted():
            tree = with_setting(tree, setting)
    with mistakes.noted():
        spec = _resolve(tree, profile, file, before)
    mistakes.refuse()
    return spec


def _resolve(root: Node, profile: str, file: Path, before: Node | None = None) -> Spec:
    """Validate the tree, which may have been another `before` the settings; look everything up."""
    sections = _with_design_file(_sections(root), root)
    _check_name(sections.name, root, ("name",))
    if sections.trainer is not None:
        return _of_bounded_size(resolve_own(root, sections, profile, file, before))
    if sections.responses:
        raise root.refuse(
            ("responses",), "are of a trainer of one's own; the shipped one has its own"
        )
    plugins = load_plugins_of(root)
    data = sections.data.model_copy(
        update={
            "root": sections.data.root
            and relative_to_file(root, ("data", "root"), sections.data.root),
            "mirror_keeps_labels": _mirroring(root, sections.data),
            "parameters": _parameters(root, "data", sections.data.name, sections.data.parameters),
        }
    )
    model = sections.model.model_copy(
        update={
            "parameters": _parameters(root, "model", sections.model.name, sections.model.parameters)
        }
    )
    mistakes = Mistakes()
    factors: tuple[Factor, ...] = ()
    with mistakes.noted():
        factors = read_factors(root)
        _check_plugin_factors(factors, sections, root)
        _check_size(factors, sections, root)
    fixed: tuple[Level, ...] = ()
    with mistakes.noted():
        fixed = read_fixed(root, list(root.get("factors").plain), _usual(factors, model.name))
    mistakes.refuse()  # what follows names levels
    claims: tuple[Claim, ...] = ()
    left_out: tuple[str, ...] = ()
    exclude: tuple[Predicate, ...] = ()
    only: tuple[Predicate, ...] = ()
    with mistakes.noted():
        claims, left_out = read_claims(root, sections.claims, factors, before, read_factors)
    with mistakes.noted():
        exclude = read_predicates(root, "exclude", factors, fixed)
    with mistakes.noted():
        only = read_predicates(root, "only", factors, fixed)
    mistakes.refuse()
    spec = Spec(
        name=unicodedata.normalize("NFC", sections.name),
        profile=profile,
        data=data,
        model=model,
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
        tune=read_tune(root, sections, factors),
        plugins=plugins,
        code=code_of(
            (*fixed, *(level for factor in factors for level in factor.levels)),
            model.name,
            *(lv.name for factor in factors if factor.name == "model.name" for lv in factor.levels),
        ),
        files=files_of(plugins),
        run=sections.run,
        backend=sections.backend,
        source=str(file.resolve()),
        root=root,
    )
    return _of_bounded_size(spec)


def _of_bounded_size(spec: Spec) -> Spec:
    most = spec.replicates if spec.adaptive is None else spec.adaptive.most
    cells = spec.combinations * most
    if cells > MOST_CELLS:
        raise spec.refuse(
            ("factors",), f"{cells:,} cells are too many; expected at most {MOST_CELLS:,}"
        )
    if spec.adaptive is not None and spec.adaptive.asks_claims and not spec.claims:
        raise spec.refuse(
            ("replicates", "until"), "is 'claims', and the file plans none: add some, or 'mains'"
        )
    return spec


def _with_design_file(sections: SpecFile, root: Node) -> SpecFile:
    """The sections, in which the file of a custom design is named from anywhere."""
    if not isinstance(sections.design, CustomDesign):
        return sections
    file = relative_to_file(root, ("design", "file"), sections.design.file)
    return sections.model_copy(update={"design": sections.design.model_copy(update={"file": file})})


def _sections(root: Node) -> SpecFile:
    """The sections; where something in them is wrong, what is wrong with the levels is said too."""
    mistakes = Mistakes()
    with mistakes.noted():
        return _validate(root)
    factors = root.get("factors")
    if root.get("plugins").value is None and isinstance(factors.value, dict):
        with mistakes.noted():
            if root.get("trainer").value is not None:
                read_own_factors(root)
            else:
                read_factors(root)
    mistakes.refuse()
    raise AssertionError("what is wrong was refused")


def _validate(root: Node) -> SpecFile:
    """The sections with their types checked; a key with nothing behind it counts as absent."""
    raw = {key: value for key, value in root.plain.items() if value is not None}
    mistakes = Mistakes()
    for key in root.plain:
        if key not in SpecFile.model_fields:
            raw.pop(key, None)
            with mistakes.noted():
                raise root.refuse((key,), f"unknown key; {_where_it_belongs(key)}")
    sections = None
    try:
        sections = SpecFile.model_validate(raw, strict=True)
    except ValidationError as error:
        # A misspelt key is also a missing one: the misspelling is what helps.
        problems = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        for problem in problems:
            with mistakes.noted():
                raise _explain(problem, root) from None
    mistakes.refuse()
    assert sections is not None  # noqa: S101 - else it was refused
    return sections


def _nearest_or_home(key: str, section: Sequence[str | int]) -> str:
    """What to write instead of an unknown key of a section: a near name, or where it is known."""
    hint = did_you_mean(key, _fields(section))
    if hint.startswith("did you mean") or section[:1] not in (("data",), ("model",), ("train",)):
        return hint
    sections = (DataSpec, ModelSpec, TrainSpec)
    if key in (*FACTORS, *OPTIONAL) or any(key in one.model_fields for one in sections):
        return _where_it_belongs(key)
    for factor in (*FACTORS, *OPTIONAL):
        if key in registry.names(factor):
            return f"{key} is a level of {factor}: write 'fixed: {{{factor}: {key}}}'"
    for factor in (*FACTORS, *OPTIONAL):
        for level in registry.names(factor):
            if key in registry.find(factor, level).defaults:
                return (
                    f"{key} is a parameter of levels of {factor}: write "
                    f"'fixed: {{{factor}: {{{level}: {{{key}: ...}}}}}}'"
                )
    return hint


def _where_it_belongs(key: str) -> str:
    """What to write instead of an unknown key of the top level."""
    inside = [
        f"{section}.{key}"
        for section, model in (("data", DataSpec), ("model", ModelSpec), ("train", TrainSpec))
        if key in model.model_fields and key not in ("name", "parameters")
    ]
    if inside:
        return f"did you mean {inside[0]!r}?"
    if key in (*FACTORS, *OPTIONAL):
        return f"did you mean 'factors.{key}' or 'fixed.{key}'?"
    return did_you_mean(key, SpecFile.model_fields)


def _explain(first: ErrorDetails, root: Node) -> InputError:
    """A problem as a sentence."""
    place = tuple(step for step in first["loc"] if step not in TAGS)
    path = tuple(step for i, step in enumerate(place) if not (i in (1, 3) and step in DESIGNS))
    kind, given, message = first["type"], first["input"], str(first["msg"])
    message = message.replace("Input should be", "expected").removeprefix("Value error, ")
    if kind == "extra_forbidden":
        problem = f"unknown key; {_nearest_or_home(str(path[-1]), place[:-1])}"
    elif kind == "missing":
        problem = "is missing"
    elif kind == "string_type":
        problem = f"{given!r}: expected text; quote it"
    elif kind == "bool_type":
        problem = f"{given!r}: expected true or false"
    elif kind in ("union_tag_invalid", "union_tag_not_found"):
        name = str(given.get("kind", "")) if isinstance(given, dict) else str(given)
        problem = f"unknown design {name!r}; {did_you_mean(name, DESIGNS)}"
    elif kind in ("model_type", "model_attributes_type", "dict_type"):
        problem = f"{given!r}: expected a mapping of keys to values"
    elif kind in BOUNDS and (bounds := _bounds(place)):
        problem = f"{given!r}: expected {bounds}"
    elif isinstance(given, dict | list):
        problem = message
    else:
        problem = f"{given!r}: {message}"
    return root.refuse(path, problem)


def _bounds(location: Sequence[str | int]) -> str:
    """The bounds of the field at `location` in words."""
    field = _section(location[:-1]).model_fields.get(str(location[-1]))
    if field is None:
        return ""
    either = [one for kind in get_args(field.annotation) for one in get_args(kind)[1:]]
    inner = [one for about in either for one in getattr(about, "metadata", ())]
    return in_words([*field.metadata, *inner])


def _fields(location: Sequence[str | int]) -> list[str]:
    """The keys that are valid in the section at `location`."""
    return list(_section(location).model_fields)


def _section(location: Sequence[str | int]) -> type[BaseModel]:
    model: type[BaseModel] = SpecFile
    for step in location:
        if step in DESIGNS:
            model = DESIGNS[str(step)]
        elif str(step) in model.model_fields:  # else a key of somebody's own: "responses.NAME"
            model = _section_of(model.model_fields[str(step)].annotation) or model
    return model


def _section_of(annotation: Any) -> type[BaseModel] | None:
    """The section that an annotation is of, alone, or None, or as the values of a mapping."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = [_section_of(one) for one in get_args(annotation)]
    return next((one for one in found if one is not None), None)


def _check_name(name: str, root: Node, path: tuple[str, ...]) -> None:
    fits = len(name) <= LONGEST_NAME and len(name.encode()) <= 2 * LONGEST_NAME
    if not _NAME.fullmatch(name) or not fits:
        raise root.refuse(
            path,
            f"{name[:120]!r} cannot name a folder; expected at most {LONGEST_NAME} letters, digits "
            "and '-_.+', the first a letter or digit",
        )


def _mirroring(root: Node, data: DataSpec) -> bool | None:
    """What the file says of its folder's images; None where that is what is assumed anyway."""
    keeps_labels = data.mirror_keeps_labels
    if keeps_labels is None:
        return None
    if data.name != "image_folder":
        raise root.refuse(
            ("data", "mirror_keeps_labels"),
            f"is said of image_folder only; data set {data.name!r} knows it",
        )
    return None if keeps_labels is DATASETS[data.name].mirror_keeps_labels else keeps_labels


def _check_size(factors: Sequence[Factor], sections: SpecFile, root: Node) -> None:
    """Refuse a size of images that have one already, or that the built-in network cannot take."""
    levels = {factor.name: factor.levels for factor in factors}
    sizes: list[tuple[tuple[str | int, ...], int | None]] = [(("data", "size"), sections.data.size)]
    if "data.size" in levels:
        values = (one.parameters["value"] for one in levels["data.size"])
        sizes = [(("factors", "data.size", i), one) for i, one in enumerate(values)]
    names = [str(one.parameters["value"]) for one in levels.get("data.name", ())]
    for path, size in sizes:
        if size is None:
            continue
        for name in names or [sections.data.name]:
            if name != "image_folder":
                raise root.refuse(
                    path, f"is said of image_folder only; data set {name!r} has a size of its own"
                )
        if size < SIDE and set(MODELS) & set(_models(factors, sections.model.name)):
            raise root.refuse(path, f"{size}: vgg halves images five times; expected at least 32")


def _check_known(section: str, name: str, root: Node, path: Sequence[str | int]) -> bool:
    """Whether the model or data set is built in; refused where it is not known at all."""
    built_in = MODELS if section == "model" else tuple(DATASETS)
    registered = registry.names(_KINDS[section])
    if name not in (*built_in, *registered):
        hint = did_you_mean(name, (*built_in, *registered))
        raise root.refuse(path, f"unknown {_KINDS[section]} {name!r}; {hint}")
    return name in built_in


def _parameters(
    root: Node,
    section: str,
    name: str,
    given: dict[str, Any],
    path: Sequence[str | int] | None = None,
) -> dict[str, Any]:
    """A plugin's parameters with its defaults; a built-in model or data set takes none."""
    built_in = _check_known(section, name, root, (section, "name"))
    path = path or (section, "parameters")
    if built_in:
        if given:
            raise root.refuse(path, f"{section} {name!r} takes no parameters")
        return {}
    try:
        return registry.resolve(_KINDS[section], name, given)
    except InputError as error:
        raise root.refuse(path, str(error)) from None


def _models(factors: Sequence[Factor], name: str) -> list[str]:
    """The networks of the study: the levels of `model.name` where it is varied, else the one."""
    levels = [one for factor in factors if factor.name == "model.name" for one in factor.levels]
    return [str(one.parameters["value"]) for one in levels] or [name]


def _usual(factors: Sequence[Factor], model: str) -> dict[str, str]:
    """Levels that the file may leave out: a plugin's model keeps what it drew or brought."""
    built_in = set(MODELS) & set(_models(factors, model))
    return {} if built_in else {"init": "keep"}


def _check_plugin_factors(factors: Sequence[Factor], sections: SpecFile, root: Node) -> None:
    """Models and data sets that are levels must exist, and so must a plugin's parameters."""
    varied = {factor.name for factor in factors}
    _check_only_built_in(factors, sections.model.name, root)
    for factor in factors:
        section, _, field = factor.name.partition(".")
        if section not in ("data", "model"):
            continue
        own = sections.data if section == "data" else sections.model
        for position, level in enumerate(factor.levels):
            path = ("factors", factor.name, position)
            value = level.parameters["value"]
            if field == "name":
                _check_known(section, str(value), root, path)
            elif field.startswith("parameters.") and f"{section}.name" not in varied:
                given = {**own.parameters, field.partition(".")[2]: value}
                _parameters(root, section, own.name, given, path)


def _check_only_built_in(factors: Sequence[Factor], model: str, root: Node) -> None:
    """Refuse a field of the built-in networks as a factor of a study that has none of them."""
    models = _models(factors, model)
    if set(MODELS) & set(models):
        return
    for factor in factors:
        section, _, field = factor.name.partition(".")
        if section == "model" and field in ONLY_BUILT_IN:
            named = listed([repr(one) for one in models])
            raise root.refuse(
                ("factors", factor.name),
                f"changes nothing: only {listed(MODELS)} reads it, and the model is {named}, a "
                f"plugin's; make it a parameter of the plugin's function and vary "
                f"model.parameters.{field}, or take it out",
            )
