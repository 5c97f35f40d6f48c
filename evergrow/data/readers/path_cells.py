"""Whether texts are paths of files: only if all of them are, or if they end as images do."""

from collections.abc import Sequence
from pathlib import Path

from ...errors import DataError
from ..image_decoding import SUFFIXES

LONGEST = 1024  # characters of a path


def are_paths(cells: Sequence[str], base: Path, where: str) -> bool:
    """Whether these name files, looked for from the folder `base`.

    where: what messages call them. One that ends as images do while all others do is a path even
    where its file is missing, which is for who reads it to say.  Raises DataError where all end so
    and none is there: they may be texts, or the folder is another.
    """
    if not cells or not (_ends_as_image(cells[0]) or _is_file(base, cells[0])):
        return False
    if not all(map(_ends_as_image, cells)):
        return all(_is_file(base, cell) for cell in cells)
    if any(_is_file(base, cell) for cell in cells):
        return True
    raise DataError(
        f"{where} holds what may be image files ({cells[0]!r}), and no such file is there (looked "
        f"for in {base.absolute()}): for files, mend the paths; for texts, say so: --text COLUMN, "
        "or sources.read(X, y, text=...) in Python."
    )


def _ends_as_image(cell: str) -> bool:
    return Path(cell).suffix.lower() in SUFFIXES


def _is_file(base: Path, cell: str) -> bool:
    return len(cell) < LONGEST and "\0" not in cell and (base / cell).is_file()
