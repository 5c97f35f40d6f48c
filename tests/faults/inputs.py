"""Files of data changed at random: readers answer with data or with an error of ours."""

import gzip
import json
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
from PIL import Image

from evergrow import sources
from evergrow.errors import EvergrowError

from .manifests import where

RNG = np.random.default_rng(0)


def make(place: Path) -> dict[str, bytes]:
    """One good file of each kind that is read, by name."""
    place.mkdir(parents=True, exist_ok=True)
    x, y = RNG.normal(size=(12, 3)).astype(np.float32), np.arange(12) % 3
    images = RNG.integers(0, 256, (6, 5, 5), dtype=np.uint8)
    frame = pd.DataFrame(x, columns=list("abc")).assign(
        words=[f"word {i % 4}" for i in range(12)], when=pd.date_range("2026-01-01", periods=12)
    )
    frame["label"] = y
    np.save(place / "x.npy", images)
    np.savez(place / "xy.npz", x=images, y=y[:6])
    np.savez_compressed(place / "packed.npz", x=x, y=y)
    frame.to_csv(place / "a.csv", index=False)
    frame.to_csv(place / "semi.csv", index=False, sep=";", decimal=",")
    frame.to_csv(place / "b.csv.gz", index=False)
    frame.to_parquet(place / "a.parquet")
    frame.astype({"when": str}).to_json(place / "a.jsonl", orient="records", lines=True)
    (place / "list.json").write_text(json.dumps(frame.astype({"when": str}).to_dict("records")))
    (place / "a.txt").write_text("Some words.\nAnd more.")
    head = b"\0\0\x08\x03" + np.array([6, 5, 5], ">u4").tobytes()
    (place / "t-images-idx3-ubyte").write_bytes(head + images.tobytes())
    (place / "g-images-idx3-ubyte.gz").write_bytes(gzip.compress(head + images.tobytes()))
    for kind in ("png", "jpg", "gif", "bmp", "tiff", "webp", "pgm"):
        Image.fromarray(images[0]).save(place / f"i.{kind}")
    Image.fromarray(images[0].astype(np.uint16) * 256).save(place / "deep.png")
    return {file.name: file.read_bytes() for file in sorted(place.iterdir())}


def mutated(data: bytes, rng: Random) -> bytes:
    """The bytes with something changed, missing, twice or cut off."""
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 8])):
        at = rng.randrange(len(changed)) if changed else 0
        act = rng.randrange(6)
        if act == 0:
            del changed[at:]
        elif act == 1:
            del changed[at : at + rng.randrange(1, 9)]
        elif act == 2:
            changed[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 9)))
        elif act == 3 and changed:
            changed[at] ^= 1 << rng.randrange(8)
        elif act == 4:
            changed[at : at + 4] = rng.choice([b"\xff" * 4, b"\0" * 4, b"9999", b"-1,\n", b"nan"])
        else:
            changed[at:at] = changed[at : at + rng.randrange(1, 40)] * rng.choice([1, 3, 50])
    return bytes(changed)


def tried(place: Path, name: str, data: bytes) -> Counter[str]:
    """Foreign errors of reading this file, all of its samples included."""
    file = place / name
    file.write_bytes(data)
    try:
        chunk = sources.read(file, need_labels=False)
        chunk.take(np.arange(len(chunk)))
    except EvergrowError:
        return Counter()
    except Exception as error:
        return Counter({f"{name}: {where(error)}": 1})
    finally:
        file.unlink()
    return Counter()
