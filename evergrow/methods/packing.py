"""What a method remembers, as a state that a model folder can hold, and back."""

from typing import Any

from torch import Tensor

from ..data.task import Samples
from ..errors import SettingError
from ..nn.freezing import frozen
from ..nn.network import Network, modules_state
from ..storage.durable_files import Fault

# What `Method.attach` hands a method, and is not remembered.
ATTACHED = set("net how rng optimizer watch watched level checkpoints".split())


def remembered_attributes(method: Any) -> dict[str, Any]:
    """Attributes by name that are neither settings, nor given by `attach`, nor private."""
    skip = ATTACHED | set(method.settings())
    return {k: v for k, v in vars(method).items() if k not in skip and not k.startswith("_")}


def state(method: Any) -> dict[str, Any]:
    """What a method remembers, as tensors, samples, scalars, strings, dicts and lists of them.

    Raises SettingError for an attribute that cannot be stored.
    """
    return {name: _pack(name, value) for name, value in remembered_attributes(method).items()}


def fill(method: Any, state: dict[str, Any]) -> None:
    """Let a method remember what the one that gave this state remembered."""
    known = remembered_attributes(method)
    for name, value in state.items():
        if name not in known and (name.startswith("_") or hasattr(method, name)):
            raise Fault(f"{name} is nothing that {type(method).__name__} remembers")
        attribute: Any = known.get(name)
        if hasattr(attribute, "fill"):
            attribute.fill(value)
        else:
            setattr(method, name, _unpack(method.net, value))


def copy_remembered(method: Any, twin: Any) -> None:
    """Let `twin` remember all that `method` does; nothing that either writes changes the other.

    Attributes that have a `fork` of their own are forked, which may cost no copy.
    """
    attributes = remembered_attributes(method)
    forks = {name: value.fork() for name, value in attributes.items() if hasattr(value, "fork")}
    packed = {name: _pack(name, v) for name, v in attributes.items() if name not in forks}
    twin.fill(_copied(packed))
    for name, value in forks.items():
        setattr(twin, name, value)


def _pack(name: str, value: Any) -> Any:
    if hasattr(value, "state") and hasattr(value, "fill"):
        return value.state()
    if isinstance(value, Network):
        return {"__network__": modules_state(value)}
    if isinstance(value, dict):
        return {key: _pack(name, v) for key, v in value.items()}
    if isinstance(value, list):
        return [_pack(name, v) for v in value]
    if value is None or isinstance(value, Tensor | Samples | int | float | str | bool):
        return value
    raise SettingError(
        f"attribute {name!r} is a {type(value).__name__}, which a model cannot store; keep "
        "tensors, numbers, strings, dicts and lists of them, networks, or objects with state() "
        "and fill(); or begin its name with an underscore if it need not survive."
    )


def _unpack(like: Network, value: Any) -> Any:
    """What `_pack` packed; networks come back frozen, of the backbone of `like`."""
    if isinstance(value, dict) and "__network__" in value:
        return _network(like, value["__network__"])
    if isinstance(value, dict):
        return {key: _unpack(like, v) for key, v in value.items()}
    return [_unpack(like, v) for v in value] if isinstance(value, list) else value


def _network(like: Network, tensors: dict[str, Tensor]) -> Network:
    """A frozen network of the same backbone with these weights, its head as long as theirs."""
    net = frozen(like)
    net.head.forget()
    net.head.extend(tensors["head.weight"], tensors["head.bias"])
    net.load_state_dict(tensors)
    return net.eval().requires_grad_(False)


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, Samples):
        return Samples(value.x.clone(), value.y.clone(), _copied(value.logits))
    if isinstance(value, dict):
        return {k: _copied(v) for k, v in value.items()}
    return [_copied(v) for v in value] if isinstance(value, list) else value
