"""Numbers, sizes and lists as people read them."""

import re
from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any

# Control characters but tab and line feed; marks of direction; what is no text at all.
OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def percent(share: float | None, digits: int = 1) -> str:
    """A share in [0, 1] as a percentage; a dash for none.

    >>> percent(0.98765), percent(0.98765, digits=0), percent(None)
    ('98.8 %', '99 %', '-')
    """
    return "-" if share is None else f"{points(share, digits)} %"


def points(share: float, digits: int = 1) -> str:
    """A share or a difference of shares in percentage points, without a unit.

    >>> points(0.0125)
    '1.2'
    """
    return f"{100 * share:.{digits}f}"


def size(count: float | None) -> str:
    """Bytes in words; a dash for none.

    >>> size(512), size(61_000_000), size(None)
    ('512 bytes', '61.0 MB', '-')
    """
    if count is None:
        return "-"
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{round(count)} bytes"


def listed(labels: Sequence[Any], most: int = 12) -> str:
    """Labels in a sentence, the middle left out where there are many.

    >>> listed(["cat", "dog"]), listed(list(range(100)), most=4)
    ('cat, dog', '0, 1, 2, ... 99 (100 in all)')
    """
    if len(labels) <= most:
        return ", ".join(map(str, labels)) or "none"
    return f"{', '.join(map(str, labels[: most - 1]))}, ... {labels[-1]} ({len(labels)} in all)"


def spread(values: Sequence[float | None], scale: float = 100) -> str:
    """Mean and standard deviation; a dash where nothing was measured.

    >>> spread([0.5, 0.6]), spread([0.5]), spread([None])
    ('55.0 ± 7.1', '50.0', '-')
    """
    known = [scale * value for value in values if value is not None]
    if not known:
        return "-"
    return f"{mean(known):.1f}" + (f" ± {stdev(known):.1f}" if len(known) > 1 else "")


def escaped(value: Any) -> Any:
    r"""Texts, at any depth, with what a terminal would obey and not show made visible.

    A label, a file's name or a reason may be a stranger's: escape sequences move the cursor, set
    titles and more; marks of direction let text read as another. Line breaks and tabs stay.

    >>> escaped({"label": "cat\x1b[2J", "rows": ["a\u202eb"]})
    {'label': 'cat\\x1b[2J', 'rows': ['a\\u202eb']}
    """
    if isinstance(value, str):
        return OBEYED.sub(lambda match: match[0].encode("unicode_escape").decode(), value)
    if isinstance(value, dict):
        return {escaped(key): escaped(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(escaped(item) for item in value)
    return value
