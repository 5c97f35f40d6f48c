"""Chunks and their subsets: samples, labels, names; folders and files of many kinds."""

import json
import warnings

import numpy as np
import pandas as pd
import torch

from evergrow.data.read import Seen, read

from .animals import COLOUR, LABELS, canonical, picture, write_folder


def test_chunks_and_their_subsets_hold_records_labels_and_names(tmp_path):
    paths = write_folder(tmp_path, COLOUR)
    (tmp_path / "cat" / "notes.txt").touch()
    chunk = read(tmp_path)
    part = chunk.subset(np.array([11, 2, 5])).subset(np.array([0, 2]))
    assert len(part) == 2 and part.labels.tolist() == ["fox", "dog"]
    assert part.name(1) == str(paths[5])
    np.testing.assert_array_equal(np.stack(part.take(np.array([1, 0]))), COLOUR[[5, 11]])
    assert part.notes == ["1 file of other kinds passed over (1 x .txt)"] and part.skipped == []
    assert read(COLOUR, LABELS).subset(np.array([3])).name(0) == "row 3"
    assert read(COLOUR, need_labels=False).subset(np.array([3])).labels is None


def test_what_was_seen_is_plain_json(tmp_path):
    from dataclasses import asdict

    write_folder(tmp_path, COLOUR)
    for X in (COLOUR, tmp_path, np.ones((2, 3)), pd.DataFrame({"a": [1, 2]})):
        seen = read(X, need_labels=False).seen
        back = json.loads(json.dumps(asdict(seen)))
        assert back["kind"] == seen.kind
    assert seen == Seen("table", shape=(1,), names=("a",))


def test_one_sample_and_one_class_are_valid(tmp_path):
    path = write_folder(tmp_path, COLOUR[:1], ["cat"])[0]
    for X, y in (
        (tmp_path, None),
        (path, ["cat"]),
        (picture(COLOUR[0]), ["cat"]),
        (COLOUR[:1], ["cat"]),
    ):
        chunk = read(X, y)
        assert len(chunk) == 1 and chunk.labels.tolist() == ["cat"]
    assert read(path, need_labels=False).labels is None
    assert read(np.ones((1, 1)), [0]).seen.shape == (1,)


def test_a_flat_folder_or_a_file_is_read_where_no_labels_are_needed(tmp_path):
    paths = write_folder(tmp_path, COLOUR)
    assert read(tmp_path / "cat", need_labels=False).labels is None
    assert len(read(tmp_path / "cat", need_labels=False)) == 4
    assert read(paths[0], need_labels=False).name(0) == str(paths[0])
    assert read(tmp_path, need_labels=False).labels.tolist() == LABELS


def test_no_array_of_the_users_is_changed():
    x, table = COLOUR / 255, np.ones((3, 2), np.float32)
    x.flags.writeable = table.flags.writeable = False
    canonical(read(x, LABELS), 5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        taken = canonical(read(table, [1, 2, 3]))
    taken[:] = 7
    assert table.max() == 1


def test_the_global_generators_are_as_before(tmp_path):
    write_folder(tmp_path, COLOUR)
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    canonical(read(tmp_path), 5)
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()
