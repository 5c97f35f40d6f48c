"""One HTML file about a model folder or a folder of results: what happened, update by update."""

from pathlib import Path
from typing import Any

from .errors import DataError
from .page import html
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
        from . import modelpage

        made = modelpage.page(ModelFolder(place), data)
    text = html(made)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}; name another file.") from None
    return {"report": str(path), "bytes": path.stat().st_size}
