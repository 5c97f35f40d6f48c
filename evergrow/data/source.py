"""Where data is and how to read it, said before it is read; needs no torch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .dataset import Chunk


@dataclass(frozen=True)
class Source:
    """Where data is: whatever `sources.read` takes, and how to read it.

    label, text: column or key of the labels, of the texts.  skip_bad: pass over unreadable files.
    """

    data: Any
    label: str | None = None
    text: str | None = None
    skip_bad: bool = False

    @classmethod
    def of(cls, data: Any) -> "Source":
        """A Source as it is, or of whatever `sources.read` takes."""
        return data if isinstance(data, Source) else cls(data)

    def read(self, need_labels: bool = True) -> "Chunk":
        """The data.  Raises DataError; BadFilesError lists all files that cannot be read."""
        from . import read as sources

        return sources.read(
            self.data,
            label=self.label,
            text=self.text,
            skip_bad=self.skip_bad,
            need_labels=need_labels,
        )
