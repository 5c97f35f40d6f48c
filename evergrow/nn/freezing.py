"""Which layers of a network learn: stages, freezing them, frozen copies, a fresh start."""

import copy

import torch
from torch import Tensor, nn

from ..errors import SettingError
from .network import Body, Network


def frozen(net: Network, classes: int | None = None) -> Network:
    """A copy of `net` as it is now, that will not learn: the teacher of distillation methods.

    classes: it answers about its first columns alone, this many; None: about all.
    """
    teacher = copy.deepcopy(net)
    head = teacher.head
    head.weight = nn.Parameter(head.weight.data[:classes].clone())
    head.bias = nn.Parameter(head.bias.data[:classes].clone())
    return teacher.eval().requires_grad_(False)


def begin_anew(
    net: Network,
    backbone: dict[str, Tensor],
    head: dict[str, Tensor],
    classes: int,
    rng: torch.Generator,
) -> None:
    """Give a network the weights that it began with, and random rows up to so many classes.

    backbone, head: tensors by name, as they were at first; the head's are those of a network
    trained elsewhere, else none.
    """
    net.backbone.load_state_dict(backbone)
    net.head.forget()
    net.head.extend(head["weight"], head["bias"])
    net.head.grow(classes, rng)


def freeze(net: Network, upto: bool | str | None, learning: int | None = None) -> None:
    """Stop the backbone from learning: all (True), or each layer up to and including the one named.

    upto: a name as the network itself has it ("layer3", "blocks.2", "features.10"); what stands
        before it in the order of `named_modules` freezes too.
    learning: stages that may learn, counted from the top; None: all. See `stages`.

    Frozen layers stay in evaluation mode, so that their batch-norm statistics do not drift either.
    Raises SettingError for a name that is not a layer of the backbone.
    """
    net.train()
    net.requires_grad_(True)
    for p in net.backbone.fixed():
        p.requires_grad_(False)
    layers = list(net.backbone.named_modules())
    end = _end(net.backbone, upto)
    if learning is not None:
        end = max(end, _below(net.backbone, learning))
    after = layers[end][0] if end < len(layers) else None
    for name, module in layers[:end]:
        for p in module.parameters(recurse=False):
            p.requires_grad_(False).grad = None
        module.training = after is not None and _within(after, name)  # it holds what learns


def stages(module: nn.Module) -> dict[str, list[nn.Parameter]]:
    """Parameters from the input up, by stage; a stage has the name of a layer.

    Norms beside the stages belong to the one before, and parameters that lie beside the layers (an
    embedding of positions) to the first of these.

    >>> net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Linear(2, 1))
    >>> {name: len(parameters) for name, parameters in stages(net).items()}
    {'0': 4, '2': 2}
    """
    apart: dict[str, list[nn.Parameter]] = {}
    for name, p in module.named_parameters():
        apart.setdefault(stage(name), []).append(p)
    by_stage: dict[str, list[nn.Parameter]] = {}
    top = before = None
    for name, some in apart.items():
        joins = all(p.dim() < 2 for p in some) or _within(name, before)
        if top is None or not joins:
            top = name
        by_stage.setdefault(top, []).extend(some)
        before = name
    return by_stage


def stage(name: str) -> str:
    """The stage of a network that a parameter belongs to: its name up to the first number.

    >>> stage("module.layer3.0.conv1.weight"), stage("module.blocks.2.norm.bias")
    ('module.layer3', 'module.blocks.2')
    """
    parts = name.split(".")[:-1]
    end = next((i for i, part in enumerate(parts) if part[-1:].isdigit()), len(parts) - 1)
    return ".".join(parts[: end + 1])


def _within(name: str, outer: str | None) -> bool:
    """Whether a layer lies inside another, by their names; all lie inside ""."""
    return outer is not None and name != outer and (not outer or name.startswith(f"{outer}."))


def _end(body: Body, upto: bool | str | None) -> int:
    """How many layers freeze, in the order of `named_modules`."""
    layers = list(body.named_modules())
    if upto is None or isinstance(upto, bool):
        return len(layers) if upto else 0
    inner = body.inner()
    prefix = next(f"{name}." if name else "" for name, m in layers if m is inner)
    names = [name for name, _ in layers]
    named = next((name for name in (prefix + upto, upto) if name and name in names), None)
    if named is None:
        own = [name for name in stages(inner) if name]
        parts = [name for name, _ in inner.named_modules() if own and _within(name, own[-1])]
        example = f", or a layer inside one, such as {parts[-1]}" if parts else ""
        raise SettingError(
            f"freeze={upto!r} is not a layer of the backbone; name the last one that does not "
            f"learn: {', '.join(own) or 'it has none that learns'}{example}."
        )
    return 1 + max(i for i, name in enumerate(names) if name == named or _within(name, named))


def _below(body: Body, learning: int) -> int:
    """How many layers lie below the stages that learn."""
    names = [name for name, _ in body.named_modules()]
    starts = [names.index(name) for name in stages(body)]
    if learning >= len(starts):
        return 0
    return starts[-learning] if learning else len(names)
