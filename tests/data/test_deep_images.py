"""Grey images of 16 bits: one range for the whole model, found in the first of them, and said."""

import warnings

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from evergrow import GrowingClassifier, load
from evergrow.data.read import read
from evergrow.data.schema import range_notes, spec

X, Y = load_digits(return_X_y=True)
X = (X * 15.9).astype(np.uint8).reshape(-1, 8, 8)


def images(rows, factor):
    return [Image.fromarray(X[i].astype(np.uint16) * factor) for i in rows]


def folder(root, rows, factor):
    for i, image in zip(rows, images(rows, factor), strict=True):
        place = root / f"d{Y[i]}"
        place.mkdir(parents=True, exist_ok=True)
        image.save(place / f"{i}.png")
    return root


@pytest.mark.parametrize(
    ("factor", "top"), [(1, 255), (4, 1023), (16, 4095), (64, 16383), (257, 65535)]
)
def test_the_range_is_the_least_that_holds_all(factor, top, tmp_path):
    chunk = read(folder(tmp_path, range(30), factor))
    form = spec(chunk.seen)
    assert form["top"] == top and chunk.seen.highest == 254 * factor
    assert range_notes(form, chunk, begins=True) == [
        f"images of 16 bits hold levels up to {254 * factor}: 0..{top} is read as black to white, "
        "by this model always"
    ]
    assert read(images(range(30), factor), Y[:30]).seen.highest == 254 * factor


def test_8_bits_have_no_range_to_find(tmp_path):
    folder(tmp_path, range(9), 1)
    Image.fromarray(X[0]).save(tmp_path / "d0" / "0.png")
    chunk = read([Image.fromarray(X[0])] * 3, [0, 1, 2])
    assert chunk.seen.highest == 0 and "top" not in spec(chunk.seen)


@pytest.mark.parametrize("factor", [1, 4, 257])
def test_a_model_answers_16_bits_as_it_does_8(factor, tmp_path):
    rows, asked = range(300), range(300, 400)
    plain = GrowingClassifier("none").partial_fit(X[rows], [f"d{y}" for y in Y[rows]])
    deep = GrowingClassifier("none").partial_fit(folder(tmp_path / "a", rows, factor))
    deep.save(tmp_path / "model")
    right, names = plain.predict(X[asked]), [f"d{y}" for y in Y[asked]]
    for model in (deep, load(tmp_path / "model")):
        assert (model.predict(images(asked, factor)) == right).mean() > 0.97
        order = folder(tmp_path / f"b{id(model)}", asked, factor)
        assert model.score(order) == pytest.approx(plain.score(X[asked], names), abs=0.03)
    assert any("0..255 is read" in note for note in deep.update_["warnings"]) == (factor == 1)


def test_images_of_both_depths_stand_beside_one_another():
    both = [Image.fromarray(X[i]) for i in range(100)] + images(range(100, 200), 257)
    model = GrowingClassifier("none").partial_fit(both, Y[:200])
    plain = GrowingClassifier("none").partial_fit(X[:200], Y[:200])
    assert (model.predict(X[200:300]) == plain.predict(X[200:300])).all()


@pytest.mark.parametrize(
    ("began", "later", "said"), [(1, 257, "counts as white"), (257, 1, "darker than")]
)
def test_a_later_chunk_in_another_range_is_warned_of(began, later, said):
    model = GrowingClassifier("none").partial_fit(images(range(50), began), Y[:50])
    with pytest.warns(UserWarning, match=said):
        model.predict(images(range(50), later))
    model.partial_fit(images(range(50), later), Y[:50])
    assert any(said in note for note in model.update_["warnings"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(images(range(50), began))


def test_a_model_begun_with_8_bits_reads_the_whole_range():
    model = GrowingClassifier("none").partial_fit(X[:200], Y[:200])
    assert (model.predict(images(range(50), 257)) == model.predict(X[:50])).all()
    with pytest.warns(UserWarning, match=r"reads 0\.\.65535"):
        model.predict(images(range(50), 1))
