"""Arguments and options that several commands share, each declared once."""

from pathlib import Path
from typing import Annotated

import typer

from ...data.label_type import LabelType


def path_argument(text: str) -> Path:
    """A path; never the working directory because a shell variable was empty."""
    if not text:
        raise typer.BadParameter("the path is empty")
    return Path(text)


ModelArgument = Annotated[
    Path, typer.Argument(metavar="MODEL", parser=path_argument, help="Folder of the model.")
]
DataArgument = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        parser=path_argument,
        help="Folder with one subfolder a class, of images or .txt files; or a CSV, Parquet, "
        "JSON-lines, npz or idx file.",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON object on standard output, nothing else there.")
]
LabelOption = Annotated[
    str | None, typer.Option(help="Column (CSV, Parquet, JSON lines) or key (npz) of the labels.")
]
LabelTypeOption = Annotated[
    LabelType,
    typer.Option(
        help="What labels of a new model are: int where all are integers as one writes them, else "
        "text.",
    ),
]
TextOption = Annotated[str | None, typer.Option(help="Column of the texts.")]
PathsOption = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Column of paths of image files; without, one whose cells are all files.",
    ),
]
MissingOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CELL",
        help="Cell of a CSV file that says that something is missing; can be given several times.",
    ),
]
SkipBadOption = Annotated[
    bool, typer.Option("--skip-bad", help="Pass over files that cannot be read, and count them.")
]
DeviceOption = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, mps; auto by default.")]
WhereOption = Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:1, mps or auto.")]
OwnOption = Annotated[
    str | None,
    typer.Option("--method", metavar="MODULE:CLASS", help="Of a model with a method of your own."),
]
VersionOption = Annotated[
    int | None, typer.Option(help="Version of the model; the current one by default.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Setting of the method (memory=500), of the backbone (backbone.filters=400) or of "
        "training (momentum=0.5); can be given several times.",
    ),
]

BackboneOption = Annotated[
    str | None, typer.Option(help="Network of a new model; see `evergrow backbones`.")
]
MethodOption = Annotated[
    str | None,
    typer.Option(help="How old classes are kept; see `evergrow methods`, or MODULE:CLASS."),
]
BatchSizeOption = Annotated[int | None, typer.Option(help="Samples in a step.")]
RateOption = Annotated[float | None, typer.Option(help="Learning rate.")]
BackboneRateOption = Annotated[
    float | None,
    typer.Option(help="Learning rate of the backbone, as a share of --lr: 0.1 is a tenth of it."),
]
OptimizerOption = Annotated[str | None, typer.Option(help="sgd or adamw.")]
EpochsOption = Annotated[int | None, typer.Option(help="Passes over the data.")]
FreezeOption = Annotated[
    str | None,
    typer.Option(help="`all` of the backbone, or the last layer that does not learn; `none`."),
]
ImageSizeOption = Annotated[
    str | None, typer.Option(help="Size images are brought to, of a new model: 64 or 48x64.")
]
OldOption = Annotated[
    Path | None,
    typer.Option(help="A few samples of known classes, to keep and not to train on."),
]
AuxiliaryOption = Annotated[
    Path | None,
    typer.Option(help="Inputs without labels, for methods that use such (dmc, dmc+)."),
]
AgainOption = Annotated[
    bool, typer.Option("--again", help="Learn samples once more that were learnt before.")
]
