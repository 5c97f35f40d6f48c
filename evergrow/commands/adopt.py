"""Begin a model folder from a network that was trained elsewhere."""

import time
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..model.options import How
from ..storage.model_folder import ModelFolder
from .open_model import Answer, commit, described


def adopt(model: str | Path, weights: str | Path, backbone: str, classes: Any, how: How) -> Answer:
    """Begin a model from a network trained elsewhere: its predictions are the network's own.

    weights: .safetensors, or .pt with tensors alone.  classes: labels in the order of the outputs,
    or a text file with one a line.  Raises ModelError if there is a model already.
    """
    from ..model import configure
    from ..storage import ledger

    began, folder = time.perf_counter(), ModelFolder(model)
    with folder.writer():
        if folder.exists():
            raise ModelError(
                f"{folder.path} holds a model already; name a folder that does not exist."
            )
        adopted = configure.adopted(Path(weights), backbone, classes, how)
        adopted.ledger = ledger.empty()
        version = commit(folder, adopted, {"data": ""})
    new = adopted.classes.tolist()
    answer = described(adopted, version) | {
        "model": str(folder.path),
        "new_classes": new,
        "samples": 0,
    }
    return answer | {"adopted": True, "seconds": time.perf_counter() - began}
