"""The command that compares methods: bench."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ...data.source import Source
from ...model.options import How
from . import display
from .arguments import find_here, given_settings
from .exit_codes import FAULT, INTERRUPTED
from .flags import (
    BackboneRateOption,
    BatchSizeOption,
    DeviceOption,
    EpochsOption,
    FreezeOption,
    ImageSizeOption,
    JsonOption,
    LabelOption,
    MissingOption,
    OptimizerOption,
    PathsOption,
    RateOption,
    SetOption,
    SkipBadOption,
    TextOption,
)
from .output import answer, fail

ANSWERS = {  # by command: what --json prints, for docs/cli.md
    "bench": "rows: a list of rows, as docs/bench.md describes them; failed: a list of {scenario, "
    "method, backbone, seed, error}; already (rows there before), skipped "
    "(bad files: path and reason), folder",
}


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
    set_: SetOption = None,
    epochs: EpochsOption = None,
    batch_size: BatchSizeOption = None,
    lr: RateOption = None,
    backbone_lr: BackboneRateOption = None,
    freeze: FreezeOption = None,
    optimizer: OptimizerOption = None,
    image_size: ImageSizeOption = None,
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
    device: DeviceOption = None,
    label: LabelOption = None,
    text: TextOption = None,
    paths: PathsOption = None,
    missing: MissingOption = None,
    skip_bad: SkipBadOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare methods on SCENARIO.

    Beside them plain fine-tuning (the floor) and joint training (the ceiling). What is finished is
    kept and not run again.
    """
    settings = given_settings(
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

    own = Source(scenario, label, text, skip_bad, paths=paths, missing=missing or ())
    held = None if test is None else replace(own, data=test)
    what = workload.Subject(own, workload.changes(words), held, data)
    what.cut()  # a wrong name is told before anything slow is imported
    from ...bench import live_progress, runner
    from ..report import write as reports

    runs = runner.Runs(seeds, tune, jobs, output)
    how = How(settings, set_ or ())
    try:
        result = runner.run(what, method or ("auto",), how, runs, live_progress.Board())
    except KeyboardInterrupt:
        message = (
            f"interrupted; finished rows are kept in {output}, the same command goes on from them"
        )
        fail("Interrupted", message, as_json)
        raise typer.Exit(INTERRUPTED) from None
    finally:
        reports.write_tables(output)
    answer(result, as_json, display.benchmarked)
    if result["failed"]:
        raise typer.Exit(FAULT)
