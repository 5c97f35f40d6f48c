"""Whatever a file of data holds, reading it gives data or an error of ours, in bounded memory."""

import gzip
import os
import subprocess
import sys
import warnings
from collections import Counter
from random import Random

import numpy as np
import pandas as pd
import pytest

from evergrow import sources
from evergrow.errors import DataError, SettingError

from . import figures
from .inputs import make, mutated, tried

MUTATIONS = int(os.environ.get("EVERGROW_INPUTS", "600"))


@pytest.mark.timeout(3600)
def test_no_foreign_error_comes_of_a_mutated_file(tmp_path):
    files, rng, foreign = make(tmp_path / "whole"), Random(MUTATIONS), Counter()
    (tmp_path / "try").mkdir()
    assert not any(tried(tmp_path / "try", name, data) for name, data in files.items())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for i in range(MUTATIONS):
            name = sorted(files)[i % len(files)]
            foreign += tried(tmp_path / "try", name, mutated(files[name], rng))
    figures.add("mutated inputs", MUTATIONS, foreign=foreign.total())
    assert not foreign, "\n".join(f"{n} x {what}" for what, n in foreign.most_common(20))


def bomb(path, kind):
    """A small file that stands for more than 300 MB."""
    if kind == "csv.gz":
        with gzip.open(path, "wb", 9) as file:
            file.write(b"a,label\n")
            for _ in range(300):
                file.write(b"1,x\n" * 250_000)
    elif kind == "jsonl.gz":
        with gzip.open(path, "wb", 9) as file:
            for _ in range(300):
                file.write(b'{"a":1}\n' * 125_000)
    elif kind == "idx.gz":
        with gzip.open(path, "wb", 9) as file:
            file.write(b"\0\0\x08\x03" + np.array([300, 1000, 1000], ">u4").tobytes())
            for _ in range(300):
                file.write(bytes(1_000_000))
    elif kind == "npz":
        np.savez_compressed(path, x=np.zeros((300, 1000, 1000), np.uint8), y=np.zeros(300))
    elif kind == "npy":
        with open(path, "wb") as file:
            np.lib.format.write_array_header_1_0(
                file, {"descr": "|u1", "fortran_order": False, "shape": (10**6, 1000, 1000)}
            )
    else:
        frame = pd.DataFrame({"a": np.zeros(40_000_000), "label": 1})
        frame.to_parquet(path, compression="zstd")


@pytest.mark.parametrize("kind", ["csv.gz", "jsonl.gz", "idx.gz", "npz", "npy", "parquet"])
def test_a_small_file_does_not_fill_the_memory(tmp_path, kind, monkeypatch):
    path = tmp_path / f"a-images-idx3.{kind}"
    bomb(path, kind)
    assert path.stat().st_size < 8_000_000
    monkeypatch.setenv("EVERGROW_READ_LIMIT", "100MB")
    code = (
        "import resource, sys; import torch, pandas, pyarrow.parquet\n"
        "from evergrow import sources\n"
        "from evergrow.errors import DataError\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: sources.read(sys.argv[1], need_labels=False)\n"
        "except DataError as error: print(error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    *message, grown = done.stdout.strip().splitlines()
    assert "EVERGROW_READ_LIMIT" in message[0] or "cut off" in message[0], done.stdout
    assert int(grown) < 400_000  # KiB


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.npz", "a.npy", "a.txt", "a.parquet"])
def test_pipes_and_devices_are_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match="pipe or a device"):
        sources.read(tmp_path / name, need_labels=False)
    (tmp_path / name).unlink()
    os.symlink("/dev/zero", tmp_path / name)
    with pytest.raises(DataError, match="pipe or a device"):
        sources.read(tmp_path / name, need_labels=False)


def test_the_limit_is_a_setting(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", np.zeros((10, 50, 50), np.uint8))
    monkeypatch.setenv("EVERGROW_READ_LIMIT", "20 KB")
    with pytest.raises(DataError, match=r"at most 0.0 GB of a file are read; .*READ_LIMIT"):
        sources.read(tmp_path / "a.npy", need_labels=False)
    monkeypatch.setenv("EVERGROW_READ_LIMIT", "30KB")
    assert len(sources.read(tmp_path / "a.npy", need_labels=False)) == 10
    monkeypatch.setenv("EVERGROW_READ_LIMIT", "much")
    with pytest.raises(SettingError, match="expected bytes, such as 8GB"):
        sources.read(tmp_path / "a.npy", need_labels=False)
