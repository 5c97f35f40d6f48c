"""The contract of a backbone: settings that say how inputs are prepared and what is built."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch

from ..data import preprocess
from ..data.read import Seen
from ..errors import SettingError
from ..nn.network import Body, Inputs


@dataclass
class Backbone:
    """Settings of a backbone: dataclass fields, shown by `get_params`, commands and manifest.json.

    A backbone writes `build`, and `reads` where its inputs are not images.
    """

    reads: ClassVar[tuple[str, ...]] = ("image",)  # kinds of data; see `sources.Seen`
    wraps: ClassVar[bool] = False  # a module of the user's, which is given arrays as they are

    def prepare(
        self, seen: Seen, image_size: int | tuple[int, int] | None = None
    ) -> dict[str, Any]:
        """The canonical form of inputs, as JSON; fixed by the first chunk.

        Raises SettingError for other kinds.
        """
        self.needs(seen)
        return preprocess.spec(seen, image_size)

    def inputs(self, prepared: dict[str, Any]) -> Inputs:
        """The stage that turns canonical tensors into what the module reads."""
        if "encode" in prepared:  # rows of a mixed table are scaled already
            return Inputs("table", [0.0] * prepared["columns"], [1.0] * prepared["columns"])
        return Inputs(prepared["kind"])

    def build(self, prepared: dict[str, Any], rng: torch.Generator) -> Body:
        """The module for inputs of this form; initial weights are drawn from `rng` alone."""
        raise NotImplementedError

    def restore(self, prepared: dict[str, Any]) -> Body:
        """The module for inputs of this form, whose weights and buffers are loaded next."""
        return self.build(prepared, torch.Generator().manual_seed(0))

    def settings(self) -> dict[str, Any]:
        """The fields and their values."""
        return asdict(self)

    def needs(self, seen: Seen) -> None:
        """Raise SettingError unless the data is of a kind that it reads."""
        if seen.kind not in self.reads:
            raise SettingError(
                f"backbone {type(self).__name__} reads {' or '.join(self.reads)} data, "
                f"this is {seen.kind} data; "
                f"choose another backbone (backbone='auto' picks one)."
            )
