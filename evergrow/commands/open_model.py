"""Models out of their folders and back: to ask, to learn on, as one new version."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..data.source import Source
from ..errors import ModelError, SettingError
from ..storage.model_folder import ModelFolder, Stored

if TYPE_CHECKING:
    from ..model.model import Model


Answer = dict[str, Any]


@dataclass(frozen=True)
class OpenOptions:
    """What a model folder does not say.

    method: MODULE:CLASS, where the model learns by such.  device: to compute on.
    version: which; None for the current one.
    """

    method: str | None = None
    device: str = "auto"
    version: int | None = None


def described(model: "Model", version: int) -> Answer:
    """What every answer about learning says of the model."""
    return {
        "version": version,
        "classes": model.classes.tolist(),
        "method": model.method_name,
        "backbone": model.backbone_name,
        "reason": model.reason,
    }


CURRENT = OpenOptions()  # the current version, on whatever device there is


def commit(folder: ModelFolder, model: "Model", extra: Answer) -> int:
    """One new version of a model folder that is locked already.  Returns its number."""
    from ..model import serialize

    parts = serialize.parts(model)
    parts["manifest"] |= extra
    return folder.commit(**parts)


def of_model(source: Source, model: "Model | None") -> Source:
    """Data whose labels are read as the model's are: text or int.

    Raises SettingError where they were to be read as the other.
    """
    known = None if model is None else model.label_type
    if source.label_type not in (None, known) and known is not None:
        raise SettingError(
            f"--label-type {source.label_type}: this model's labels are {known}; leave it out, or "
            "begin a new model."
        )
    return replace(source, model_labels=known)


def load(folder: ModelFolder, options: OpenOptions) -> "Model":
    """The model in a folder, to ask it."""
    description(folder, options.version)  # what is wrong is said before anything slow is imported
    stored = folder.read(options.version, learning=False)
    return restored(folder, stored, options, learning=False)


def description(folder: ModelFolder, version: int | None = None) -> Answer:
    """What is written about a version, the current one by default; it describes a model.

    Raises ModelError as `ModelFolder.manifest`, DamagedError where it does not.
    """
    from ..model import manifest_schema

    manifest = folder.manifest(version)
    with folder.making_a_model(manifest["version"]):
        manifest_schema.check(manifest)
    return manifest


def restored(folder: ModelFolder, stored: Stored, options: OpenOptions, learning: bool) -> "Model":
    """The model that was stored.  ModelError: it needs code that is not evergrow's."""
    from ..model import serialize
    from ..nn import devices

    devices.device_named(options.device)  # raises SettingError where there is no such
    own = options.method if options.method and ":" in options.method else None
    try:
        with folder.making_a_model(stored.version):
            return serialize.restore(stored, options.device, None, own, learning)
    except SettingError as error:
        raise ModelError(str(error)) from error
