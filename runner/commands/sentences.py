"""What several verbs say of a study, in the same words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runner.program.wording import counted, listed

if TYPE_CHECKING:
    from runner.design import Design
    from runner.spec import Spec


def headline(spec: Spec) -> str:
    """One line: the profile, why it was chosen, the network and the images."""
    from runner.machine.slots import cuda_visible
    from runner.spec.catalog import DATASETS

    visible = "a CUDA device is visible" if cuda_visible() else "no CUDA device is visible"
    networks, images = spec.values("model.name"), spec.values("data.name")
    shown = [_vgg(spec) if name == "vgg" else str(name) for name in networks]
    sets = [str(name) for name in images]
    if len(sets) == 1 and (facts := DATASETS.get(sets[0])) is not None:
        sets = [f"{sets[0]} ({facts.note})"]
    return f"profile {spec.profile} ({visible}): {listed(shown)} on {listed(sets)}"


def _vgg(spec: Spec) -> str:
    widths = spec.values("model.width")
    network = listed([f"VGG-{depth}" for depth in spec.values("model.depth")])
    if widths == [1]:
        return network
    return f"{network} of {listed([f'{width:g}' for width in widths])} times the usual width"


def folder_of(spec: Spec) -> dict[str, Any] | None:
    """What lies in the study's image folder (`runner.data.folder`); None where it has none.

    Raises:
        DataError: the folder cannot be used.
    """
    if "image_folder" not in spec.values("data.name"):
        return None
    from runner.data.folder import folder_facts

    sides = sorted({one or spec.data.side for one in spec.values("data.size")})
    return folder_facts(spec.data, sides)


def size_words(design: Design) -> str:
    """How large a design is: "216 cells = 72 combinations x 3 replicates"."""
    combinations = counted(design.combinations, "combination")
    replicates = counted(design.replicates, "replicate")
    return f"{counted(len(design.cells), 'cell')} = {combinations} x {replicates}"


def adopted_words(adopted: Mapping[str, int]) -> str:
    """What was taken from which study: "4 from STUDY, 2 from OTHER"."""
    return ", ".join(f"{count} from {study}" for study, count in adopted.items())


def failed_words(reasons: Mapping[str, int]) -> str:
    """How many cells failed why: "2 bug, 1 oom"."""
    return ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))


def retired_words(count: int) -> str:
    """What becomes of cells that the specification no longer holds."""
    leave = "leaves" if count == 1 else "leave"
    return (
        f"{counted(count, 'cell')} of the study {leave} the design: what they found stays in the "
        "store, and counts again when the specification holds them again"
    )
