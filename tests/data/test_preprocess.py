import hashlib
import threading

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from evergrow.data import image_arrays, preprocess
from evergrow.data.preprocess import Prepared, fitted, hashes, spec
from evergrow.data.read import read
from evergrow.data.readers import image_files
from evergrow.data.task import Part, Tensors, fetched

GREY = np.random.default_rng(0).integers(0, 256, (10, 12, 14), dtype=np.uint8)
EVERY = torch.arange(10)


def prepared(X, size=None, **options):
    chunk = read(X, need_labels=False)
    return Prepared(chunk, spec(chunk.seen, size, **options))


def write(folder, x=GREY):
    paths = [folder / f"{i}.png" for i in range(len(x))]
    for path, image in zip(paths, x, strict=True):
        Image.fromarray(image).save(path)
    return paths


def test_images_that_have_the_form_already_are_indexed_and_nothing_else(monkeypatch):
    records = prepared(GREY)
    monkeypatch.setattr(image_arrays, "resize", None)
    taken = records.take(torch.tensor([3, 3, 0]))
    np.testing.assert_array_equal(taken[:, 0].numpy(), GREY[[3, 3, 0]])
    assert taken.dtype == torch.uint8 and records.kept is None
    assert len(records) == 10


def test_taking_gives_tensors_of_their_own():
    x = np.ones((3, 2), np.float32)
    for X in (GREY, GREY / 255, x):
        records = prepared(X)
        records.take(torch.arange(3)).zero_()
        assert records.take(torch.arange(3)).max() > 0
    assert x.min() == 1 and GREY.max() > 0


def test_other_images_are_recoloured_and_resized():
    found = prepared(GREY, 7, channels=3).take(EVERY)
    assert found.shape == (10, 3, 7, 7)
    expected = image_arrays.resize(GREY[:, None], (7, 7))
    for c in range(3):
        np.testing.assert_array_equal(found[:, c].numpy(), expected[:, 0])


@pytest.mark.parametrize("kept", [0, 1 << 28])
def test_records_are_the_same_kept_or_not_in_any_batch_and_any_subset(tmp_path, monkeypatch, kept):
    monkeypatch.setattr(preprocess, "IMAGE_CACHE_BYTES", kept)
    expected = image_arrays.resize(GREY[:, None], (5, 6))
    for X in (GREY, write(tmp_path), list(GREY)):
        records = prepared(X, (5, 6))
        assert (records.kept is None) == (kept == 0)
        for rows in ([4], [4, 2], [9, 9, 4], list(range(10)), []):
            found = records.take(torch.tensor(rows, dtype=torch.long))
            assert found.dtype == torch.uint8
            np.testing.assert_array_equal(found.numpy(), expected[rows])
        part = Prepared(records.chunk.subset(np.array([7, 1])), spec(records.chunk.seen, (5, 6)))
        np.testing.assert_array_equal(part.take(torch.tensor([1, 0])).numpy(), expected[[1, 7]])


def test_files_are_decoded_once_by_all_that_read_the_same_chunk(tmp_path):
    paths = write(tmp_path)
    chunk = read(paths, need_labels=False)
    form = spec(chunk.seen)
    hashes(Prepared(chunk, form))
    for path in paths:
        path.unlink()
    assert Prepared(chunk, form).take(EVERY).shape == (10, 1, 12, 14)
    assert Prepared(chunk.subset(np.array([2])), form).take(EVERY[:1]).shape == (1, 1, 12, 14)


def test_items_of_a_data_set_may_differ_each_time():
    class Noise(torch.utils.data.Dataset):
        count = 0

        def __len__(self):
            return 3

        def __getitem__(self, i):
            self.count += 1
            return np.full((4, 4), self.count, np.uint8), 0

    chunk = read(Noise())
    records = Prepared(chunk, spec(chunk.seen))
    first, second = records.take(EVERY[:3]), records.take(EVERY[:3])
    assert (first != second).all()


def test_pictures_of_many_sizes_and_colours_become_one_tensor():
    images = [Image.new(mode, (9 + i, 5)) for i, mode in enumerate(("L", "RGB", "RGBA", "1"))]
    found = prepared(images).take(torch.arange(4))
    assert found.shape == (4, 3, 32, 32) and found.dtype == torch.uint8


def test_columns_are_put_into_the_order_of_the_model():
    form = spec(read(pd.DataFrame({"a": [1.0], "b": [2.0]}), need_labels=False).seen)
    later = read(pd.DataFrame({"b": [20.0], "a": [10.0]}), need_labels=False)
    preprocess.check_fits(form, later, True)
    assert Prepared(later, form).take(torch.tensor([0])).tolist() == [[10.0, 20.0]]


def test_tensors_pass_as_they_are():
    x = torch.randn(4, 2, 3, 3, generator=torch.Generator().manual_seed(0))
    chunk = read(x, own=True, need_labels=False)
    assert torch.equal(Prepared(chunk, spec(chunk.seen)).take(torch.tensor([2, 0])), x[[2, 0]])
    data = read([(row, 0) for row in x], own=True)
    assert torch.equal(Prepared(data, spec(data.seen)).take(torch.tensor([3])), x[3:])
    streamed = read(torch.utils.data.Subset(list(zip(x, [0] * 4, strict=True)), range(4)), own=True)
    records = Prepared(streamed, spec(streamed.seen))
    assert torch.equal(records.take(torch.tensor([3, 1])), x[[3, 1]])
    assert records.take(torch.tensor([], dtype=torch.long)).shape == (0, 2, 3, 3)
    tokens = torch.arange(6).reshape(2, 3)
    chunk = read(tokens, own=True, need_labels=False)
    assert Prepared(chunk, spec(chunk.seen)).take(torch.arange(2)).dtype == torch.int64


def test_hashes_are_those_of_the_canonical_bytes_in_any_block(tmp_path):
    expected = [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in GREY]
    for X in (GREY, GREY / 255, write(tmp_path)):
        for block in (1, 3, 1024):
            found = hashes(prepared(X), block)
            assert (found.shape, found.dtype) == ((10, 16), np.uint8)
            assert [row.tobytes() for row in found] == expected


@pytest.mark.parametrize("kind", ["rows", "images", "columns", "mixed"])
def test_content_is_hashed_once_however_often_it_is_asked_for(kind, monkeypatch):
    frame = pd.DataFrame({"a": np.arange(9.0), "b": list("xyzxyzxyz"), "c": np.arange(9.0)})
    images = np.random.default_rng(0).integers(0, 255, (9, 4, 4), np.uint8)
    X = {"rows": frame[["a", "c"]].to_numpy(), "images": images, "mixed": frame}
    chunk = read(X.get(kind, frame[["c", "a"]]), need_labels=False)
    form = fitted(spec(chunk.seen), chunk)
    if kind == "columns":
        form |= {"names": ["a", "c"]}
    whole = hashes(Prepared(chunk, form))
    assert len({row.tobytes() for row in whole}) == 9
    monkeypatch.setattr(Prepared, "take", None)
    assert np.array_equal(hashes(Prepared(chunk.subset([7, 2]), form)), whole[[7, 2]])
    monkeypatch.undo()
    other = read(X.get(kind, frame[["a", "c"]]), need_labels=False)
    assert np.array_equal(hashes(Prepared(other, form)), whole)


def test_what_may_change_is_hashed_anew():
    chunk = read(np.zeros((2, 3)), need_labels=False)
    chunk.store.stable = False
    form = spec(chunk.seen)
    before = hashes(Prepared(chunk, form))
    chunk.store.values[1] = 5
    after = hashes(Prepared(chunk, form))
    assert (before[0] == after[0]).all() and (before[1] != after[1]).any()


def test_hashes_tell_samples_apart_and_there_may_be_none():
    found = hashes(Tensors(torch.tensor([[1.0, 2.0], [1.0, 2.0], [2.0, 1.0]])))
    assert (found[0] == found[1]).all() and (found[0] != found[2]).any()
    assert hashes(Tensors(torch.zeros(0, 3))).shape == (0, 16)


def test_the_steps_to_a_form_stand_together():
    assert {"canonical_size", "spec", "check_fits", "Prepared", "hashes"} <= set(vars(preprocess))


@pytest.fixture
def decoded(tmp_path, monkeypatch):
    """Eleven image files, and a list of those decoded since."""
    paths, names = [], []
    for i in range(11):
        paths.append(tmp_path / f"{i}.png")
        Image.fromarray(np.full((6, 6, 3), 20 * i, np.uint8)).save(paths[-1])
    chunk = read(paths, ["a"] * 11)
    decode = image_files.decode

    def noted(item, *rest):
        names.append(item.name)
        return decode(item, *rest)

    monkeypatch.setattr(image_files, "decode", noted)
    return chunk, names


def test_a_file_learnt_is_not_decoded_again_for_its_hash(decoded, monkeypatch):
    chunk, names = decoded
    whole = hashes(Prepared(chunk, spec(chunk.seen, 4)))
    monkeypatch.setattr(preprocess, "IMAGE_CACHE_BYTES", 0)
    records = Prepared(chunk, spec(chunk.seen, 5))
    names.clear()
    records.take(torch.tensor([3, 4, 9]))
    found = hashes(Prepared(chunk, spec(chunk.seen, 5)))
    assert sorted(names) == sorted(f"{i}.png" for i in range(11)), "each once"
    some = Prepared(chunk.subset(np.array([9, 3])), spec(chunk.seen, 5))
    assert np.array_equal(hashes(some), found[[9, 3]])
    assert not np.array_equal(found, whole), "hashes are of one form"


def test_what_is_decoded_is_fetched_ahead_and_what_is_kept_is_not(decoded):
    chunk, _ = decoded
    records = Prepared(chunk, spec(chunk.seen, 4))
    assert records.decoded and Part(records, torch.arange(2)).decoded
    records.take(torch.arange(11))
    assert not records.decoded


def test_files_are_fetched_in_another_thread_but_for_a_single_batch(decoded, monkeypatch):
    chunk, _ = decoded
    records, threads = Prepared(chunk, spec(chunk.seen, 4)), []
    take = records.take

    def noted(rows):
        threads.append(threading.current_thread())
        return take(rows)

    monkeypatch.setattr(records, "take", noted)
    rows = torch.arange(6)
    whole = torch.cat([x for _, x in fetched(records, rows.split(2))])
    assert threading.main_thread() not in threads and len(whole) == 6
    list(fetched(records, [torch.arange(6, 11)]))
    assert threads[-1] is threading.main_thread()
