"""A network: an input stage, a backbone (input -> features), a head that grows (-> logits)."""

import copy
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from ..data.dataset import Chunk
from ..data.preprocess import Prepared
from ..data.task import Records
from ..errors import SettingError
from .devices import in_blocks, rows_on
from .feature_cache import FeatureCache
from .head import LinearHead


class Body(nn.Module):
    """What a backbone builds: float inputs -> (n, width) features, and facts about itself.

    trains: whether it has parameters that learn.
    block_rows: inputs whose features are computed together on a CPU (`rows_on` a GPU), so that
        a row gives the same features whatever batch it comes in; 0 where any batch does.
    scale: features times this, rounded, are the integers that statistics add up; None where the
        first task fixes it.
    any_size: whether images of another size are accepted.
    any_length: whether sequences of another length are accepted.
    pretrained: whether it was trained on much data elsewhere, so that it is best left as it is.
    vmappable: whether torch.func.vmap can go through it: the way may not depend on the values.
    thread_safe: whether several threads may run it at the same time, each on a block of its own.
    parts: names and widths of the layers whose features are joined; none where one gives them all.
    """

    width: int
    trains: bool = True
    block_rows: int = 32
    scale: float | None = None
    any_size: bool = False
    any_length: bool = False
    pretrained: bool = False
    vmappable: bool = True
    thread_safe: bool = False
    parts: Sequence[tuple[str, int]] = ()

    def records(self, chunk: Chunk, form: dict[str, Any]) -> Records:
        """A chunk's canonical tensors.  form: see `Backbone.prepare`."""
        return Prepared(chunk, form)

    def notes(self, chunk: Chunk) -> list[str]:
        """What the user should know of how a chunk's records became tensors."""
        return []

    def inner(self) -> nn.Module:
        """The network whose layers users know by name: what this was built around, or itself."""
        return self

    def fixed(self) -> list[nn.Parameter]:
        """Parameters that never learn, whatever is frozen or not."""
        return []

    def inference_form(self) -> "Body":
        """What gives the same features while nothing learns, faster where that can be: itself."""
        return self


class Inputs(nn.Module):
    """Canonical tensors -> what the backbone reads: images become 0..1, tables are standardised.

    mean, std: (channels,) for images, (columns,) for tables; none for tensors, which pass as they
        are.

    >>> Inputs("image")(torch.tensor([[[[0, 255]]]], dtype=torch.uint8)).tolist()
    [[[[0.0, 1.0]]]]
    """

    mean: Tensor | None
    std: Tensor | None

    def __init__(
        self, kind: str, mean: Sequence[float] | None = None, std: Sequence[float] | None = None
    ):
        super().__init__()
        self.kind = kind
        for name, value in (("mean", mean), ("std", std)):
            self.register_buffer(name, None if value is None else self._shaped(torch.tensor(value)))

    def _shaped(self, values: Tensor) -> Tensor:
        return values.float().view(-1, 1, 1) if self.kind == "image" else values.float()

    def fix(self, records: Records) -> None:
        """Fix the scaling of a table's columns from the rows of the first task; once."""
        if self.kind != "table" or self.mean is not None:
            return
        n, blocks = len(records), torch.arange(len(records)).split(4096)
        mean = torch.stack([records.take(r).double().sum(0) for r in blocks]).sum(0) / n
        spread = torch.stack([((records.take(r).double() - mean) ** 2).sum(0) for r in blocks])
        std = (spread.sum(0) / n).sqrt()
        fallback = torch.where(mean == 0, torch.ones_like(mean), mean.abs())
        flat = std <= 1e-7 * mean.abs()  # a column that has not varied yet: its size is all we know
        self.mean, self.std = mean.float(), torch.where(flat, fallback, std).float()

    def forward(self, x: Tensor) -> Tensor:
        if x.dtype == torch.uint8:
            x = x.float() / 255
        elif self.kind != "table":
            return x
        if self.mean is not None and self.std is not None:
            x = (x - self.mean) / self.std
        return x

    def spec(self) -> dict[str, Any]:
        """JSON that `Inputs(**spec)` rebuilds exactly (float32 values survive JSON's doubles)."""
        mean = None if self.mean is None else self.mean.flatten().tolist()
        std = None if self.std is None else self.std.flatten().tolist()
        return {"kind": self.kind, "mean": mean, "std": std}


class Network(nn.Module):
    """inputs + backbone + head: canonical x -> (n, classes) logits; `features(x)`: (n, width)."""

    def __init__(self, backbone: Body, inputs: Inputs):
        super().__init__()
        self.inputs, self.backbone, self.head = inputs, backbone, LinearHead(backbone.width)
        self.scale = backbone.scale
        self.precision: torch.dtype | None = None  # of `steady`; None: float32
        self.cache: FeatureCache | None = None  # while a phase of training leaves the backbone be
        self._norms = [
            m for m in backbone.modules() if isinstance(m, nn.modules.batchnorm._NormBase)
        ]

    def beside(self) -> "Network":
        """The same layers, with a scale and a precision of its own: for what moves no weight."""
        return copy.copy(self)

    @property
    def width(self) -> int:
        """Features of the backbone."""
        return self.backbone.width

    @property
    def n_classes(self) -> int:
        """Rows of the head."""
        return len(self.head.weight)

    @property
    def device(self) -> torch.device:
        """Where the network computes; inputs are moved there."""
        return self.head.weight.device

    def is_finite(self) -> bool:
        """Whether all weights are finite numbers."""
        sums = [p.detach().sum(dtype=torch.float32) for p in self.parameters()]
        if bool(torch.stack(sums).isfinite().all()):  # one look for all, ten times as fast
            return True
        return all(bool(p.isfinite().all()) for p in self.parameters())  # large ones overflow

    def features(self, x: Tensor) -> Tensor:
        """(n, width) features of canonical inputs, differentiable."""
        if self.cache is not None and not self._learns():
            return self.cache.take(self.backbone, x, self.steady)
        return self.through(self.inputs(x.to(self.device, non_blocking=True)))

    def _learns(self) -> bool:
        return self.backbone.training or any(p.requires_grad for p in self.backbone.parameters())

    def through(self, x: Tensor) -> Tensor:
        """(n, width) features of what the input stage gave, differentiable."""
        if self.training and len(x) == 1 and self._norms:
            with evaluating(self._norms):  # one row has no batch statistics
                return self.backbone(x)  # type: ignore[no-any-return]
        return self.backbone(x)  # type: ignore[no-any-return]

    def rest_norms(self) -> None:
        """Batch norm goes by the statistics it has, and does not change them; weights may learn."""
        for norm in self._norms:
            norm.eval()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))  # type: ignore[no-any-return]

    def fix_scale(self, records: Records) -> Tensor | None:
        """Fix the scale on which features become integers, where the backbone does not; once.

        It follows from the first task's first rows, with a quarter to spare for larger features.
        Returns their features, (m, width) float, where it had to compute them.  Raises SettingError
        if none of them is finite.
        """
        if self.scale is not None or not len(records):
            return None
        first = self.steady(records.take(torch.arange(min(len(records), 1024))))
        sizes = first[first.isfinite()].abs()
        if first.numel() and not sizes.numel():
            raise SettingError(
                "the backbone gives no finite feature of the first samples: training diverged "
                "(take a smaller lr or backbone_lr), or its weights or the inputs are not finite."
            )
        largest = float(sizes.max()) if first.numel() else 0.0
        self.scale = 127 / (1.25 * largest) if largest > 0 else 1.0
        return first

    @torch.no_grad()
    def steady(self, x: Tensor, scale: float | None = None) -> Tensor:
        """Features that do not depend on the batch: (n, width) float, or int8 if `scale` is given.

        Rows go through the backbone in blocks of one shape (the last one padded), in evaluation
        mode; each thread takes blocks of its own where the backbone lets it.
        """
        rows = rows_on(self.device, self.backbone.block_rows, prod(x.shape[1:])) or len(x)
        with evaluating([self.backbone]):
            body = self.backbone.inference_form() if self.precision is None else self.backbone

            def block(part: Tensor) -> Tensor:
                return self._block(body, part, rows, scale)

            if body.thread_safe and self.device.type == "cpu":
                return in_blocks(block, x, rows, always=True)
            parts = [block(part) for part in x.split(max(rows, 1))]
        return torch.cat(parts) if len(parts) != 1 else parts[0]

    @torch.no_grad()
    def _block(self, body: Body, x: Tensor, rows: int, scale: float | None) -> Tensor:
        n, x = len(x), x.to(self.device, non_blocking=True)
        if n < rows:
            x = torch.cat([x, x.new_zeros(rows - n, *x.shape[1:])])
        if scale is not None and x.dtype == torch.uint8 and hasattr(body, "integers"):
            return body.integers(x)[:n]  # type: ignore[no-any-return, operator]
        with _exactly(x.device, self.precision):
            features = body(self.inputs(x))[:n]
        if self.precision is not None:
            features = features.float()
        return features if scale is None else as_integers(features, scale)


def _exactly(device: torch.device, dtype: torch.dtype | None) -> AbstractContextManager[Any]:
    """In this precision whatever surrounds it: autocast of the training loop is of its thread."""
    if dtype is None and not torch.amp.is_autocast_available(device.type):
        return nullcontext()
    return torch.autocast(device.type, dtype, enabled=dtype is not None)


def as_integers(features: Tensor, scale: float) -> Tensor:
    """Features times `scale` as int8: what statistics add up.

    >>> as_integers(torch.tensor([0.5, -9.0]), 20.0).tolist()
    [10, -127]
    """
    return (features.float() * scale).round_().clamp_(-127, 127).to(torch.int8)


@contextmanager
def evaluating(modules: Sequence[nn.Module]) -> Iterator[None]:
    """These modules in evaluation mode while the block runs, then as they were."""
    training = [m for module in modules if module.training for m in module.modules() if m.training]
    for m in training:
        m.training = False
    try:
        yield
    finally:
        for m in training:
            m.training = True


def modules_state(module: nn.Module) -> dict[str, Tensor]:
    """A copy of all parameters and buffers, by name."""
    return {name: t.detach().clone() for name, t in module.state_dict().items()}
