"""What a manifest says of a model, as a typed model: checked before anything of it is used.

What the store itself says (files, hashes, versions) is checked by `storage.manifest`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from ..storage.manifest_schema import checked

Count = Annotated[int, Field(ge=0, le=2**62)]
Side = Annotated[int, Field(ge=1, le=2**31)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
MOST_CHARACTERS = 100_000


def _text(value: Any) -> Any:
    """A str of any characters: pydantic's own takes no lone surrogate, which a label may hold."""
    if not isinstance(value, str) or len(value) > MOST_CHARACTERS:
        raise ValueError("expected text")
    return value


def _label(value: Any) -> Any:
    if isinstance(value, str) and value:
        return _text(value)
    if isinstance(value, bool | int) and -(2**63) <= value < 2**63:
        return value
    if isinstance(value, float) and value.is_integer():
        return value
    raise ValueError("expected a label: text, a whole number or a boolean")


def _json(value: Any) -> Any:
    if not isinstance(value, dict):
        raise ValueError("expected a JSON object")
    return value


Text = Annotated[Any, BeforeValidator(_text)]
Label = Annotated[Any, BeforeValidator(_label)]
Object = Annotated[Any, BeforeValidator(_json)]


class Part(BaseModel):
    """A JSON object whose fields have these types and no others; unknown ones are left alone."""

    model_config = ConfigDict(strict=True, extra="allow", protected_namespaces=())


class Inputs(Part):
    """How canonical tensors are scaled."""

    kind: Literal["image", "table", "tensor", "text"]
    mean: list[Number] | None
    std: list[Annotated[float, Field(gt=0, allow_inf_nan=False)]] | None


class Backbone(Part):
    """By which network inputs become features."""

    name: Text
    settings: Object
    inputs: Inputs
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    fingerprint: Text


class Method(Part):
    """By what it learns."""

    name: Text
    settings: Object


class Parameters(Part):
    """What the model is asked for; models saved before one was there lack it."""

    model_config = ConfigDict(strict=True, extra="forbid")

    epochs: Side = 1
    batch_size: Side = 32
    optimizer: Text = "sgd"
    lr: Number = 0.05
    momentum: Number = 0.9
    weight_decay: Number = 0.0
    backbone_lr: Number | None = None
    layer_decay: Number = 1.0
    warmup: Number = 0.0
    schedule: Text = "constant"
    freeze: bool | Text | None = None
    unfreeze: Count = 0
    freeze_norms: bool = False
    image_size: Side | list[Side] | None = None
    boundary: Literal["task", "new classes"] = "task"
    validation: Count = 0
    num_workers: Annotated[int, Field(ge=0, le=1_000)] = 0
    precision: Text = "auto"
    random_state: int | None = 0


class ImageForm(Part):
    """The canonical form of images."""

    kind: Literal["image"]
    channels: Literal[1, 3]
    height: Annotated[int, Field(ge=1, le=4096)]
    width: Annotated[int, Field(ge=1, le=4096)]
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    crop: Literal["squeeze", "center", "squash", "border"] = "squeeze"
    crop_pct: Annotated[float, Field(gt=0, le=10)] = 1.0
    fill: list[Annotated[int, Field(ge=0, le=255)]] = []
    top: Literal[255, 1023, 4095, 16383, 65535] = 65535
    sizes: Literal["any"] = "any"
    given: Literal[1, 3] = 1


class Column(Part):
    """What was found in a column of a table of several kinds."""

    name: Text
    kind: Literal["number", "boolean", "date", "category"]
    mean: Number = 0.0
    deviation: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    values: list[Text] = []

    @model_validator(mode="after")
    def whole(self) -> "Column":
        """A category has values, all else a mean and a deviation."""
        wanted = {"values"} if self.kind == "category" else {"mean", "deviation"}
        if missing := wanted - self.model_fields_set:
            raise ValueError(f"{', '.join(sorted(missing))} missing")
        return self


class TableForm(Part):
    """The canonical form of rows of numbers."""

    kind: Literal["table"]
    columns: Annotated[int, Field(ge=1, le=10_000_000)]
    names: list[Text]
    unused: list[Text] = []
    spread: Count = 0
    encode: Annotated[list[Column], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def as_many_names(self) -> "TableForm":
        """Each column has a name, where any has."""
        columns = self.columns if self.encode is None else len(self.encode)
        if self.names and len(self.names) != columns:
            raise ValueError(f"{len(self.names)} names of {columns} columns")
        return self


class TensorForm(Part):
    """The form of inputs of a network of the user's own."""

    kind: Literal["tensor"]
    shape: list[Count]
    dtype: Literal["float32", "int64"]


class Tokenizer(Part):
    """Which tokenizer reads texts."""

    name: Text
    sha256: Text
    bytes: Annotated[int, Field(ge=1, le=1 << 30)]


class Encoder(Part):
    """What shapes the features of a text."""

    config: Object
    pooling: Literal["mean", "cls", "max"]
    normalize: bool
    prompt: Text


class TextForm(Part):
    """The canonical form of texts."""

    kind: Literal["text"]
    length: Annotated[int, Field(ge=1, le=1 << 20)]
    tokenizer: Tokenizer
    encoder: Encoder


class Began(Part):
    """What the first inputs looked like."""

    kind: Literal["image", "table", "tensor"]
    classes: Count
    sizes: list[list[Count]]
    mean: list[Number]
    std: list[Number]
    high: Number

    @model_validator(mode="after")
    def as_many(self) -> "Began":
        """Mean and deviation are of the same channels or columns."""
        if len(self.mean) != len(self.std) or any(len(size) != 2 for size in self.sizes):
            raise ValueError("mean, std and sizes do not fit one another")
        return self


class Columns(Part):
    """Columns of the first table."""

    count: Side | None
    names: list[Text] | None


class Asked(Part):
    """Names that the caller asked for."""

    backbone: Text | None
    method: Text | None


class Loss(Part):
    """A class that lost recall, and what it was taken for."""

    label: Text
    before: Share | None
    after: Share | None
    to: list[Annotated[tuple[Text, Count], Field(strict=False)]]  # JSON has lists alone


class Fallen(Part):
    """A class below its best, and what it is taken for."""

    label: Text
    first: Share
    best: Share
    after: Share | None
    to: list[Annotated[tuple[Text, Count], Field(strict=False)]]
    newcomers: list[Annotated[tuple[Text, Count], Field(strict=False)]]


class Calibration(Part):
    """How far confidence is from accuracy, and by which bins."""

    error: Number
    bins: list[list[Number | None]]


class Report(Part):
    """What the last update did; see `update_report.report`."""

    by: Text
    samples: Count
    new_classes: list[Text]
    old_before: Share | None
    old: Share | None
    new: Share | None
    all: Share | None
    margins: dict[str, Number | None]
    per_class: dict[Text, Share | None]
    before: dict[Text, Share | None]
    judged: dict[Text, Count]
    lost: list[Loss]
    confusion: list[Annotated[tuple[Text, Text, Count], Field(strict=False)]]
    calibration: Calibration
    first: dict[Text, Share] = {}
    best: dict[Text, Share] = {}
    old_first: Share | None = None
    old_best: Share | None = None
    fallen: list[Fallen] = []

    @model_validator(mode="after")
    def of_its_classes(self) -> "Report":
        """What is confused is a class that was judged."""
        known = self.judged.keys()
        if self.per_class.keys() != known or not {a for a, _, _ in self.confusion} <= known:
            raise ValueError("per_class, judged and confusion are of other classes")
        return self


class Update(Part):
    """The last update."""

    task: Count = 0
    samples: Count = 0
    held_back: Count = 0
    old_classes: list[Label] = []
    new_classes: list[Label] = []
    method: Text = ""
    backbone: Text = ""
    reason: Text = ""
    advice: list[Object] = []
    warnings: list[Text] = []
    skipped: Count = 0
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    before: list[Share | None] | None = None
    recalls: dict[Text, Annotated[list[Share], Field(min_length=2, max_length=2)]] = {}
    report: Report | None = None


class ModelManifest(Part):
    """All that a manifest says of a model."""

    classes: Annotated[list[Label], Field(min_length=1)]
    counts: list[Count]
    tasks: Count
    prepare: (
        Annotated[ImageForm | TableForm | TensorForm | TextForm, Field(discriminator="kind")] | None
    )
    backbone: Backbone
    method: Method
    parameters: Parameters
    reason: Text
    adopted: Count
    began: Began | None = None
    units: Object = {}
    asked: Asked
    columns: Columns
    update: Update
    figures: Object = {}
    state: Object
    heldout: Object = {}
    keep_no_samples: bool = False

    @model_validator(mode="after")
    def fitting(self) -> "ModelManifest":
        """Each class is there once, of one kind, with a count; those that were adopted are some."""
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("classes holds a label twice")
        if len({isinstance(label, str) for label in self.classes}) > 1:
            raise ValueError("classes holds text and numbers")
        if len(self.counts) != len(self.classes):
            raise ValueError(f"{len(self.counts)} counts of {len(self.classes)} classes")
        if sides := _sides(self.backbone.inputs, self.prepare):
            raise ValueError(sides)
        if columns := _columns_wrong(self.columns, self.prepare):
            raise ValueError(columns)
        if self.adopted > len(self.classes):
            raise ValueError(f"{self.adopted} of {len(self.classes)} classes were adopted")
        return self


def _columns_wrong(columns: Columns, form: Any) -> str:
    """What does not fit between the first table and the form of rows, if anything."""
    names = columns.names
    if columns.count is not None and names is not None and len(names) != columns.count:
        return f"columns has {len(names)} names of {columns.count} columns"
    plain = form is not None and form.kind == "table" and form.encode is None
    if plain and columns.count not in (None, form.columns):
        return f"columns counts {columns.count}, prepare {form.columns}"
    return ""


def _sides(inputs: Inputs, form: Any) -> str:
    """What does not fit between how inputs are scaled and their form, if anything."""
    lengths = {len(values) for values in (inputs.mean, inputs.std) if values is not None}
    if len(lengths) > 1 or (inputs.mean is None) != (inputs.std is None):
        return "inputs have another number of means than of deviations"
    wanted = {"image": {1, 3}, "table": {getattr(form, "columns", 0)}}.get(inputs.kind, lengths)
    known = form is not None and form.kind == inputs.kind
    return "inputs are scaled by too many or too few numbers" if known and lengths - wanted else ""


def check(manifest: Mapping[str, Any]) -> None:
    """Raise Fault, with the first field that is wrong, unless this describes a model."""
    checked(ModelManifest, manifest)
