"""Loading: real images in three splits, from every kind of source, all of them made here."""

from __future__ import annotations

import http.server
import io
import os
import pickle
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import md5
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from ablations import registry
from ablations.errors import InputError
from runner.content.protocol import DataSpec
from runner.data import DataError, Images, data_identity, load
from runner.data.loading import _key
from runner.data.sources import _from_torchvision
from runner.spec.catalog import DATASETS

ROOT = Path(__file__).parents[3]

COLOURS = {"red": (200, 20, 20), "green": (20, 200, 20), "deep blue": (20, 20, 200)}


@pytest.fixture
def folder(tmp_path: Path, image_cache: Path) -> Path:
    """Ten training and two test images a class, one colour each, partly png, one larger."""
    root = tmp_path / "my images\nhere"
    for split, count in (("train", 10), ("test", 2)):
        for name, colour in COLOURS.items():
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                size = (48, 64) if number == 1 else (32, 32)
                suffix = ".png" if number == 0 else ".JPG"
                picture = Image.new("RGB", size, tuple(c + number for c in colour))
                picture.save(root / split / name / f"{number:02d}{suffix}")
    (root / "train" / "red" / "notes.txt").write_text("not an image")
    (root / "train" / "README").write_text("not a class")
    return root


def of_folder(root: Path, **given: object) -> DataSpec:
    return DataSpec(name="image_folder", root=str(root), validation=0.2, **given)


def test_digits_are_the_catalogs(image_cache: Path):
    images = load(DataSpec())
    facts = DATASETS["digits"]
    assert len(images.train_images) + len(images.validation_images) == facts.train_images
    assert len(images.test_images) == facts.test_images
    assert len(images.classes) == facts.classes
    assert images.mirror_keeps_labels is facts.mirror_keeps_labels is False
    assert images.train_images.shape[1:] == (3, 32, 32)
    shares = np.bincount(images.validation_labels) / len(images.validation_labels)
    assert shares == pytest.approx(np.full(10, 0.1), abs=0.02)
    every = np.concatenate([images.train_images, images.validation_images])
    assert images.mean == pytest.approx(every.mean((0, 2, 3)) / 255)
    assert images.std == pytest.approx(every.std((0, 2, 3)) / 255)
    # No test image is among the others.
    seen = {image.tobytes() for image in every}
    assert not any(image.tobytes() in seen for image in images.test_images)


def test_a_limit_is_stratified_and_leaves_the_test_images_alone(few_digits: Images):
    assert (len(few_digits.train_images), len(few_digits.validation_images)) == (90, 10)
    assert np.bincount(few_digits.train_labels).tolist() == [9] * 10
    assert len(few_digits.test_images) == 359


def test_a_limit_above_the_size_is_everything(image_cache: Path):
    assert len(load(DataSpec(limit=10**6)).train_images) == len(load(DataSpec()).train_images)


def test_a_folder_of_images_is_read(folder: Path):
    images = load(of_folder(folder))
    assert images.classes == ("deep blue", "green", "red")
    assert len(images.train_images) == 24
    assert len(images.validation_images) == 6
    assert len(images.test_images) == 6
    for number, name in enumerate(images.classes):
        of_class = images.train_images[images.train_labels == number]
        assert of_class.shape == (8, 3, 32, 32)
        middle = of_class.mean((0, 2, 3))
        assert middle == pytest.approx(np.array(COLOURS[name]) + 5, abs=6)
    assert images.mirror_keeps_labels


def test_the_images_a_cell_was_planned_for_are_taken_whatever_became_of_the_folder(folder: Path):
    spec = of_folder(folder)
    planned = data_identity(spec)
    before = load(spec, planned)
    next((folder / "train").rglob("*.JPG")).unlink()
    assert data_identity(spec) != planned
    after = load(spec, planned)
    assert after.identity == planned
    assert np.array_equal(after.train_images, before.train_images)
    assert load(spec).identity == data_identity(spec), "without a plan the folder as it is"


def test_a_damaged_entry_is_not_made_again_from_other_images(folder: Path, image_cache: Path):
    spec = of_folder(folder)
    planned = data_identity(spec)
    load(spec, planned)
    next((folder / "train").rglob("*.JPG")).unlink()
    # This entry alone: other tests of the session have theirs mapped.
    (image_cache / _key(planned) / "train_images.npy").write_bytes(b"damaged")
    with pytest.raises(DataError, match="the images changed"):
        load(spec, planned)


def test_an_image_replaced_by_one_of_the_same_size_is_another_identity(folder: Path):
    before = data_identity(of_folder(folder))
    file = next((folder / "train").rglob("*.JPG"))
    content, times = file.read_bytes(), file.stat()
    os.utime(file, (1, 1))
    assert data_identity(of_folder(folder)) == before, "times are no content"
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert data_identity(of_folder(folder)) != before


def test_a_folder_whose_mirrored_images_are_other_classes_says_so(folder: Path):
    spec = of_folder(folder)
    assert load(spec).mirror_keeps_labels
    assert not load(spec.model_copy(update={"mirror_keeps_labels": False})).mirror_keeps_labels


def test_a_folders_identity_is_its_listing(folder: Path):
    before = data_identity(of_folder(folder))
    (folder / "train" / "red" / "notes.txt").write_text("longer notes, still not an image")
    assert data_identity(of_folder(folder)) == before
    assert load(of_folder(folder)).identity == before
    Image.new("RGB", (32, 32)).save(folder / "train" / "red" / "99.png")
    assert data_identity(of_folder(folder)) != before
    assert len(load(of_folder(folder)).train_images) == 25


@pytest.mark.parametrize("content", [b"", b"not a jpeg", b"\xff\xd8\xff\xe0 truncated"])
def test_an_unreadable_image_is_named(folder: Path, content: bytes):
    (folder / "test" / "green" / "01.JPG").write_bytes(content)
    with pytest.raises(DataError, match=r"(?s)cannot read the image .*01\.JPG"):
        load(of_folder(folder))


def test_what_is_wrong_with_a_folder_is_said(folder: Path, tmp_path: Path):
    with pytest.raises(DataError, match=r"data\.root: is missing"):
        data_identity(DataSpec(name="image_folder"))
    with pytest.raises(DataError, match="ROOT/train/CLASS"):
        data_identity(of_folder(tmp_path / "nowhere"))
    for split in ("train", "test"):
        (tmp_path / "empty" / split).mkdir(parents=True)
    with pytest.raises(DataError, match=r"no images under .*that Pillow reads"):
        data_identity(of_folder(tmp_path / "empty"))
    (folder / "test" / "purple").mkdir()
    Image.new("RGB", (32, 32)).save(folder / "test" / "purple" / "1.png")
    with pytest.raises(DataError, match=r"(?s)holds the class 'purple', .*train does not"):
        data_identity(of_folder(folder))
    for split in ("train", "test"):
        (tmp_path / "one" / split / "red").mkdir(parents=True)
        Image.new("RGB", (32, 32)).save(tmp_path / "one" / split / "red" / "1.png")
    with pytest.raises(DataError, match="the class 'red' alone; expected two or more"):
        data_identity(of_folder(tmp_path / "one"))


def test_an_unknown_data_set_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'cifar10'"):
        data_identity(DataSpec(name="cifar_10"))


def test_the_identity_of_data_needs_no_torch():
    script = (
        "import sys\n"
        "from runner.data import data_identity\n"
        "from runner.content.protocol import DataSpec\n"
        "print(data_identity(DataSpec()), 'torch' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "digits/1 False\n"


def test_a_plugins_data_set_is_split_and_measured(image_cache: Path):
    @registry.dataset("stripes", mirror_keeps_labels=False)
    def stripes(root: Path | None, *, shades: int = 2) -> Images:
        """Flat images, one shade a class."""
        labels = np.arange(60) % shades
        pixels = np.broadcast_to(
            (labels * 100).astype(np.uint8)[:, None, None, None], (60, 3, 32, 32)
        ).copy()
        names = tuple(f"shade {number}" for number in range(shades))
        return Images(pixels, labels, pixels[:10], labels[:10], names)

    spec = DataSpec(name="stripes", validation=0.5, limit=40, parameters={"shades": 2})
    images = load(spec)
    assert (len(images.train_images), len(images.validation_images)) == (20, 20)
    assert images.mean == pytest.approx([50 / 255] * 3)
    assert not images.mirror_keeps_labels
    assert images.identity == data_identity(spec)
    assert images.identity.startswith("stripes/")


def test_a_plugin_that_returns_something_else_is_told_so():
    @registry.dataset("nothing")
    def nothing(root: Path | None) -> None:
        """No images."""

    with pytest.raises(DataError, match=r"returned NoneType; expected runner\.data\.Images"):
        load(DataSpec(name="nothing"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_images": np.zeros((90, 32, 32, 3), np.uint8)}, r"uint8 \[N, 3, H, W\]"),
        ({"train_images": np.zeros((90, 3, 32, 32), np.float32)}, "float32"),
        ({"train_labels": np.zeros(89, np.int64)}, r"int64 \[90\]"),
        ({"train_labels": np.full(90, 10)}, r"0\.\.9; found 10\.\.10"),
        ({"classes": ("one",)}, "at least two classes, which a network is trained to tell apart"),
        ({"test_images": np.zeros((359, 3, 16, 16), np.uint8)}, "of one size"),
        (
            {"test_images": np.zeros((0, 3, 32, 32), np.uint8), "test_labels": np.zeros(0, int)},
            "is empty",
        ),
    ],
)
def test_images_that_training_would_choke_on_are_refused(few_digits, change, message):
    with pytest.raises(DataError, match=message):
        replace(few_digits, **change)


# Downloads, from a server of our own that serves a small archive in CIFAR-10's format.


def cifar_archive() -> bytes:
    buffer = io.BytesIO()
    draw = np.random.RandomState(0)
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        files = {f"data_batch_{n}": 8 for n in range(1, 6)} | {"test_batch": 4}
        contents = {
            name: {
                "data": draw.randint(0, 256, (count, 3072)).astype(np.uint8),
                "labels": [n % 2 for n in range(count)],
            }
            for name, count in files.items()
        }
        contents["batches.meta"] = {"label_names": ["cat", "dog"]}
        for name, content in contents.items():
            data = pickle.dumps(content)
            entry = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[tuple[str, list[str]]]:
    """A local HTTP server of `files` by path: its address and the requests it sees."""
    requests: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            content = files[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", requests
        running.shutdown()
        thread.join()


@pytest.fixture
def server() -> Iterator[tuple[str, bytes, list[str]]]:
    """Address of a local HTTP server, the archive it serves, and the requests it saw."""
    archive = cifar_archive()
    with serving({"/cifar-10-python.tar.gz": archive}) as (address, requests):
        yield address, archive, requests


def served_cifar10(address: str, archive: bytes, checksum: str | None = None) -> type:
    from torchvision.datasets import CIFAR10

    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        sums = {
            Path(entry.name).name: md5(
                opened.extractfile(entry).read(), usedforsecurity=False
            ).hexdigest()
            for entry in opened.getmembers()
        }

    class Served(CIFAR10):
        url = f"{address}/cifar-10-python.tar.gz"
        tgz_md5 = checksum or md5(archive, usedforsecurity=False).hexdigest()
        train_list: ClassVar = [[f"data_batch_{n}", sums[f"data_batch_{n}"]] for n in range(1, 6)]
        test_list: ClassVar = [["test_batch", sums["test_batch"]]]
        meta: ClassVar = {
            "filename": "batches.meta",
            "key": "label_names",
            "md5": sums["batches.meta"],
        }

    return Served


def test_a_data_set_is_downloaded_once_into_its_root(server, tmp_path: Path):
    address, archive, requests = server
    spec = DataSpec(name="cifar10", root=str(tmp_path / "data here"))
    dataset = served_cifar10(address, archive)
    images = _from_torchvision(dataset, spec)
    assert images.train_images.shape == (40, 3, 32, 32)
    assert images.test_images.shape == (4, 3, 32, 32)
    assert images.classes == ("cat", "dog")
    rows = np.random.RandomState(0).randint(0, 256, (8, 3072)).astype(np.uint8)
    assert np.array_equal(images.train_images[:8].reshape(8, 3072), rows)
    asked = len(requests)
    assert set(requests) == {"/cifar-10-python.tar.gz"}
    _from_torchvision(dataset, spec)
    assert len(requests) == asked


def test_a_download_with_the_wrong_checksum_is_an_error(server, tmp_path: Path):
    address, archive, _ = server
    spec = DataSpec(name="cifar10", root=str(tmp_path))
    with pytest.raises(DataError, match="cannot get cifar10"):
        _from_torchvision(served_cifar10(address, archive, checksum="0" * 32), spec)


def test_without_a_network_the_folder_and_the_alternatives_are_named(tmp_path: Path):
    nobody = served_cifar10("http://127.0.0.1:9", cifar_archive())  # the discard port
    spec = DataSpec(name="cifar10", root=str(tmp_path / "here"))
    with pytest.raises(DataError) as caught:
        _from_torchvision(nobody, spec)
    message = str(caught.value)
    for part in (str(tmp_path / "here"), "image_folder", "digits"):
        assert part in message


def test_grey_images_are_framed_and_repeated(tmp_path: Path):
    class Grey:
        classes = ("a", "b")

        def __init__(self, root: Path, train: bool, download: bool) -> None:
            self.data = np.full((6, 28, 28), 9, dtype=np.uint8)
            self.targets = [0, 1] * 3

    images = _from_torchvision(Grey, DataSpec(name="fashion_mnist", root=str(tmp_path)))
    assert images.train_images.shape == (6, 3, 32, 32)
    assert images.train_images[:, :, 2:-2, 2:-2].min() == 9
    assert images.train_images.sum() == 9 * 6 * 3 * 28 * 28


def test_loading_cifar10_downloads_decodes_and_maps(server, image_cache: Path, monkeypatch):
    import torchvision.datasets

    address, archive, requests = server
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", served_cifar10(address, archive))
    spec = DataSpec(name="cifar10", validation=0.25)
    images = load(spec)
    assert (len(images.train_images), len(images.validation_images)) == (30, 10)
    assert images.mirror_keeps_labels
    assert (image_cache / "downloads" / "cifar10" / "cifar-10-batches-py").is_dir()
    asked = len(requests)
    again = load(spec)
    assert len(requests) == asked
    assert isinstance(again.train_images, np.memmap)
    assert np.array_equal(again.train_images, images.train_images)


def test_svhn_is_read_with_its_ten_classes_and_no_mirroring(
    image_cache: Path, tmp_path: Path, monkeypatch
):
    import torchvision.datasets
    from scipy.io import savemat

    draw = np.random.RandomState(0)
    files, splits = {}, {}
    for split, count in (("train", 20), ("test", 10)):
        buffer = io.BytesIO()
        pixels = draw.randint(0, 256, (32, 32, 3, count)).astype(np.uint8)
        # The files call the digit nought 10.
        savemat(buffer, {"X": pixels, "y": (np.arange(count) % 10 + 1)[:, None]})
        files[f"/{split}_32x32.mat"] = buffer.getvalue()
        splits[split] = pixels
    with serving(files) as (address, _):
        listed = {
            split: [
                f"{address}/{split}_32x32.mat",
                f"{split}_32x32.mat",
                md5(files[f"/{split}_32x32.mat"], usedforsecurity=False).hexdigest(),
            ]
            for split in splits
        }
        monkeypatch.setattr(torchvision.datasets.SVHN, "split_list", listed)
        images = load(DataSpec(name="svhn", root=str(tmp_path), validation=0.5))
    assert not images.mirror_keeps_labels
    assert images.test_labels.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]
    assert np.array_equal(images.test_images, splits["test"].transpose(3, 2, 0, 1))
    assert np.bincount(images.train_labels).tolist() == [1] * 10
