"""The protocol: what every cell of a study shares, unless a field is made a factor.

Three sections of the YAML file (`data`, `model`, `train`), each field with its unit and its
sentence. All but those of `NOT_IDENTITY` belong to a cell's identity: change one and it is another
cell.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """Frozen, strict about unknown keys, no infinities."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


SIDE = 32
"""Pixels a side of images where nothing else is said."""


class DataSpec(Section):
    """Which images."""

    name: str = Field("digits", description="Data set: a built-in name or one a plugin registers.")
    root: str | None = Field(None, description="Folder that holds the data set, or gets it.")
    limit: int | None = Field(
        None,
        ge=20,
        le=100_000_000,
        description="Use at most this many training images, stratified by class.",
    )
    validation: float = Field(
        0.1, gt=0, lt=0.9, description="Share of the training images kept for validation."
    )
    mirror_keeps_labels: bool | None = Field(
        None,
        description="For image_folder: false where a mirrored image may belong to another class "
        "(text, digits), so that no level mirrors.",
    )
    size: int | None = Field(
        None,
        ge=8,
        le=1024,
        description="For image_folder: pixels a side that its images are resized to (32).",
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Parameters of a plugin's data set."
    )

    @property
    def side(self) -> int:
        """Pixels a side of the images of an image folder."""
        return self.size or SIDE


class ModelSpec(Section):
    """Which network."""

    name: str = Field("vgg", description="Model: vgg, or one a plugin registers.")
    depth: Literal[11, 13, 16, 19] = Field(16, description="Weight layers of the VGG.")
    width: float = Field(
        1.0, gt=0, le=4, description="Multiplier of every channel count (1: 64 to 512 channels)."
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="Dropout before the classifier.")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Parameters of a plugin's model."
    )


class TrainSpec(Section):
    """How a cell is trained and measured."""

    epochs: int = Field(30, ge=1, le=100_000, description="Passes over the training images.")
    batch_size: int = Field(128, ge=1, le=1_000_000, description="Images in a training step.")
    target: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Validation accuracy that counts as reached (share); when absent, half way "
        "from chance to the best combination. Changing it retrains nothing.",
    )
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="Label smoothing of the loss.")
    weight_decay: float | None = Field(
        None,
        ge=0,
        le=1e30,
        description="Weight decay, whatever the optimizer; when absent, the optimizer level's own.",
    )
    seed: int = Field(0, ge=0, lt=2**63, description="Base seed; replicate r draws from (seed, r).")
    precision: Literal["fp32", "tf32", "bf16"] = Field(
        "fp32", description="Arithmetic of the convolutions; bf16 runs under autocast."
    )
    memory_format: Literal["channels_last", "contiguous"] = Field(
        "channels_last", description="Memory layout of images and weights."
    )
    threads: int = Field(1, ge=1, le=1024, description="CPU threads a cell computes with.")
    deterministic: bool = Field(
        True, description="Only kernels that repeat bit by bit on the same device."
    )
    time_limit: float = Field(
        86400.0, gt=0, le=1e8, description="Seconds a cell may take before it counts as timed out."
    )
    checkpoint_epochs: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="Write a checkpoint every so many epochs; none when absent.",
    )
    checkpoint_minutes: float | None = Field(
        10.0, gt=0, le=1e6, description="Write a checkpoint when the last is older than this."
    )


# These change when a cell stops, what it leaves on disk or how it is judged, never what it learns.
NOT_IDENTITY: dict[str, tuple[str, ...]] = {
    "data": ("root",),
    "model": (),
    "train": ("target", "time_limit", "checkpoint_epochs", "checkpoint_minutes"),
}


def identity(name: str, section: Section) -> dict[str, Any]:
    """The fields of the section `name` that say what a cell learns, as JSON holds them."""
    fields = section.model_dump(mode="json", exclude=set(NOT_IDENTITY[name]))
    # These came later: as they were before, they change no cell.
    if fields.get("mirror_keeps_labels", 0) is None:
        del fields["mirror_keeps_labels"]
    if fields.get("size", 0) in (None, SIDE):
        del fields["size"]
    if fields.get("weight_decay", 0) is None:
        del fields["weight_decay"]
    return fields
