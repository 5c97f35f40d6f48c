"""A state comes back bit for bit, whatever is in it."""

import io
import json

import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from evergrow.data.task import Samples
from evergrow.storage import manifest
from evergrow.storage.flatten import flatten, from_png, from_table, to_png, to_table, unflatten
from evergrow.storage.model_folder import ModelFolder

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.uint8, torch.bool]


def same(a: object, b: object) -> bool:
    """Equality of trees: types, key order, signs of zero and NaN count; tensors by bytes."""
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        if (a.dtype, a.shape) != (b.dtype, b.shape):
            return False
        return bytes_of(a) == bytes_of(b)
    if isinstance(a, Samples) and isinstance(b, Samples):
        return all(map(same, (a.x, a.y, a.logits), (b.x, b.y, b.logits)))
    if isinstance(a, dict) and isinstance(b, dict):
        return same(list(a.items()), list(b.items()))
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return repr(a) == repr(b)


def bytes_of(t: torch.Tensor) -> bytes:
    return t.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if t.numel() else b""


def there_and_back(tree: object) -> object:
    """As the store does it: the JSON through a manifest, the samples through a Parquet file."""
    plain, tensors, samples = flatten(tree)
    text = manifest.loads(
        manifest.dump(manifest.make(1, None, {"state": plain, "files": {}, "blobs": {}}))
    )["state"]
    table = to_table(samples)
    if table is not None:
        file = io.BytesIO()
        pq.write_table(table, file)
        table = pq.read_table(file)
    return unflatten(text, tensors, from_table(table))


@st.composite
def tensors(draw: st.DrawFn, rows: int | None = None) -> torch.Tensor:
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    if rows is not None:
        shape = [rows, *shape]
    generator = torch.Generator().manual_seed(draw(st.integers(0, 999)))
    dtype = draw(st.sampled_from(DTYPES))
    return torch.randint(0, 2 if dtype is torch.bool else 256, shape, generator=generator).to(dtype)


@st.composite
def kept(draw: st.DrawFn) -> Samples:
    n = draw(st.integers(0, 3))
    logits = torch.full((n, 2), torch.nan) if draw(st.booleans()) else None
    if draw(st.booleans()):
        shape = [n, draw(st.sampled_from([1, 3])), draw(st.integers(1, 4)), draw(st.integers(1, 4))]
        x = torch.randint(0, 256, shape, dtype=torch.uint8)
    else:
        x = draw(tensors(n))
    return Samples(x, torch.arange(n), logits)


KEYS = st.text(max_size=4) | st.sampled_from(["$tensor", "$dict", "a/b", "__metadata__", "~2"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | KEYS | tensors() | kept()
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS | st.integers(-3, 3), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(TREES)
def test_any_state_comes_back_as_it_was(tree):
    assert same(there_and_back(tree), tree)


def test_the_same_through_a_model_folder(tmp_path):
    tree = {
        "body": {"weight": torch.randn(3, 2).bfloat16(), "steps": torch.tensor(7)},
        "past": Samples(torch.randint(0, 256, (5, 3, 8, 8), dtype=torch.uint8), torch.arange(5)),
        "rows": Samples(torch.randn(2, 4), torch.tensor([1, 0]), torch.randn(2, 3)),
        "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}, "betas": (0.9, 0.999)},
        "best": float("-inf"),
    }
    plain, found, samples = flatten(tree)
    folder = ModelFolder(tmp_path)
    with folder.writer():
        folder.commit({"state": plain}, {}, found, memory=to_table(samples))
    stored = folder.read()
    back = unflatten(stored.manifest["state"], stored.learning, from_table(stored.memory))
    assert same(back, tree)


def test_a_state_is_readable():
    tree = {
        "seen": 3,
        "teacher": {"weight": torch.ones(1)},
        "past": [Samples(*[torch.ones(1)] * 2)],
    }
    plain, found, samples = flatten(tree)
    assert json.loads(json.dumps(plain)) == {
        "seen": 3,
        "teacher": {"weight": {"$tensor": "teacher/weight"}},
        "past": [{"$samples": "past/0"}],
    }
    assert list(found) == ["teacher/weight"] and list(samples) == ["past/0"]


def test_names_that_would_clash_are_told_apart():
    tree = {"a/b": torch.zeros(1), "a": {"b": torch.ones(1)}, "__metadata__": torch.ones(2)}
    _, found, _ = flatten(tree)
    assert list(found) == ["a/b", "a/b~2", "__metadata__~2"]
    assert list(flatten(torch.ones(1))[1]) == ["state"]


def test_labels_that_are_not_text_may_be_keys():
    assert same(there_and_back({"a\udcff": torch.ones(1)}), {"a\udcff": torch.ones(1)})


def test_numbers_of_numpy_become_pythons():
    np = pytest.importorskip("numpy")
    back = there_and_back([np.float64(0.1), np.int64(3), np.bool_(True), np.float32("nan")])
    assert repr(back) == "[0.1, 3, True, nan]"


@pytest.mark.parametrize("leaf", [object(), {1, 2}, b"x", len, 1j, torch.float32])
def test_what_a_state_cannot_hold_is_named_with_its_place(leaf):
    with pytest.raises(TypeError, match=f"past/0 is a {type(leaf).__name__}"):
        flatten({"past": [leaf]})


def test_keys_are_words_or_whole_numbers():
    with pytest.raises(TypeError, match="past has 1.5 as a key"):
        flatten({"past": {1.5: 1}})


def test_a_missing_tensor_is_an_error():
    plain, _, _ = flatten({"w": torch.ones(1)})
    with pytest.raises(KeyError):
        unflatten(plain, {}, {})


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_kept_as_png_files(channels):
    x = torch.randint(0, 256, (3, channels, 5, 7), dtype=torch.uint8)
    table = to_table({"past": Samples(x, torch.tensor([2, 0, 1]))})
    assert table["column"].to_pylist() == [2, 0, 1] and table["part"].to_pylist() == ["past"] * 3
    image = Image.open(io.BytesIO(table["x"][1].as_py()))
    assert (image.format, image.size, image.mode) == (
        "PNG",
        (7, 5),
        "L" if channels == 1 else "RGB",
    )
    assert torch.equal(from_png(to_png(x), x.shape), x)


def test_what_png_cannot_hold_is_kept_as_bytes():
    x = torch.randn(2, 3)
    table = to_table({"past": Samples(x, torch.zeros(2, dtype=torch.int32))})
    assert table["x"][1].as_py() == x[1].numpy().tobytes()
    assert from_table(table)["past"].y.dtype == torch.int32


def test_samples_turned_about_and_on_the_way_to_a_gradient_are_kept():
    x = torch.randint(0, 256, (2, 4, 4, 3), dtype=torch.uint8).permute(0, 3, 1, 2)
    logits = torch.randn(3, 2, requires_grad=True).T
    back = from_table(to_table({"past": Samples(x, torch.arange(2), logits)}))["past"]
    assert torch.equal(back.x, x) and torch.equal(back.logits, logits)


def test_samples_may_be_changed_after_they_were_read():
    back = from_table(to_table({"past": Samples(torch.ones(2, 2), torch.arange(2))}))["past"]
    back.x.add_(1)
    back.y.add_(1)
    assert back.x.sum() == 8 and back.y.tolist() == [1, 2]


def test_a_dtype_that_is_none_is_refused():
    table = to_table({"past": Samples(torch.ones(2, 2), torch.arange(2))})
    text = table.schema.metadata[b"evergrow"].replace(b"float32", b"load")
    with pytest.raises(TypeError, match="load is no dtype"):
        from_table(table.replace_schema_metadata({"evergrow": text}))


def test_no_samples_make_no_table():
    assert to_table({}) is None and from_table(None) == {}
