"""What is known of the built-in data sets before any image is read.

For the planner: names, sizes, classes, whether mirroring keeps labels. Imports neither numpy nor
torch. The images themselves are `runner.data`'s business.
"""

from __future__ import annotations

from dataclasses import dataclass

from runner.content.protocol import DataSpec


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """One built-in data set; `None` where only the files on disk can tell."""

    name: str
    classes: int | None
    train_images: int | None  # before the validation share is cut off
    test_images: int | None
    mirror_keeps_labels: bool
    note: str  # where the images come from, for a person
    grey: bool = False  # three channels that are the same


DATASETS: dict[str, DatasetFacts] = {
    facts.name: facts
    for facts in (
        DatasetFacts(
            "digits",
            10,
            1438,
            359,
            False,
            "embedded: scikit-learn's 1,797 handwritten digits, enlarged to 32x32",
            grey=True,
        ),
        DatasetFacts(
            "cifar10", 10, 50_000, 10_000, True, "downloaded, 170 MB: photographs, 10 classes"
        ),
        DatasetFacts(
            "cifar100", 100, 50_000, 10_000, True, "downloaded, 169 MB: photographs, 100 classes"
        ),
        DatasetFacts(
            "svhn", 10, 73_257, 26_032, False, "downloaded, 246 MB: house numbers, 10 classes"
        ),
        DatasetFacts(
            "fashion_mnist",
            10,
            60_000,
            10_000,
            True,
            "downloaded, 31 MB: clothing, 10 classes",
            grey=True,
        ),
        DatasetFacts(
            "image_folder",
            None,
            None,
            None,
            True,
            "images of data.root/train/CLASS and data.root/test/CLASS",
        ),
    )
}


def train_images(data: DataSpec) -> int | None:
    """Training images after `data.limit` and the validation share; None where unknown."""
    facts = DATASETS.get(data.name)
    whole = None if facts is None else facts.train_images
    if data.limit is not None and facts is not None:
        whole = data.limit if whole is None else min(whole, data.limit)
    return None if whole is None else whole - max(1, round(whole * data.validation))
