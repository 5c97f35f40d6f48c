"""A folder with a subfolder for each class -> image files, labels, notes on what is passed over."""

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .errors import DataError
from .images import SUFFIXES

PARTS = frozenset("train training trainset test testing testset val valid validation dev".split())
CLUTTER = frozenset(("thumbs.db", "desktop.ini", "__macosx", "icon\r"))


@dataclass
class Listing:
    """Image files in a fixed order.  labels: the top folder of each; None if some lie in none."""

    files: list[Path] = field(default_factory=list)
    labels: list[str] | None = None
    notes: list[str] = field(default_factory=list)


def list_images(folder: Path, need_labels: bool = True) -> Listing:
    """Images at any depth of a folder, by class and name; hidden and other files are passed over.

    Raises DataError where there is no image, or no subfolder although labels are needed.
    """
    others: Counter[str] = Counter()
    loose, subfolders = _entries(folder)
    by_class = {sub: list(_images_below(sub, others)) for sub in subfolders}
    loose = list(_only_images(loose, others))
    if need_labels:
        _refuse_parts(folder, subfolders)
        _refuse_no_classes(folder, by_class, loose)
    notes = _notes(by_class, others)
    if loose and need_labels:
        notes.append(
            f"{_count(len(loose), 'image')} beside the class folders passed over (no class)"
        )
        loose = []
    pairs = [(label_of(sub), file) for sub, files in by_class.items() for file in files]
    pairs.sort(key=lambda pair: pair[0])
    files = loose + [file for _, file in pairs]
    if not files:
        raise DataError(
            f"{folder} holds no images ({_kinds(others) or 'it is empty'}); images end in "
            f"{', '.join(sorted(SUFFIXES))}."
        )
    return Listing(files, None if loose else [label for label, _ in pairs], notes)


def label_of(folder: Path) -> str:
    """The class that a folder names, in Unicode's composed form: one label on every system.

    >>> len(label_of(Path("cafe\\u0301")))
    4
    """
    try:
        folder.name.encode()
    except UnicodeEncodeError:
        raise DataError(
            f"the name of the folder {shown(folder)} is not UTF-8 and cannot be a label; rename it."
        ) from None
    return unicodedata.normalize("NFC", folder.name)


def shown(path: str | os.PathLike[str]) -> str:
    """A path as messages show it: bytes that are not UTF-8 are replaced."""
    return os.fsencode(path).decode("utf-8", "replace")


def _entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """Files and subfolders, sorted, without those that are hidden or left by file managers."""
    try:
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(
            f"{shown(folder)} cannot be listed ({error.strerror}); check its permissions."
        ) from error
    seen = [e for e in entries if not e.name.startswith(".") and e.name.lower() not in CLUTTER]
    folders = [folder / e.name for e in seen if e.is_dir()]
    return [folder / e.name for e in seen if not e.is_dir()], folders


def _images_below(
    folder: Path, others: Counter[str], above: frozenset[str] = frozenset()
) -> Iterator[Path]:
    """Images at any depth; links are followed, but not in circles."""
    real = os.path.realpath(folder)
    if real in above:
        return
    files, subfolders = _entries(folder)
    yield from _only_images(files, others)
    for sub in subfolders:
        yield from _images_below(sub, others, above | {real})


def _only_images(files: list[Path], others: Counter[str]) -> Iterator[Path]:
    for file in files:
        if file.suffix.lower() in SUFFIXES:
            yield file
        else:
            others[file.suffix.lower() or "no extension"] += 1


def _refuse_parts(folder: Path, subfolders: list[Path]) -> None:
    """Where subfolders are the parts of a data set, not its classes."""
    parts = subfolders and all(sub.name.lower() in PARTS for sub in subfolders)
    if parts and (len(subfolders) > 1 or any(_entries(sub)[1] for sub in subfolders)):
        names = ", ".join(sub.name for sub in subfolders)
        raise DataError(
            f"the subfolders of {shown(folder)} are parts of a data set ({names}), not classes; "
            "pass one of them, such as "
            f"{shown(subfolders[-1] if len(subfolders) == 1 else _train(subfolders))}."
        )


def _train(subfolders: list[Path]) -> Path:
    return next((sub for sub in subfolders if sub.name.lower().startswith("train")), subfolders[0])


def _refuse_no_classes(folder: Path, by_class: dict[Path, list[Path]], loose: list[Path]) -> None:
    if any(by_class.values()) or not loose:
        return
    raise DataError(
        f"labels are needed, so one subfolder for each class was expected, but {shown(folder)} "
        f"holds {_count(len(loose), 'image')} and no subfolder with images; put them into "
        "subfolders named by their class."
    )


def _notes(by_class: dict[Path, list[Path]], others: Counter[str]) -> list[str]:
    notes = [
        f"the folder {sub.name} holds no images: passed over"
        for sub, files in by_class.items()
        if not files
    ]
    if others:
        notes.append(
            f"{_count(sum(others.values()), 'file')} of other kinds passed over ({_kinds(others)})"
        )
    return notes


def _kinds(others: Counter[str]) -> str:
    return ", ".join(f"{count} x {suffix}" for suffix, count in others.most_common(5))


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
