"""A folder with a subfolder for each class -> its files, labels, notes on what is passed over."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import DataError
from ..image_decoding import SUFFIXES

SPLIT_NAMES = frozenset(
    "train training trainset test testing testset val valid validation dev".split()
)
TEXTS = frozenset((".txt",))
ENDINGS = {"image": SUFFIXES, "text": TEXTS}
CLUTTER = frozenset(("thumbs.db", "desktop.ini", "__macosx", "icon\r"))


@dataclass
class Listing:
    """Files in a fixed order.  labels: the top folder of each; None if some lie in none.

    nested: where all class folders hold folders alone, one of them.
    """

    files: list[Path] = field(default_factory=list)
    labels: list[str] | None = None
    notes: list[str] = field(default_factory=list)
    nested: str = ""


def list_files(folder: Path, need_labels: bool = True, kind: str = "image") -> Listing:
    """Files at any depth of a folder, by class and name; hidden and other files are passed over.

    kind: "image" or "text".
    Raises DataError where there is no such file, or no subfolder although labels are needed.
    """
    others: Counter[str] = Counter()
    endings = ENDINGS[kind]
    loose, subfolders = _entries(folder)
    by_class = {sub: list(_files_below(sub, endings, others)) for sub in subfolders}
    loose = list(_only(loose, endings, others))
    if need_labels:
        _refuse_parts(folder, by_class)
        _refuse_no_classes(folder, by_class, loose, kind)
    notes = _notes(by_class, others, kind)
    if loose and need_labels:
        notes.append(f"{_count(len(loose), kind)} beside the class folders passed over (no class)")
        loose = []
    pairs = [(label_of(sub), file) for sub, files in by_class.items() for file in files]
    pairs.sort(key=lambda pair: pair[0])
    files = loose + [file for _, file in pairs]
    if not files:
        raise DataError(
            f"{folder} holds no {kind}s ({_kinds(others) or 'it is empty'}); {kind}s end in "
            f"{', '.join(sorted(endings))}."
        )
    filled = [sub for sub, files in by_class.items() if files]
    nested = filled and all(_holds_folders_alone(sub, endings) for sub in filled)
    deeper = printable(_classes_of(_train(filled))) if nested else ""
    return Listing(files, None if loose else [label for label, _ in pairs], notes, deeper)


def _holds_folders_alone(folder: Path, endings: frozenset[str]) -> bool:
    """Whether all that a folder has lies in at least two folders in it, or in one that has such."""
    files, subfolders = _entries(folder)
    if any(file.suffix.lower() in endings for file in files) or not subfolders:
        return False
    return len(subfolders) > 1 or _holds_folders_alone(subfolders[0], endings)


def holds_texts(folder: Path) -> bool:
    """Whether there are text files and no images in a folder, at any depth."""
    others: Counter[str] = Counter()
    images = _files_below(folder, SUFFIXES, others)
    return next(images, None) is None and any(others[ending] for ending in TEXTS)


def label_of(folder: Path) -> str:
    """The class that a folder names, in Unicode's composed form: one label on every system.

    >>> len(label_of(Path("cafe\\u0301")))
    4
    """
    try:
        folder.name.encode()
    except UnicodeEncodeError:
        raise DataError(
            f"the name of the folder {printable(folder)} is not UTF-8 and cannot be a "
            "label; rename it."
        ) from None
    return unicodedata.normalize("NFC", folder.name).strip()


def printable(path: str | os.PathLike[str]) -> str:
    """A path as messages show it: bytes that are not UTF-8 are replaced."""
    return os.fsencode(path).decode("utf-8", "replace")


def _entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """Files and subfolders, sorted, without those that are hidden or left by file managers."""
    try:
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(
            f"{printable(folder)} cannot be listed ({error.strerror}); check its permissions."
        ) from error
    seen = [e for e in entries if not e.name.startswith(".") and e.name.lower() not in CLUTTER]
    folders = [folder / e.name for e in seen if e.is_dir()]
    return [folder / e.name for e in seen if not e.is_dir()], folders


def _files_below(
    folder: Path,
    endings: frozenset[str],
    others: Counter[str],
    above: frozenset[str] = frozenset(),
) -> Iterator[Path]:
    """Files with these endings at any depth; links are followed, but not in circles."""
    real = os.path.realpath(folder)
    if real in above:
        return
    files, subfolders = _entries(folder)
    yield from _only(files, endings, others)
    for sub in subfolders:
        yield from _files_below(sub, endings, others, above | {real})


def _only(files: list[Path], endings: frozenset[str], others: Counter[str]) -> Iterator[Path]:
    for file in files:
        if file.suffix.lower() in endings:
            yield file
        else:
            others[file.suffix.lower() or "no extension"] += 1


def _refuse_parts(folder: Path, by_class: dict[Path, list[Path]]) -> None:
    """Where subfolders are the parts of a data set, not its classes, whatever else is beside."""
    filled = [sub for sub, files in by_class.items() if files]
    parts = [sub for sub in filled if _names_part(sub.name)]
    inside = [{below.name for below in _entries(sub)[1]} for sub in parts]
    alike = len(parts) > 1 and bool(set.intersection(*inside))
    plain = all(part.name.lower() in SPLIT_NAMES for part in parts)
    alone = parts == filled and (any(inside) or (plain and len(parts) > 1))
    if alone or alike:
        raise DataError(
            f"the subfolders of {printable(folder)} are parts of a data set "
            f"({', '.join(sub.name for sub in parts)}), not classes; pass one of them, such as "
            f"{printable(_classes_of(_train(parts)))}."
        )


def _names_part(name: str) -> bool:
    """Whether a folder is named as a part of a data set is: val, seg_train, test2017.

    >>> [_names_part(name) for name in ("Train", "seg_test", "val2017", "trainer")]
    [True, True, True, False]
    """
    return any(word in SPLIT_NAMES for word in re.split(r"[^a-z]+", name.lower()))


def _train(parts: list[Path]) -> Path:
    return next((part for part in parts if "train" in part.name.lower()), parts[0])


def _classes_of(part: Path) -> Path:
    """Where in a part the folders of classes are: it may hold one folder that holds all."""
    files, subfolders = _entries(part)
    while len(subfolders) == 1 and not files and _entries(subfolders[0])[1]:
        part = subfolders[0]
        files, subfolders = _entries(part)
    return part


def _refuse_no_classes(
    folder: Path, by_class: dict[Path, list[Path]], loose: list[Path], kind: str
) -> None:
    if any(by_class.values()) or not loose:
        return
    raise DataError(
        f"labels are needed, so one subfolder for each class was expected, but {printable(folder)} "
        f"holds {_count(len(loose), kind)} and no subfolder with {kind}s; put them into "
        "subfolders named by their class."
    )


def _notes(by_class: dict[Path, list[Path]], others: Counter[str], kind: str) -> list[str]:
    notes = [
        f"the folder {sub.name} holds no {kind}s: passed over"
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
