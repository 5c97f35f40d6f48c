"""Where data is and how to read it, said before it is read; needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .label_type import LabelType, ModelLabels

if TYPE_CHECKING:
    from .dataset import Chunk


@dataclass(frozen=True)
class Source:
    """Where data is: whatever `sources.read` takes, and how to read it.

    label, text: column or key of the labels, of the texts.  skip_bad: pass over unreadable files.
    label_type: "text" or "int": what labels of files are to be.  model_labels: what those of the
    model are that this is for.  paths, missing: see `data.read`.
    """

    data: Any
    label: str | None = None
    text: str | None = None
    skip_bad: bool = False
    label_type: LabelType = None
    model_labels: ModelLabels = None
    paths: str | None = None
    missing: Sequence[str] = ()

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
            label_type=self.label_type,
            model_labels=self.model_labels,
            paths=self.paths,
            missing=self.missing,
        )
