"""evergrow: neural-network classifiers that gain classes. Names are imported when first used."""

import logging
from typing import TYPE_CHECKING, Any

logging.getLogger(__name__).addHandler(logging.NullHandler())  # silent until someone asks

if TYPE_CHECKING:
    from . import backbones as backbones
    from . import methods as methods
    from . import metrics as metrics
    from .model.classifier import GrowingClassifier as GrowingClassifier
    from .model.classifier import load as load

__version__ = "0.1.0"
__all__ = ["GrowingClassifier", "__version__", "backbones", "load", "methods", "metrics"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in ("methods", "backbones", "metrics"):
        return import_module(f".{name}", __name__)
    if name in __all__:
        return getattr(import_module(".model.classifier", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
