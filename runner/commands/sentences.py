"""What several verbs say of a study, in the same words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from runner.content.outcome import Status
from runner.program.wording import counted, listed

if TYPE_CHECKING:
    from runner.content.outcome import Target
    from runner.design import Design
    from runner.spec import Spec


def headline(spec: Spec) -> str:
    """One line: the profile, why it was chosen, the network and the images."""
    from runner.machine.slots import cuda_visible
    from runner.spec.catalog import DATASETS

    visible = "a CUDA device is visible" if cuda_visible() else "no CUDA device is visible"
    if spec.trainer is not None:
        return f"profile {spec.profile} ({visible}): {spec.trainer.words}"
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
    cells = counted(len(design.cells), "cell")
    if (rule := design.spec.adaptive) is not None:
        return f"{cells} of {combinations}, {rule.least} to {rule.most} runs of each"
    return f"{cells} = {combinations} x {counted(design.replicates, 'replicate')}"


def seeds_words(spec: Spec) -> str:
    """What the cells of a replicate have in common."""
    if spec.seeds == "own":
        return "seeds: own, so that every run is independent of all others"
    return (
        "seeds: shared, so that all cells of a replicate draw the same numbers; intervals then "
        "rest on the replicates and are wider, unless there are many"
    )


def shared_before(spec: Spec, studies: Collection[str]) -> str:
    """Says that the same file has made a study of shared seeds, as all files did once; or ""."""
    before = replace(spec, seeds="shared").study
    if spec.seeds == "shared" or spec.study in studies or before not in studies:
        return ""
    return (
        f"the store holds {before}, whose replicates share their seeds: 'seeds: shared' in the "
        "file goes on with it, without that this is another study"
    )


def adopted_words(adopted: Mapping[str, int]) -> str:
    """What was taken from which study: "4 from STUDY, 2 from OTHER"."""
    return ", ".join(f"{count} from {study}" for study, count in adopted.items())


def outcome_words(statuses: Mapping[str, int], target: Target | None) -> str:
    """How runs ended: "3 reached 90% validation accuracy, 2 short of it, 1 diverged"."""
    goal = "the target" if target is None else target.words
    words = {Status.REACHED.value: f"reached {goal}", Status.SHORT.value: f"short of {goal}"}
    if Status.REACHED in statuses:
        words[Status.SHORT.value] = "short of it"
    order = [one.value for one in Status if one.value in statuses]
    return ", ".join(f"{statuses[word]} {words.get(word, word)}" for word in order)


def target_words(target: Target) -> str:
    """What the target is where nobody named one."""
    return (
        f"the file names no train.target: {target.words} is half way from chance to the best "
        "combination"
    )


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


def shrinking_words(count: int, trainers: Mapping[str, int]) -> str:
    """Why a design is not made smaller while others train it."""
    who, running = listed(list(trainers)), counted(sum(trainers.values()), "cell")
    return (
        f"this design leaves out {counted(count, 'cell')} of the study, which {who} "
        f"trains now ({running} at this moment): wait until it has ended, or stop it; or give "
        "--shrink, and it ends without them and says so"
    )


def taken_out_words(count: int, planned: int) -> str:
    """What another command did to the design of this one while it ran."""
    were = "was" if count == 1 else "were"
    return (
        f"{count:,} of the {counted(planned, 'cell')} of this design {were} taken out by another "
        "command meanwhile: they are not trained, and the report is about the others; the same "
        "command brings them back"
    )
