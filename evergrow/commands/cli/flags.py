"""Arguments and options that several commands share, each declared once."""

from pathlib import Path
from typing import Annotated

import typer


def place(text: str) -> Path:
    """A path; never the working directory because a shell variable was empty."""
    if not text:
        raise typer.BadParameter("the path is empty")
    return Path(text)


Model = Annotated[Path, typer.Argument(metavar="MODEL", parser=place, help="Folder of the model.")]
Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        parser=place,
        help="Folder with one subfolder a class, of images or .txt files; or a CSV, Parquet, "
        "JSON-lines, npz or idx file.",
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON object on standard output, nothing else there.")
]
Label = Annotated[
    str | None, typer.Option(help="Column (CSV, Parquet, JSON lines) or key (npz) of the labels.")
]
Text = Annotated[str | None, typer.Option(help="Column of the texts.")]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Pass over files that cannot be read, and count them.")
]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, mps; auto by default.")]
Where = Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:1, mps or auto.")]
Own = Annotated[
    str | None,
    typer.Option("--method", metavar="MODULE:CLASS", help="Of a model with a method of your own."),
]
Version = Annotated[
    int | None, typer.Option(help="Version of the model; the current one by default.")
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Setting of the method (memory=500), of the backbone (backbone.filters=400) or of "
        "training (momentum=0.5); can be given several times.",
    ),
]

Backbone = Annotated[
    str | None, typer.Option(help="Network of a new model; see `evergrow backbones`.")
]
Method = Annotated[
    str | None,
    typer.Option(help="How old classes are kept; see `evergrow methods`, or MODULE:CLASS."),
]
BatchSize = Annotated[int | None, typer.Option(help="Samples in a step.")]
Rate = Annotated[float | None, typer.Option(help="Learning rate.")]
BackboneRate = Annotated[
    float | None,
    typer.Option(help="Learning rate of the backbone, as a share of --lr: 0.1 is a tenth of it."),
]
Optimizer = Annotated[str | None, typer.Option(help="sgd or adamw.")]
Epochs = Annotated[int | None, typer.Option(help="Passes over the data.")]
Freeze = Annotated[
    str | None,
    typer.Option(help="`all` of the backbone, or the last layer that does not learn; `none`."),
]
ImageSize = Annotated[
    str | None, typer.Option(help="Size images are brought to, of a new model: 64 or 48x64.")
]
Old = Annotated[
    Path | None,
    typer.Option(help="A few samples of known classes, to keep and not to train on."),
]
Auxiliary = Annotated[
    Path | None,
    typer.Option(help="Inputs without labels, for methods that use such (dmc, dmc+)."),
]
Again = Annotated[
    bool, typer.Option("--again", help="Learn samples once more that were learnt before.")
]
