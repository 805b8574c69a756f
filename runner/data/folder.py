"""A folder of images as people have it: which files are images of which class, and what is not.

`folder_root/train/CLASS/*` and `.../test/CLASS/*`, in any format that Pillow reads. Hidden folders
and files are no classes and no images; what is left out is counted by reason. Reading names needs
about a second for 60,000 files; `folder_facts` also looks at the heads of some of them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from runner.content.protocol import DataSpec
from runner.data.images import DataError
from runner.program.wording import counted, listed

SPLITS = ("train", "test")
MOST_LOOKED_AT = 2_000
"""Files whose heads are read for the sizes: planning must answer at once."""
MOST_CLASSES = 12
"""Classes named one by one."""
MOST_REASONS = 8
"""Kinds of what was left out."""
LARGE_BYTES = 1e9
"""Of decoded images, worth a word."""
NOT_IMAGES = {"__MACOSX", "__pycache__"}
NO_PICTURES = {"BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF"}
"""Formats that Pillow knows by name and cannot decode by itself."""


@dataclass
class Listing:
    """One split of a folder: images by class in sorted order, and how much was left out why."""

    images: dict[str, list[os.DirEntry[str]]] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)

    def files(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Class and file of every image, in sorted order."""
        for label, files in self.images.items():
            for file in files:
                yield label, file


@cache
def suffixes() -> frozenset[str]:
    """Endings of the files that Pillow decodes, such as ".jpg"."""
    from PIL import Image

    Image.init()
    return frozenset(
        ending
        for ending, name in Image.registered_extensions().items()
        if name in Image.OPEN and name not in NO_PICTURES
    )


def folder_root(spec: DataSpec) -> Path:
    """The folder of an `image_folder`, made absolute.

    Raises:
        DataError: `data.root` is not given or is no folder.
    """
    if spec.root is None:
        raise DataError("is missing; image_folder needs the folder of its images", "data.root")
    root = Path(spec.root).expanduser().absolute()
    for split in SPLITS:
        if not (root / split).is_dir():
            raise DataError(
                f"no folder {root / split}; "
                "expected ROOT/train/CLASS/*.jpg and ROOT/test/CLASS/*.jpg",
                "data.root",
            )
    return root


def listing(folder: Path) -> Listing:
    """The images in `folder/CLASS/` and what else lies there."""
    found = Listing()
    with os.scandir(folder) as entries:
        inside = sorted(entries, key=lambda one: one.name)
    for entry in inside:
        if _is_hidden(entry.name):
            kind = "folder" if entry.is_dir() else "file"
            found.skipped[f"hidden {kind} ({entry.name})"] += 1
        elif not entry.is_dir():
            found.skipped["file (beside the class folders)"] += 1
        elif images := _images(entry.path, found.skipped):
            found.images[entry.name] = images
        else:
            found.skipped[f"class folder ({entry.name}, without images)"] += 1
    return found


def _images(folder: str, skipped: Counter[str]) -> list[os.DirEntry[str]]:
    known, images = suffixes(), []
    with os.scandir(folder) as entries:
        for entry in entries:
            ending = _ending(entry.name)
            if _is_hidden(entry.name):
                skipped["hidden file (in a class folder)"] += 1
            elif ending in known and not entry.is_dir():
                images.append(entry)
            elif entry.is_dir():
                skipped["folder (in a class folder)"] += 1
            else:
                skipped[f"file ({ending or 'without an ending'}, no image)"] += 1
    return sorted(images, key=lambda one: one.name)


def _ending(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in NOT_IMAGES


def list_images(root: Path) -> dict[str, Listing]:
    """Both splits of a folder, with the same two or more classes in each.

    Raises:
        DataError: no images, one class alone, or a class that only one of the splits has.
    """
    splits = {split: listing(root / split) for split in SPLITS}
    train, test = (splits[split].images.keys() for split in SPLITS)
    for split in SPLITS:
        if not splits[split].images:
            raise DataError(
                f"no images under {root / split}/CLASS that Pillow reads (jpg, png, bmp, webp and "
                "others)",
                "data.root",
            )
    if len(train | test) < 2:
        raise DataError(
            f"{root / 'train'} holds the class {min(train)!r} alone; expected two or more",
            "data.root",
        )
    for here, there, missing in (("test", "train", test - train), ("train", "test", train - test)):
        if missing:
            named = listed([repr(one) for one in sorted(missing)[:3]])
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            noun = "class" if len(missing) == 1 else "classes"
            raise DataError(
                f"{root / here} holds the {noun} {named}{more}, {root / there} does not: both need "
                "images of every class",
                "data.root",
            )
    return splits


def folder_facts(spec: DataSpec, sides: Sequence[int] = ()) -> dict[str, Any]:
    """What lies in the folder and what becomes of it, as JSON holds it; `folder_words` says it.

    Args:
        spec: of an image folder.
        sides: pixels a side that its images get; those of the spec where left out.

    Raises:
        DataError: it cannot be used.
    """
    splits = list_images(folder_root(spec))
    files = [file for one in splits.values() for _, file in one.files()]
    step = max(1, -(-len(files) // MOST_LOOKED_AT))
    heads = [one for file in files[::step] if (one := _head(file.path)) is not None]
    sizes = sorted({size for size, _ in heads}, key=lambda size: (size[0] * size[1], size))
    formats = Counter(_ending(file.name)[1:].replace("jpeg", "jpg") for file in files)
    skipped: Counter[str] = sum((one.skipped for one in splits.values()), Counter())
    side = min(sides) if sides else spec.side
    return {
        "images": {
            split: {label: len(of) for label, of in one.images.items()}
            for split, one in splits.items()
        },
        "formats": dict(formats.most_common()),
        "skipped": dict(skipped.most_common()),
        "looked_at": len(heads),
        "smallest": list(sizes[0]) if sizes else None,
        "largest": list(sizes[-1]) if sizes else None,
        "shrunk": sum(max(size) > side for size, _ in heads),
        "enlarged": sum(max(size) < side for size, _ in heads),
        "squeezed": sum(size[0] != size[1] for size, _ in heads),
        "grey": bool(heads) and all(mode in ("1", "L", "I;16") for _, mode in heads),
        "sides": list(sides) or [spec.side],
    }


def _head(path: str) -> tuple[tuple[int, int], str] | None:
    """Size and mode of an image; None where its head says nothing (decoding will)."""
    from PIL import Image

    try:
        with Image.open(path) as file:
            return file.size, file.mode
    except (OSError, ValueError, SyntaxError):
        return None


def folder_words(facts: Mapping[str, Any]) -> list[str]:
    """The facts of a folder in sentences without a stop, the classes first."""
    return [_classes(facts), _sizes(facts), *_skipped(facts)]


def _classes(facts: Mapping[str, Any]) -> str:
    train, test = (facts["images"][split] for split in SPLITS)
    total = f"{sum(train.values()):,} training and {counted(sum(test.values()), 'test image')}"
    start = f"{len(train)} classes with {total}"
    if len(train) <= MOST_CLASSES:
        each = [f"{label} {count:,} and {test[label]:,}" for label, count in train.items()]
        return f"{start}: {', '.join(each)}"
    ends = []
    for what, counts in (("training", train), ("test", test)):
        low, high = (pick(counts, key=counts.__getitem__) for pick in (min, max))
        span = f"{counts[low]:,} ({low}) to {counts[high]:,} ({high})"
        ends.append(f"{span if counts[low] < counts[high] else f'{counts[low]:,}'} {what}")
    return f"{start}; a class has {listed(ends)} images"


def _sizes(facts: Mapping[str, Any]) -> str:
    formats = listed([f"{count:,} {ending}" for ending, count in facts["formats"].items()])
    low, high = facts["smallest"], facts["largest"]
    sides = " or ".join(f"{side}x{side}" for side in facts["sides"])
    if low is None:
        return f"formats: {formats}; given to the network at {sides}"
    total = sum(facts["formats"].values())
    of = "" if facts["looked_at"] == total else f" of the {facts['looked_at']:,} looked at"
    span = f"all of {low[0]}x{low[1]}"
    if low != high:
        span = f"of {low[0]}x{low[1]} to {high[0]}x{high[1]} pixels"
    changes = [
        f"{facts[what]:,} {what}{more}"
        for what, more in (("shrunk", ""), ("enlarged", ""), ("squeezed", " into squares"))
        if facts[what]
    ]
    became = f"given to the network at {sides}"
    if changes:
        became = f"resized to {sides} ({', '.join(changes)}{of})"
        if facts["shrunk"]:
            became += "; data.size keeps larger ones"
    size = total * 3 * max(facts["sides"]) ** 2
    memory = f"; decoded they take {size / 1e9:.1f} GB of memory" if size >= LARGE_BYTES else ""
    return f"formats: {formats}; images {span} are {became}{memory}"


def _skipped(facts: Mapping[str, Any]) -> list[str]:
    if not facts["skipped"]:
        return []
    shown = []
    for what, count in list(facts["skipped"].items())[:MOST_REASONS]:
        noun, _, rest = what.partition(" (")
        shown.append(f"{counted(count, noun)} ({rest}")
    more = len(facts["skipped"]) - len(shown)
    return [f"skipped: {'; '.join(shown)}{f'; and {more} kinds more' if more else ''}"]
