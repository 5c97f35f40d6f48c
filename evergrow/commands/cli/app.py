"""The command line: one call a command; results on standard output, words on standard error."""

import io
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from ...data.source import Source
from ...model import options
from ...model.options import How
from .. import learn as update
from . import display
from .flags import (
    Again,
    Auxiliary,
    Backbone,
    BackboneRate,
    BatchSize,
    Data,
    Device,
    Epochs,
    Freeze,
    ImageSize,
    Json,
    Label,
    Method,
    Model,
    Old,
    Optimizer,
    Own,
    Rate,
    Set,
    SkipBad,
    Text,
    Version,
    Where,
    place,
)
from .output import FAULT, INTERRUPTED, Commands, answer, fail

app = typer.Typer(
    name="evergrow",
    cls=Commands,
    help="Classifiers that gain classes: learn new labels from new data, keep the old ones.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def chosen(**settings: Any) -> dict[str, Any]:
    """The options that were given, as parameters of the classifier."""
    given = {name: value for name, value in settings.items() if value is not None}
    for name, read in (("freeze", options.layer), ("image_size", options.pixels)):
        if name in given:
            given[name] = read(given[name])
    return given


def beside(data: Source, old: Path | None, auxiliary: Path | None) -> update.Beside:
    """What comes beside data, read as it is."""
    others = (None if path is None else replace(data, data=path) for path in (old, auxiliary))
    return update.Beside(*others)


def find_here(method: str | None) -> None:
    """Let MODULE:CLASS name a file in the working directory."""
    if method and ":" in method:
        sys.path.insert(0, os.getcwd())


@app.command()
def learn(
    model: Model,
    data: Data,
    backbone: Backbone = None,
    method: Method = None,
    set_: Set = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    lr: Rate = None,
    backbone_lr: BackboneRate = None,
    freeze: Freeze = None,
    optimizer: Optimizer = None,
    image_size: ImageSize = None,
    seed: Annotated[
        int | None, typer.Option(help="Of all that is drawn at random, of a new model.")
    ] = None,
    device: Device = None,
    label: Label = None,
    text: Text = None,
    old: Old = None,
    auxiliary: Auxiliary = None,
    validation: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Samples of each class held back to judge updates by; 20 in a new model; 0: none.",
        ),
    ] = None,
    gate: Annotated[
        float | None,
        typer.Option(
            metavar="POINTS",
            help="Refuse an update that costs old classes more percentage points than this, or "
            "leaves a new class below half of the mean recall (exit code 3).",
        ),
    ] = None,
    again: Again = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be learnt; change nothing.")
    ] = False,
    skip_bad: SkipBad = False,
    keep_no_samples: Annotated[
        bool,
        typer.Option("--keep-no-samples", help="Refuse methods that keep raw samples."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Create MODEL from DATA, or let it grow.

    A model that exists learns DATA on top of what it knows: old labels and new ones.
    """
    settings = chosen(
        backbone=backbone,
        method=method,
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        backbone_lr=backbone_lr,
        freeze=freeze,
        optimizer=optimizer,
        image_size=image_size,
        random_state=seed,
        device=device,
        validation=validation,
    )
    find_here(method)
    how = How(settings, set_ or (), again, dry_run, keep_no_samples, gate)
    source = Source(data, label, text, skip_bad)
    others = beside(source, old, auxiliary)
    answer(update.learn(model, source, how, others, display.advice), as_json, display.learnt)


@app.command()
def advise(
    model: Model,
    data: Data,
    backbone: Backbone = None,
    method: Method = None,
    set_: Set = None,
    epochs: Epochs = None,
    freeze: Freeze = None,
    image_size: ImageSize = None,
    label: Label = None,
    text: Text = None,
    old: Old = None,
    auxiliary: Auxiliary = None,
    again: Again = False,
    probe: Annotated[
        float,
        typer.Option(
            min=0,
            help="Seconds to train a small network on a part of DATA, where the backbone would "
            "not learn, to see whether its features do well; 0: do not.",
        ),
    ] = 10,
    skip_bad: SkipBad = False,
    as_json: Json = False,
) -> None:
    """Say what to expect of learning DATA.

    Nothing is learnt, nothing is changed; MODEL need not exist yet.
    """
    settings = chosen(
        backbone=backbone, method=method, epochs=epochs, freeze=freeze, image_size=image_size
    )
    find_here(method)
    how = How(settings, set_ or (), again)
    source = Source(data, label, text, skip_bad)
    others = beside(source, old, auxiliary)
    answer(update.advise(model, source, how, others, probe), as_json, display.advised)


@app.command()
def predict(
    model: Model,
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATA...",
            parser=place,
            help="Images or .txt files, a folder of such, or a file of data.",
        ),
    ],
    top: Annotated[int, typer.Option(min=1, help="How many labels to give, likeliest first.")] = 3,
    version: Version = None,
    label: Label = None,
    text: Text = None,
    skip_bad: SkipBad = False,
    method: Own = None,
    device: Where = "auto",
    as_json: Json = False,
) -> None:
    """Labels and probabilities of DATA."""
    find_here(method)
    source = Source(data[0] if len(data) == 1 else data, label, text, skip_bad)
    given = update.Given(method, device, version)
    answer(update.predict(model, source, top, given), as_json, display.predictions)


@app.command()
def evaluate(
    model: Model,
    data: Data,
    version: Version = None,
    label: Label = None,
    text: Text = None,
    skip_bad: SkipBad = False,
    method: Own = None,
    device: Where = "auto",
    as_json: Json = False,
) -> None:
    """Accuracy on labelled DATA.

    Overall, of old and new classes (those of the last update), by class; what is confused most.
    """
    find_here(method)
    source = Source(data, label, text, skip_bad)
    given = update.Given(method, device, version)
    answer(update.evaluate(model, source, given), as_json, display.evaluated)


@app.command()
def show(model: Model, as_json: Json = False) -> None:
    """What MODEL knows.

    Classes, samples learnt, versions, method, size, and whether raw samples lie in it.
    """
    answer(update.show(model), as_json, display.shown)


@app.command()
def layers(model: Model, as_json: Json = False) -> None:
    """Say which layers know MODEL's classes.

    Mean recall by the features of each layer of its backbone alone, judged by kept rows, each left
    out in turn: how far the network's training carries over to this data.
    """
    answer(update.layers(model), as_json, display.layers)


@app.command()
def report(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", parser=place, help="A model, or results of a benchmark."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The HTML file to write.")] = Path(
        "report.html"
    ),
    data: Annotated[
        Path | None,
        typer.Option(help="Labelled samples to judge the model by too, with images of mistakes."),
    ] = None,
    label: Label = None,
    text: Text = None,
    skip_bad: SkipBad = False,
    as_json: Json = False,
) -> None:
    """Write one HTML file about FOLDER.

    Of a model: accuracy over updates, what is confused, calibration, costs, versions, advice. Of
    results: methods side by side. It needs no network and no other file.
    """
    from ..report import write

    source = None if data is None else Source(data, label, text, skip_bad)
    answer(write.write(folder, output, source), as_json, display.written)


@app.command()
def rollback(
    model: Model,
    to: Annotated[
        int | None, typer.Option(help="Version to go to; the one before by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Go back to an older version of MODEL.

    Nothing is deleted: --to goes forward again.
    """
    answer(update.rollback(model, to), as_json, display.rolled_back)


@app.command()
def adopt(
    model: Model,
    weights: Annotated[
        Path, typer.Option(help="The trained weights: .safetensors, or .pt with tensors alone.")
    ],
    backbone: Annotated[str, typer.Option(help="The network they belong to: timm:resnet18, ...")],
    classes: Annotated[
        Path, typer.Option(help="Text file: one label a line, in the order of the outputs.")
    ],
    method: Annotated[
        str | None, typer.Option(help="How its classes are kept; see `evergrow methods`.")
    ] = None,
    set_: Set = None,
    image_size: Annotated[
        str | None, typer.Option(help="Size of the images it was trained on: 64 or 48x64.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Begin MODEL from a trained network.

    Its outputs are the first classes; before anything is learnt, predictions are its own.
    """
    settings = chosen(method=method, image_size=image_size)
    find_here(method)
    how = How(settings, set_ or ())
    answer(update.adopt(model, weights, backbone, classes, how), as_json, display.learnt)


@app.command()
def check(
    method: Annotated[str, typer.Argument(metavar="MODULE:CLASS", help="A method of your own.")],
    as_json: Json = False,
) -> None:
    """Test a method of your own.

    Runs the contract that every method of evergrow satisfies.
    """
    find_here(method)
    answer(update.check(method), as_json, display.checked)


@app.command()
def methods(as_json: Json = False) -> None:
    """List the methods.

    A method is how old classes are kept while new ones are learnt.
    """
    from ... import methods

    rows = [entry._asdict() for entry in methods.ENTRIES]
    answer({"methods": rows}, as_json, display.methods)


@app.command()
def backbones(as_json: Json = False) -> None:
    """List the backbones.

    A backbone is the network that turns an input into features.
    """
    from ... import backbones

    rows = [entry._asdict() for entry in backbones.ENTRIES]
    answer({"backbones": rows}, as_json, display.backbones)


@app.command()
def bench(
    scenario: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO", help="Name of a scenario (docs/bench.md), or data of your own."
        ),
    ],
    method: Annotated[
        list[str] | None,
        typer.Option(help="Method to run, or MODULE:CLASS; can be given several times."),
    ] = None,
    backbone: Annotated[
        str | None, typer.Option(help="Network of all methods; see `evergrow backbones`.")
    ] = None,
    set_: Set = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    lr: Rate = None,
    backbone_lr: BackboneRate = None,
    freeze: Freeze = None,
    optimizer: Optimizer = None,
    image_size: ImageSize = None,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each method: seeds 0, 1, ...")] = 3,
    tune: Annotated[
        bool,
        typer.Option(
            "--tune",
            help="Choose the learning rate of each run on training data of the first tasks.",
        ),
    ] = False,
    classes_per_task: Annotated[
        int | None, typer.Option(help="Classes that each task brings; of your own data.")
    ] = None,
    cut: Annotated[
        list[str] | None,
        typer.Option(
            "--cut",
            metavar="KEY=VALUE",
            help="How data is cut: first, shuffled, blurry, returning, imbalance, batch, "
            "conditions, test_share; can be given several times.",
        ),
    ] = None,
    test: Annotated[
        Path | None, typer.Option(help="Data to test on, of your own data; else a share of it.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Where the data of a named scenario lies.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Runs at once, in processes.")] = 1,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of rows and tables.")
    ] = Path("results"),
    device: Device = None,
    label: Label = None,
    text: Text = None,
    skip_bad: SkipBad = False,
    as_json: Json = False,
) -> None:
    """Compare methods on SCENARIO.

    Beside them plain fine-tuning (the floor) and joint training (the ceiling). What is finished is
    kept and not run again.
    """
    settings = chosen(
        backbone=backbone,
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        backbone_lr=backbone_lr,
        freeze=freeze,
        optimizer=optimizer,
        image_size=image_size,
        device=device,
    )
    for name in method or ():
        find_here(name)
    words = [*(cut or ())]
    if classes_per_task is not None:
        words.append(f"classes_per_task={classes_per_task}")
    from ...bench import workload

    own = Source(scenario, label, text, skip_bad)
    held = None if test is None else replace(own, data=test)
    what = workload.Subject(own, workload.changes(words), held, data)
    what.cut()  # a wrong name is told before anything slow is imported
    from ...bench import live_progress, run
    from ..report import write as reports

    runs = run.Runs(seeds, tune, jobs, output)
    how = How(settings, set_ or ())
    try:
        result = run.run(what, method or ("auto",), how, runs, live_progress.Board())
    except KeyboardInterrupt:
        told = (
            f"interrupted; finished rows are kept in {output}, the same command goes on from them"
        )
        fail("Interrupted", told, as_json)
        raise typer.Exit(INTERRUPTED) from None
    finally:
        reports.write_tables(output)
    answer(result, as_json, display.benchmarked)
    if result["failed"]:
        raise typer.Exit(FAULT)


@app.command()
def demo(
    data: Annotated[
        Path | None,
        typer.Option(help="A folder per class, or the four Fashion-MNIST idx files; else digits."),
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where everything is written.")] = Path("demo"),
    as_json: Json = False,
) -> None:
    """See the main job done.

    Half of the classes are learnt, then the others, in processes of their own; beside it the same
    by plain fine-tuning, and one table of both.
    """
    from .. import demo

    def say(line: str) -> None:
        print(line, file=sys.stderr if as_json else sys.stdout, flush=True)

    answer(demo.run(folder, data, say), as_json, display.compared)


def main() -> None:
    """The program `evergrow`."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names that are no valid text
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
