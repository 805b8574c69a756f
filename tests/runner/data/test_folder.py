"""Folders as people have them: every format, stray files, classes that differ, larger images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ablations.errors import InputError
from runner.content.protocol import DataSpec
from runner.data import DataError, data_identity, load
from runner.data.folder import folder_facts, folder_words
from tests.runner.cells import make_cell


def photograph(
    folder: Path, name: str, size: tuple[int, int] = (32, 32), mode: str = "RGB"
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (200, 100, 50)).convert(mode).save(folder / name)


@pytest.fixture
def photos(tmp_path: Path, image_cache: Path) -> Path:
    """Two classes in four formats and sizes, with everything that lies about in such folders."""
    root = tmp_path / "photos"
    for split, count in (("train", 4), ("test", 2)):
        for name in ("cat", "dog"):
            for number, ending in zip(range(count), ("bmp", "webp", "jpg", "png"), strict=False):
                size = (64, 48) if ending == "bmp" else (32, 32)
                photograph(root / split / name, f"{number}.{ending}", size)
    photograph(root / "train" / ".ipynb_checkpoints", "0.png")
    photograph(root / "train" / "cat", "._0.png")
    photograph(root / "train" / "cat" / "more", "0.png")
    photograph(root / "train", "cover.png")
    (root / "train" / "cat" / "labels.txt").write_text("not an image")
    (root / "train" / "cat" / "README").write_text("not an image")
    (root / "test" / "empty").mkdir()
    return root


def of(root: Path, **given: object) -> DataSpec:
    return DataSpec(name="image_folder", root=str(root), **given)


def test_every_format_is_read_and_nothing_hidden_is_a_class(photos: Path) -> None:
    images = load(of(photos, validation=0.25))
    assert images.classes == ("cat", "dog")
    assert len(images.train_images) + len(images.validation_images) == 8
    assert len(images.test_images) == 4
    near = images.test_images.mean((2, 3))
    assert near == pytest.approx(np.tile([200, 100, 50], (4, 1)), abs=6), "of every format"


def test_what_lies_in_a_folder_is_said(photos: Path) -> None:
    classes, sizes, skipped = folder_words(folder_facts(of(photos)))
    assert classes == "2 classes with 8 training and 4 test images: cat 4 and 2, dog 4 and 2"
    assert sizes == (
        "formats: 4 bmp, 4 webp, 2 jpg and 2 png; images of 32x32 to 64x48 pixels are resized to "
        "32x32 (4 shrunk, 4 squeezed into squares); data.size keeps larger ones"
    )
    assert set(skipped.removeprefix("skipped: ").split("; ")) == {
        "1 hidden folder (.ipynb_checkpoints)",
        "1 hidden file (in a class folder)",
        "1 folder (in a class folder)",
        "1 file (.txt, no image)",
        "1 file (without an ending, no image)",
        "1 file (beside the class folders)",
        "1 class folder (empty, without images)",
    }
    clean, kept = (folder_words(folder_facts(of(photos, size=side)))[1] for side in (48, 64))
    assert "resized to 48x48 (4 shrunk, 8 enlarged, 4 squeezed" in clean
    assert "data.size" not in kept


def test_many_classes_are_said_by_their_ends(tmp_path: Path) -> None:
    for number in range(20):
        for copy in range(1 + (number == 7)):
            photograph(tmp_path / "train" / f"c{number:02d}", f"{copy}.png")
        photograph(tmp_path / "test" / f"c{number:02d}", "0.png")
    (classes, sizes) = folder_words(folder_facts(of(tmp_path)))
    assert classes == (
        "20 classes with 21 training and 20 test images; a class has 1 (c00) to 2 (c07) training "
        "and 1 test images"
    )
    assert sizes == "formats: 41 png; images all of 32x32 are given to the network at 32x32"


@pytest.mark.parametrize(("split", "other"), [("train", "test"), ("test", "train")])
def test_classes_that_only_one_split_has_are_refused(photos: Path, split: str, other: str) -> None:
    photograph(photos / split / "rare", "0.png")
    (photos / other / "rare").mkdir()
    says = rf"{split} holds the class 'rare', .*{other} does not: both need images of every class"
    for ask in (data_identity, folder_facts, load):
        with pytest.raises(DataError, match=says):
            ask(of(photos))


def test_larger_images_are_kept_on_wish(photos: Path) -> None:
    for side in (None, 48, 64):
        images = load(of(photos, size=side))
        assert images.train_images.shape[1:] == (3, side or 32, side or 32)
    assert load(of(photos)).identity == load(of(photos, size=64)).identity, "the same files"


def test_the_size_that_was_always_meant_makes_no_other_cell() -> None:
    usual = make_cell()
    assert make_cell(data={"size": 32}).id == usual.id
    assert make_cell(data={"size": 64}).id != usual.id


def test_grey_images_of_sixteen_bits_are_not_all_white(tmp_path: Path, image_cache: Path) -> None:
    ramp = np.linspace(0, 65535, 1024).reshape(32, 32).astype(np.uint16)
    for split in ("train", "test"):
        for name in ("up", "down"):
            (tmp_path / split / name).mkdir(parents=True)
            for copy in range(2):
                pixels = ramp if name == "up" else ramp[::-1]
                Image.fromarray(np.ascontiguousarray(pixels)).save(
                    tmp_path / split / name / f"{copy}.png"
                )
    assert folder_facts(of(tmp_path))["grey"]
    pixels = load(of(tmp_path)).test_images
    assert np.unique(pixels).size == 256
    assert bool((pixels[:, 0] == pixels[:, 2]).all())


@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.JPEG", "CMYK"), ("a.gif", "P"), ("a.png", "LA"), ("a.bmp", "1"), ("a.webp", "RGBA"),
     ("a.tiff", "RGB"), ("a.ppm", "L"), ("a.tga", "RGB")],
)  # fmt: skip
def test_every_mode_becomes_three_channels_without_a_warning(
    tmp_path: Path, image_cache: Path, name: str, mode: str
) -> None:
    for split in ("train", "test"):
        for label in ("bright", "dark"):
            shade = 250 if label == "bright" else 5
            (tmp_path / split / label).mkdir(parents=True)
            more = {"transparency": b"\x00"} if mode == "P" else {}
            for copy in ("1", "2"):
                image = Image.new("RGB", (32, 32), (shade,) * 3).convert(mode)
                image.save(tmp_path / split / label / f"{copy}{name}", **more)
    means = load(of(tmp_path)).test_images.mean((1, 2, 3))
    assert bool((means[:2] > 230).all())
    assert bool((means[2:] < 25).all())


def test_a_head_that_cannot_be_read_leaves_the_facts_standing(photos: Path) -> None:
    (photos / "train" / "cat" / "broken.jpg").write_bytes(b"not a jpeg")
    facts = folder_facts(of(photos))
    assert facts["looked_at"] == 12
    assert facts["images"]["train"]["cat"] == 5
    with pytest.raises(InputError, match=r"cannot read the image .*broken\.jpg"):
        load(of(photos))
