"""The commands that change what a model knows: learn, advise, adopt."""

from pathlib import Path
from typing import Annotated

import typer

from ...data.source import Source
from ...model.options import How
from .. import adopt as adopting
from .. import learn as learning
from . import display
from .arguments import find_here, given_settings, sources_beside
from .flags import (
    AgainOption,
    AuxiliaryOption,
    BackboneOption,
    BackboneRateOption,
    BatchSizeOption,
    DataArgument,
    DeviceOption,
    EpochsOption,
    FreezeOption,
    ImageSizeOption,
    JsonOption,
    LabelOption,
    LabelTypeOption,
    MethodOption,
    MissingOption,
    ModelArgument,
    OldOption,
    OptimizerOption,
    PathsOption,
    RateOption,
    SetOption,
    SkipBadOption,
    TextOption,
)
from .output import answer, answer_done

ANSWERS = {  # by command: what --json prints, for docs/cli.md
    "learn": "version, classes, new_classes, samples, seconds, method, backbone, reason, advice: a "
    "list of {rule, text, forecast, remedies, of}, warnings, passed_over (samples learnt before), "
    "resumed (samples taken over from a learn that was interrupted), "
    "held_back (samples to judge by), report (what the update did: by, samples, new_classes, "
    "old_before, old, new, all, margins, per_class, before, judged, lost, confusion, calibration), "
    "bytes, skipped (bad files: path and reason), model; dry_run. Refused by the gate: error, "
    "report",
    "advise": "as learn with --dry-run; probe {features, trained, held, seconds, network}, or null",
    "adopt": "as learn; adopted",
}


def learn(
    model: ModelArgument,
    data: DataArgument,
    backbone: BackboneOption = None,
    method: MethodOption = None,
    set_: SetOption = None,
    epochs: EpochsOption = None,
    batch_size: BatchSizeOption = None,
    lr: RateOption = None,
    backbone_lr: BackboneRateOption = None,
    freeze: FreezeOption = None,
    optimizer: OptimizerOption = None,
    image_size: ImageSizeOption = None,
    seed: Annotated[
        int | None, typer.Option(help="Of all that is drawn at random, of a new model.")
    ] = None,
    device: DeviceOption = None,
    label: LabelOption = None,
    label_type: LabelTypeOption = None,
    text: TextOption = None,
    paths: PathsOption = None,
    missing: MissingOption = None,
    old: OldOption = None,
    auxiliary: AuxiliaryOption = None,
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
    again: AgainOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be learnt; change nothing.")
    ] = False,
    skip_bad: SkipBadOption = False,
    keep_no_samples: Annotated[
        bool,
        typer.Option("--keep-no-samples", help="Refuse methods that keep raw samples."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Create MODEL from DATA, or let it grow.

    A model that exists learns DATA on top of what it knows: old labels and new ones.
    """
    settings = given_settings(
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
    source = Source(data, label, text, skip_bad, label_type, paths=paths, missing=missing or ())
    others = sources_beside(source, old, auxiliary)
    tell = display.advice if as_json or dry_run else display.advice_asked
    answer_done(learning.learn(model, source, how, others, tell), as_json, display.learnt)


def advise(
    model: ModelArgument,
    data: DataArgument,
    backbone: BackboneOption = None,
    method: MethodOption = None,
    set_: SetOption = None,
    epochs: EpochsOption = None,
    freeze: FreezeOption = None,
    image_size: ImageSizeOption = None,
    label: LabelOption = None,
    label_type: LabelTypeOption = None,
    text: TextOption = None,
    paths: PathsOption = None,
    missing: MissingOption = None,
    old: OldOption = None,
    auxiliary: AuxiliaryOption = None,
    again: AgainOption = False,
    probe: Annotated[
        float,
        typer.Option(
            min=0,
            help="Seconds to train a small network on a part of DATA, where the backbone would "
            "not learn, to see whether its features do well; 0: do not.",
        ),
    ] = 10,
    skip_bad: SkipBadOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say what to expect of learning DATA.

    Nothing is learnt, nothing is changed; MODEL need not exist yet.
    """
    settings = given_settings(
        backbone=backbone, method=method, epochs=epochs, freeze=freeze, image_size=image_size
    )
    find_here(method)
    how = How(settings, set_ or (), again)
    source = Source(data, label, text, skip_bad, label_type, paths=paths, missing=missing or ())
    others = sources_beside(source, old, auxiliary)
    answer(learning.advise(model, source, how, others, probe), as_json, display.advised)


def adopt(
    model: ModelArgument,
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
    set_: SetOption = None,
    image_size: Annotated[
        str | None, typer.Option(help="Size of the images it was trained on: 64 or 48x64.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Begin MODEL from a trained network.

    Its outputs are the first classes; before anything is learnt, predictions are its own.
    """
    settings = given_settings(method=method, image_size=image_size)
    find_here(method)
    how = How(settings, set_ or ())
    answer_done(adopting.adopt(model, weights, backbone, classes, how), as_json, display.learnt)
