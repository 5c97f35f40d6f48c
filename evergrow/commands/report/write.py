"""One HTML file about a model folder or a folder of results: what happened, update by update."""

from pathlib import Path
from typing import Any

from ...errors import DataError
from ...storage.model_folder import ModelFolder
from .html import Page, html


def write(folder: str | Path, output: str | Path, data: Any = None) -> dict[str, Any]:
    """Write the report of a folder.  data: a Source of labelled samples to judge a model by too.

    Returns {"report": path, "bytes": size}.  Raises ModelError, DataError.
    """
    place, path = Path(folder), Path(output)
    if (place / "rows").is_dir():
        from ...bench.results import Results
        from . import benchmark_page

        page = benchmark_page.page(str(place), Results(place).rows())
    else:
        page = _model(ModelFolder(place), data)
    text = html(page)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}; name another file.") from None
    return {"report": str(path), "bytes": path.stat().st_size}


def write_tables(folder: str | Path) -> None:
    """`table.html` of all rows in a folder of results, beside `table.md`."""
    from ...bench.results import Results
    from . import benchmark_page

    results = Results(folder)
    if not (Path(folder) / "rows").is_dir():
        return  # nothing was run
    results.write("table.html", html(benchmark_page.tables_page(results.rows())))


def _model(folder: ModelFolder, data: Any) -> Page:
    from .. import evaluate, versions
    from . import history, model_page

    past, shown = history.read_history(folder), versions.show(folder.path)
    judged = None if data is None else evaluate.examined(folder, data)
    images = history.kept_images(folder, past.last["version"], model_page.IMAGES)
    return model_page.page(folder.path, past, shown, images, judged)
