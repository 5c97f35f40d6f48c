from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
)

from evergrow.data.read import read
from evergrow.data.readers.read_options import ReadOptions
from evergrow.data.readers.torch_dataset import (
    Taking,
    class_names,
    from_dataset,
    from_iterable,
    is_torch,
    labels_named,
    look_through,
    run_through,
    split,
)
from evergrow.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 3, 8, 10), dtype=np.uint8)
LABELS = [3, 1, 3, 2, 1, 2]


class Pairs(Dataset):
    """(image, label), counting how often it is asked."""

    def __init__(self, images=IMAGES, labels=LABELS):
        self.images, self.labels, self.asked = images, labels, 0

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        if i >= len(self):
            raise IndexError(i)
        self.asked += 1
        return self.images[i], self.labels[i]


class Stream(IterableDataset):
    def __iter__(self):
        return iter(zip(torch.from_numpy(IMAGES), LABELS, strict=True))


class Faces:
    """Like a data set of Hugging Face."""

    column_names = ("image", "label", "id")
    features = {"image": None, "label": SimpleNamespace(names=["ann", "bob"]), "id": None}

    def __len__(self):
        return 2

    def __getitem__(self, i):
        return {"image": Image.fromarray(IMAGES[i].transpose(1, 2, 0)), "label": 1 - i, "id": i}


def assert_same(chunk, labels=LABELS, n=6):
    assert chunk.kind == "image" and len(chunk) == n
    assert chunk.labels.tolist() == labels
    np.testing.assert_array_equal(np.stack(list(chunk.take(np.arange(n)))), IMAGES[:n])
    np.testing.assert_array_equal(np.stack(list(chunk.take(np.array([4, 0])))), IMAGES[[4, 0]]) if (
        n > 4
    ) else None


@pytest.mark.parametrize(
    "images",
    [
        IMAGES,
        IMAGES.transpose(0, 2, 3, 1),
        torch.from_numpy(IMAGES / 255).float(),
        [Image.fromarray(x.transpose(1, 2, 0)) for x in IMAGES],
    ],
)
def test_every_way_of_holding_pairs_gives_the_same_chunk(images):
    assert_same(read(Pairs(images)))
    assert_same(read(Subset(Pairs(images), range(6))))
    assert_same(read(list(zip(images, LABELS, strict=True))))
    assert_same(read((images, LABELS)))
    assert_same(read(iter(Pairs(images))))
    if not isinstance(images, list):
        assert_same(read(DataLoader(Pairs(images), batch_size=4)))
        assert_same(read(DataLoader(Pairs(images), batch_size=None)))


def test_iterable_data_sets_are_run_through_once():
    assert_same(read(Stream()))
    assert_same(read(DataLoader(Stream(), batch_size=4)))


def test_tensors_of_a_tensor_data_set_are_read_at_once():
    chunk = read(TensorDataset(torch.ones(3, 2), torch.tensor([0, 1, 0])))
    assert (chunk.kind, chunk.labels.tolist()) == ("table", [0, 1, 0])
    assert isinstance(chunk.take(np.arange(2)), np.ndarray)
    assert read(TensorDataset(torch.ones(3, 2)), need_labels=False).labels is None
    assert read(TensorDataset(torch.ones(3, 2)), ["a", "b", "c"]).labels.tolist() == ["a", "b", "c"]
    tensors = TensorDataset(torch.from_numpy(IMAGES), torch.tensor(LABELS))
    assert_same(read(tensors))
    assert_same(read(DataLoader(tensors, batch_size=5)))


class Augmented(Pairs):
    """Pairs whose images are turned, or not, each time."""

    def __getitem__(self, i):
        image, label = super().__getitem__(i)
        return (image if self.asked % 2 else image[:, ::-1].copy()), label


def test_items_that_do_not_change_are_kept():
    data = Pairs()
    chunk = read(data)
    before = data.asked
    assert before == 1 + 12 + 6  # as a row of a table?  the same twice?  all
    assert_same(chunk)
    chunk.take(np.array([1, 2]))
    assert data.asked == before and chunk.store.stable


def test_items_too_large_to_be_kept_are_asked_for_again(monkeypatch):
    monkeypatch.setattr("evergrow.data.readers.torch_dataset.ITEM_CACHE_BYTES", 100)
    assert read(Pairs()).store.stable is False


def test_a_data_set_that_augments_is_asked_again_for_what_is_needed():
    data = Augmented()
    chunk = read(data)
    before = data.asked
    assert before <= 9  # all once, the first also for its kind, and twice to see that it changes
    chunk.take(np.array([1, 2]))
    assert data.asked == before + 2
    assert chunk.store.stable is False and chunk.name(2) == "row 2"
    assert chunk.subset(np.array([5, 3])).labels.tolist() == [2, 2]


def test_rows_of_a_data_set_are_kept():
    data = Pairs(np.arange(12, dtype=np.float32).reshape(6, 2))
    chunk = read(data)
    chunk.take(np.arange(6))
    assert data.asked <= 9 and chunk.kind == "table" and chunk.seen.shape == (2,)


def test_tensors_pass_unchanged_to_a_network_of_ones_own():
    x = torch.randn(6, 2, 5, 7, generator=torch.Generator().manual_seed(0))
    for data in (
        Pairs(x),
        DataLoader(Pairs(x), batch_size=4),
        TensorDataset(x, torch.tensor(LABELS)),
    ):
        chunk = read(data, own=True)
        assert chunk.seen.kind == "tensor" and chunk.seen.shape == (2, 5, 7)
        np.testing.assert_array_equal(np.stack(list(chunk.take(np.arange(6)))), x.numpy())


def test_labels_are_given_apart_or_not_needed():
    assert read(Pairs(), ["a"] * 6).labels.tolist() == ["a"] * 6
    assert read(list(IMAGES), need_labels=False).labels is None
    alone = [x for x, _ in Pairs()]
    assert read(DataLoader(alone, batch_size=4), need_labels=False).labels is None
    with pytest.raises(DataError, match=r"should be \(input, label\) pairs or dicts, they are"):
        read(DataLoader(alone, batch_size=4))
    with pytest.raises(DataError, match=r"inconsistent numbers of samples: \[6, 2\]"):
        read(Pairs(), ["a"] * 2)


def test_labels_of_a_loader_may_be_words():
    assert_same(read(DataLoader(Pairs(labels=list("abcabc")), batch_size=4)), list("abcabc"))


def test_hugging_face_class_labels_are_read_by_name():
    assert_same(read(Faces()), ["bob", "ann"], 2)
    assert class_names(Faces(), "id") is None


def test_numbers_of_a_torchvision_folder_are_read_by_name():
    data = Pairs(labels=[0, 1, 0, 1, 0, 1])
    data.class_to_idx, data.samples = {"dog": 1, "cat": 0}, []
    for wrapped in (data, Subset(data, range(6)), DataLoader(Subset(data, range(6)), batch_size=2)):
        assert_same(read(wrapped), ["cat", "dog"] * 3)
    del data.samples  # MNIST and its kin: numbers that mean the same everywhere
    assert_same(read(data), [0, 1, 0, 1, 0, 1])
    with pytest.raises(DataError, match=r"names 1 classes, but has labels 0\.\.1"):
        labels_named([0, 1], ["a"])


class Rows:
    """A data set of dicts of numbers."""

    column_names = ("size", "age", "kind")
    features = {"size": None, "age": None, "kind": SimpleNamespace(names=["cat", "dog"])}

    def __len__(self):
        return 3

    def __getitem__(self, i):
        return {"size": 1.5 * i, "age": i, "kind": i % 2}


def test_dicts_of_numbers_are_rows_of_a_table():
    chunk = read(Rows(), label="kind")
    assert chunk.seen.names == ("size", "age")
    assert chunk.labels.tolist() == ["cat", "dog", "cat"]
    with pytest.raises(DataError, match="no label column.*their keys are: size, age, kind"):
        read(Rows())


def test_items_that_are_dicts_are_taken_apart_by_key():
    x = IMAGES[0]
    assert split({"image": x, "label": 1}, Taking()) == (x, 1)
    assert split({"photo": x, "class": 1}, Taking()) == (x, 1)
    assert split({"image": x, "kind": "a", "label": 1}, Taking(label="kind"))[1] == "a"
    assert split({"story": "a", "note": "b", "label": 1}, Taking(text="note"))[0] == "b"
    with pytest.raises(DataError, match="have the keys left, right, label; which one is the input"):
        split({"left": x, "right": x, "label": 1}, Taking())
    with pytest.raises(DataError, match="have no label column .expected kind.*image, label"):
        split({"image": x, "label": 1}, Taking(label="kind"))


def test_more_than_two_parts_of_an_item_are_passed_over():
    assert split((IMAGES[0], 1, "weight"), Taking())[1] == 1
    assert split((IMAGES[0],), Taking(need=False))[1] is None
    assert split(("some words", 1), Taking()) == ("some words", 1)


def test_what_is_no_use_is_refused():
    with pytest.raises(DataError, match="0 sample"):
        read(Pairs([], []))
    with pytest.raises(DataError, match="0 sample"):
        read(iter([]))
    with pytest.raises(DataError, match="4 samples and 3 labels"):
        run_through([(torch.from_numpy(IMAGES[:4]), [1, 2, 3])], Taking(), True)
    with pytest.raises(DataError, match="sample 5: image arrays are"):
        read(Pairs([*(IMAGES[:5] / 255), IMAGES[5] * 1.0]))
    splits = type("Splits", (dict,), {"column_names": {}})(train=Faces(), test=Faces())
    with pytest.raises(DataError, match=r"set of data sets \(train, test\)"):
        read(splits)


def test_an_item_that_changes_its_kind_is_refused():
    data = Pairs()
    _, store = look_through(data, Taking())
    data.images = np.ones((6, 4), np.float32)
    with pytest.raises(DataError, match="sample 2 is table data now, it was image data before"):
        store.take(np.array([2]))


X = torch.arange(12, dtype=torch.float32).reshape(4, 3)


Y = torch.tensor([0, 1, 0, 1])


def test_tensors_of_a_data_set_are_taken_as_they_are():
    chunk = from_dataset(TensorDataset(X, Y), ReadOptions())
    assert np.array_equal(chunk.take(np.arange(4)), X.numpy())
    assert chunk.labels.tolist() == [0, 1, 0, 1]
    apart = from_dataset(TensorDataset(X), ReadOptions(y=list("abab")))
    assert apart.labels.tolist() == list("abab")


def test_a_loader_is_run_through_once_in_batches_or_not():
    for size in (3, None):
        chunk = from_iterable(DataLoader(TensorDataset(X, Y), batch_size=size), ReadOptions())
        assert chunk.labels.tolist() == [0, 1, 0, 1] and len(chunk) == 4


def test_an_empty_data_set_is_refused():
    with pytest.raises(DataError, match="X is empty"):
        from_dataset([], ReadOptions())


def test_what_is_of_torch_is_known():
    assert is_torch(X, "", "Tensor") and not is_torch(X.numpy(), "", "Tensor")
    assert is_torch(DataLoader(TensorDataset(X)), "utils.data", "DataLoader")


class Numbered(Dataset):
    """As torchvision's ImageFolder: images, and classes as numbers of its own."""

    def __init__(self, *names):
        self.class_to_idx, self.samples = {name: i for i, name in enumerate(names)}, []

    def __len__(self):
        return len(self.class_to_idx)

    def __getitem__(self, i):
        return np.full((4, 4), 9 * i, np.uint8), i


def test_joined_folders_keep_the_names_of_each():
    joined = ConcatDataset([Numbered("ant", "zebra"), Numbered("bee"), Numbered("ant", "bee")])
    names = ["ant", "zebra", "bee", "ant", "bee"]
    assert read(joined).labels.tolist() == names
    assert read(Subset(joined, [4, 0, 2])).labels.tolist() == ["bee", "ant", "bee"]
    alike = ConcatDataset([Numbered("ant", "zebra"), Numbered("ant", "zebra")])
    assert set(read(DataLoader(alike, shuffle=True)).labels) == {"ant", "zebra"}
    with pytest.raises(DataError, match="pass the joined data set itself"):
        read(DataLoader(joined, batch_size=2))
    with pytest.raises(DataError, match="some name their classes and some number them"):
        read(ConcatDataset([Numbered("ant"), [(np.zeros((4, 4), np.uint8), 1)]]))
