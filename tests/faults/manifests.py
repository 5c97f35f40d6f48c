"""Manifests changed at random, sealed again, and every call on what they describe."""

import copy
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from evergrow import GrowingClassifier, load, methods
from evergrow.commands import evaluate, learn, predict, versions
from evergrow.errors import EvergrowError
from evergrow.model.options import How
from evergrow.storage import durable_files
from evergrow.storage import manifest as manifests

X = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
Y = np.arange(60) % 3
IMAGES = np.random.default_rng(1).integers(0, 256, (40, 8, 8), dtype=np.uint8)
STRANGE = (
    None, True, False, 0, 1, -1, 2**31, 2**63, -(2**70), 1e308, 0.5, "", "x", "no\0such",
    "../../etc", [], {}, [1], [[1]], {"a": 1}, {"$tensor": "none"}, {"$samples": "x"},
    {"$float": "x"}, {"$tuple": 3}, {"$dict": [[1]]}, "a" * 5000,
)  # fmt: skip


def table() -> GrowingClassifier:
    model = GrowingClassifier().partial_fit(X[Y < 2], Y[Y < 2])
    return model.partial_fit(X[Y == 2], Y[Y == 2])


def rehearsal() -> GrowingClassifier:
    method = methods.ER(memory=12)
    model = GrowingClassifier("convnet", method, epochs=1, validation=2)
    return model.partial_fit(IMAGES[:20], ["a", "b"] * 10).partial_fit(IMAGES[20:], ["c", "b"] * 10)


def teacher() -> GrowingClassifier:
    model = GrowingClassifier("mlp", "ewc", epochs=1)
    return model.partial_fit(X[Y < 2], Y[Y < 2]).partial_fit(X[Y == 2], Y[Y == 2])


def adopted() -> GrowingClassifier:
    network = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 2)).eval()
    model = GrowingClassifier.adopt(network, [0, 1], epochs=1, example=X)
    return model.partial_fit(X[Y == 2], Y[Y == 2])


KINDS = {"table": table, "rehearsal": rehearsal, "teacher": teacher, "adopted": adopted}


def samples(kind: str) -> tuple[np.ndarray, Any]:
    return (IMAGES, ["a", "b", "c", "d"] * 10) if kind == "rehearsal" else (X, Y + 1)


def paths(tree: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where everything in a JSON value is, what is deep in it as likely as what is not."""
    if at:
        yield at
    items = (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree)
        if isinstance(tree, list)
        else ()
    )
    for key, value in list(items)[:40]:
        yield from paths(value, (*at, key))


def mutated(manifest: dict[str, Any], rng: Random) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """The manifest with one place changed, and the place."""
    changed = copy.deepcopy(manifest)
    top = rng.choice(list(changed))
    at = (top, *rng.choice([(), *paths(changed[top])]))
    parent = changed
    for key in at[:-1]:
        parent = parent[key]
    key, before = at[-1], parent[at[-1]]
    act = rng.randrange(6)
    if act == 0:
        del parent[key]
    elif act == 1 and isinstance(before, int | float) and not isinstance(before, bool):
        parent[key] = rng.choice([before + 1, before - 1, -before, before * 1000, float(before)])
    elif act == 2 and isinstance(before, list) and before:
        parent[key] = rng.choice([before[:-1], before + before[:1], before[::-1], before * 50])
    elif act == 3 and isinstance(before, dict):
        parent[key] = before | {"strange": rng.choice(STRANGE)}
    else:
        parent[key] = copy.deepcopy(rng.choice(STRANGE))
    return changed, at


def with_other_tensors(
    tensors: dict[str, Tensor], rng: Random
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """A table with one tensor missing, or of another shape, type or content; and which."""
    name, others = rng.choice(sorted(tensors)), dict(tensors)
    t = others[name]
    acts = [
        lambda: None,
        lambda: t[..., :-1].contiguous() if t.ndim else t[None],
        lambda: t[:-1].clone() if t.ndim else t[None],
        lambda: torch.cat([t, t]) if t.ndim else t[None],
        lambda: t.double() if t.dtype == torch.float32 else t.to(torch.int32),
        lambda: t.T.contiguous() if t.ndim == 2 else t[None],
        lambda: torch.full_like(t, -1 if t.dtype != torch.uint8 else 255),
        lambda: t.flip(0) if t.ndim else t + 1,
    ]
    act = rng.randrange(len(acts))
    changed = acts[act]()
    if changed is None:
        del others[name]
    else:
        others[name] = changed
    return others, (name, f"act {act}")


def calls(folder: Path, kind: str, network: Any) -> Iterator[tuple[str, Any]]:
    """Whatever may be asked of a model folder, by name."""
    x, y = samples(kind)
    own = {"backbone": network} if kind == "adopted" else {}

    def whole() -> None:
        model = load(folder, **own)
        model.predict_proba(x[:5])
        model.partial_fit(x, y)
        model.predict_proba(x[:5])
        model.save(folder)

    yield "load, learn, save", whole
    yield "load, predict", lambda: load(folder, learning=False, **own).predict_proba(x[:5])
    yield "show", lambda: versions.show(folder)
    if kind != "adopted":
        file = folder.parent / "later.npz"
        np.savez(file, x=x, y=y)
        yield "predict", lambda: predict.predict(folder, file)
        yield "evaluate", lambda: evaluate.evaluate(folder, file)
        yield "learn", lambda: learn.learn(folder, file, How())
    yield "rollback", lambda: versions.rollback(folder)


class Attack:
    """Model folders to mutate, made once under `place`."""

    def __init__(self, place: Path):
        self.place, self.network = place, {}
        for kind, make in KINDS.items():
            model = make()
            model.save(place / kind)
            model.partial_fit(*samples(kind))
            if kind in ("table", "rehearsal"):
                model.assess()
            model.save(place / kind)
            if kind == "adopted":
                self.network[kind] = model.body_.module

    def tried(self, kind: str, rng: Random, all_calls: bool = True) -> tuple[int, Counter[str]]:
        """Calls made on one mutated manifest, and the foreign errors among them, by place.

        all_calls: whether every call is made, or one of them.
        """
        source, foreign, made = self.place / kind, Counter(), 0
        current = source / "versions" / (source / "HEAD").read_text().strip().zfill(6)
        whole = json.loads((current / "manifest.json").read_text())
        tables = [n for n in whole["files"] if n.endswith(".safetensors")]
        table = rng.choice(tables) if rng.random() < 0.3 else ""
        file = self.place / "tensors"
        file.unlink(missing_ok=True)
        if table:
            tensors, at = with_other_tensors(load_file(current / table), rng)
            whole["files"][table] = durable_files.write_tensors(file, tensors)
            changed = whole
        else:
            changed, at = mutated(whole, rng)
        data = manifests.dump(changed)
        folder = self.place / f"mutated-{kind}"
        names = [name for name, _ in calls(folder, kind, self.network.get(kind))]
        numbers = range(len(names)) if all_calls else [rng.randrange(len(names))]
        for number in numbers:
            name = names[number]
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(source, folder)
            version = folder / "versions" / current.name
            (version / "manifest.json").write_bytes(data)
            if table:
                shutil.copyfile(file, version / table)
            call = list(calls(folder, kind, self.network.get(kind)))[number][1]
            made += 1
            try:
                call()
            except EvergrowError:
                pass
            except Exception as error:
                foreign[f"{kind}, {name}, {'/'.join(map(str, at))}: {where(error)}"] += 1
        shutil.rmtree(folder, ignore_errors=True)
        return made, foreign


def where(error: BaseException) -> str:
    """An error in a line, with the last line of ours that it went through."""
    frame, place = error.__traceback__, ""
    while frame is not None:
        name = frame.tb_frame.f_code.co_filename
        if "/evergrow/" in name:
            place = f"{name.rsplit('/evergrow/', 1)[1]}:{frame.tb_lineno}"
        frame = frame.tb_next
    return f"{type(error).__name__} {str(error)[:80]!r} at {place}"
