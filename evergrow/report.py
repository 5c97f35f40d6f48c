"""One HTML file about a model folder or a folder of results: what happened, update by update."""

from pathlib import Path
from typing import Any

from .errors import DataError
from .page import Page, html
from .store import ModelFolder


def write(folder: str | Path, output: str | Path, data: Any = None) -> dict[str, Any]:
    """Write the report of a folder.  data: a Source of labelled samples to judge a model by too.

    Returns {"report": path, "bytes": size}.  Raises ModelError, DataError.
    """
    place, path = Path(folder), Path(output)
    if (place / "rows").is_dir():
        from . import resultspage
        from .results import Results

        made = resultspage.page(str(place), Results(place).rows())
    else:
        made = _model(ModelFolder(place), data)
    text = html(made)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}; name another file.") from None
    return {"report": str(path), "bytes": path.stat().st_size}


def write_tables(folder: str | Path) -> None:
    """`table.html` of all rows in a folder of results, beside `table.md`."""
    from . import resultspage
    from .results import Results

    results = Results(folder)
    if not (Path(folder) / "rows").is_dir():
        return  # nothing was run
    results.write("table.html", html(resultspage.tables(results.rows())))


def _model(folder: ModelFolder, data: Any) -> Page:
    from . import history, modelpage, update

    past, shown = history.read(folder), update.show(folder.path)
    judged = None if data is None else update.examined(folder, data)
    images = history.pictures(folder, past.last["version"], modelpage.IMAGES)
    return modelpage.page(folder.path, past, shown, images, judged)
