"""The commands that ask a model: predict, evaluate, show, layers, report, rollback."""

from pathlib import Path
from typing import Annotated

import typer

from ...data.source import Source
from .. import evaluate as evaluating
from .. import predict as predicting
from .. import versions
from ..open_model import OpenOptions
from . import display
from .arguments import find_here
from .flags import (
    DataArgument,
    JsonOption,
    LabelOption,
    MissingOption,
    ModelArgument,
    OwnOption,
    PathsOption,
    SkipBadOption,
    TextOption,
    VersionOption,
    WhereOption,
    path_argument,
)
from .output import answer, answer_done

ANSWERS = {  # by command: what --json prints, for docs/cli.md
    "predict": "predictions: a list of {input, label, probability, top}, where top is a list of "
    "[label, probability]; version, skipped, warnings",
    "evaluate": "accuracy, samples, per_class {label: accuracy}, counts {label: samples}, old and "
    "new {accuracy, samples}, confused: a list of {label, predicted, samples}, unknown_classes, "
    "version, skipped, warnings",
    "show": "version, versions, classes, counts {label: samples}, method, method_settings, "
    "backbone, backbone_settings, reason, input, raw_samples, bytes, version_bytes, history: a "
    "list of versions, each with recall {old, new, all} as its update left it",
    "layers": "layers: a list of {layer, features, recall}, version",
    "report": "report (the file), bytes",
    "rollback": "version, versions, classes",
}


def predict(
    model: ModelArgument,
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATA...",
            parser=path_argument,
            help="Images or .txt files, a folder of such, or a file of data.",
        ),
    ],
    top: Annotated[int, typer.Option(min=1, help="How many labels to give, likeliest first.")] = 3,
    version: VersionOption = None,
    label: LabelOption = None,
    text: TextOption = None,
    paths: PathsOption = None,
    missing: MissingOption = None,
    skip_bad: SkipBadOption = False,
    method: OwnOption = None,
    device: WhereOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Labels and probabilities of DATA."""
    find_here(method)
    given = data[0] if len(data) == 1 else data
    source = Source(given, label, text, skip_bad, paths=paths, missing=missing or ())
    options = OpenOptions(method, device, version)
    answer(predicting.predict(model, source, top, options), as_json, display.predictions)


def evaluate(
    model: ModelArgument,
    data: DataArgument,
    version: VersionOption = None,
    label: LabelOption = None,
    text: TextOption = None,
    paths: PathsOption = None,
    missing: MissingOption = None,
    skip_bad: SkipBadOption = False,
    method: OwnOption = None,
    device: WhereOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Accuracy on labelled DATA.

    Overall, of old and new classes (those of the last update), by class; what is confused most.
    """
    find_here(method)
    source = Source(data, label, text, skip_bad, paths=paths, missing=missing or ())
    options = OpenOptions(method, device, version)
    answer(evaluating.evaluate(model, source, options), as_json, display.evaluated)


def show(model: ModelArgument, as_json: JsonOption = False) -> None:
    """What MODEL knows.

    Classes, samples learnt, versions, method, size, and whether raw samples lie in it.
    """
    answer(versions.show(model), as_json, display.shown)


def layers(model: ModelArgument, as_json: JsonOption = False) -> None:
    """Say which layers know MODEL's classes.

    Mean recall by the features of each layer of its backbone alone, judged by kept rows, each left
    out in turn: how far the network's training carries over to this data.
    """
    answer(predicting.layers(model), as_json, display.layers_table)


def report(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", parser=path_argument, help="A model, or results of a benchmark."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The HTML file to write.")] = Path(
        "report.html"
    ),
    data: Annotated[
        Path | None,
        typer.Option(help="Labelled samples to judge the model by too, with images of mistakes."),
    ] = None,
    label: LabelOption = None,
    text: TextOption = None,
    paths: PathsOption = None,
    missing: MissingOption = None,
    skip_bad: SkipBadOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write one HTML file about FOLDER.

    Of a model: accuracy over updates, what is confused, calibration, costs, versions, advice. Of
    results: methods side by side. It needs no network and no other file.
    """
    from ..report import write

    source = None
    if data is not None:
        source = Source(data, label, text, skip_bad, paths=paths, missing=missing or ())
    answer(write.write(folder, output, source), as_json, display.written)


def rollback(
    model: ModelArgument,
    to: Annotated[
        int | None, typer.Option(help="Version to go to; the one before by default.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Go back to an older version of MODEL.

    Nothing is deleted: --to goes forward again.
    """
    answer_done(versions.rollback(model, to), as_json, display.rolled_back)
