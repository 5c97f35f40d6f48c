"""Whether later chunks fit, and what is said where they do not."""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from evergrow.data.read import read
from evergrow.data.schema import spec
from evergrow.data.schema_check import check_fits
from evergrow.errors import DataError


def images(n=2, size=8, channels=1):
    return read(np.zeros((n, channels, size, size), np.uint8), need_labels=False)


def pictures(mode, size):
    return read([Image.new(mode, (size, size))], need_labels=False)


def table(d=4, names=None):
    return read(
        np.ones((2, d)) if names is None else pd.DataFrame(np.ones((2, d)), columns=names),
        need_labels=False,
    )


def refused(first, later, message, fixed_size=True, **options):
    with pytest.raises(DataError, match=message):
        check_fits(spec(first.seen, **options), later, fixed_size)


def test_other_columns_are_refused_in_scikit_learns_words():
    refused(
        table(64),
        table(32),
        "^X has 32 features, but GrowingClassifier is expecting 64 features as input; pass",
    )
    tensors = read(np.ones((2, 5)), own=True, need_labels=False)
    refused(tensors, read(np.ones((2, 4)), own=True, need_labels=False), "X has 4 features, but")


def test_other_names_are_refused_in_scikit_learns_words():
    refused(
        table(2, ["a", "b"]),
        table(2, ["a", "c"]),
        "feature names should match.*\nFeature names unseen at fit time:\n- c\n"
        "Feature names seen at fit time, yet now missing:\n- b\n",
    )
    refused(table(9, list("abcdefghi")), table(1, ["a"]), "- b\n- c\n- d\n- e\n- f\n- ...\n")


def test_the_same_names_in_another_order_and_no_names_are_taken():
    check_fits(spec(table(2, ["a", "b"]).seen), table(2, ["b", "a"]), True)
    check_fits(spec(table(2, ["a", "b"]).seen), table(2), True)
    check_fits(spec(table(2).seen), table(2, ["a", "b"]), True)


def test_another_kind_is_refused():
    refused(
        images(), table(64), r"X holds table data of shape \(64,\), but .* image data \(1 x 8 x 8\)"
    )
    refused(
        table(64), images(), r"X holds image data \(1 x 8 x 8\), but .* table data of shape \(64,\)"
    )


def test_tensors_of_another_shape_or_type_are_refused():
    first = read(torch.zeros(2, 3, 4, 5), own=True, need_labels=False)
    refused(first, read(torch.zeros(2, 3, 4, 4), own=True, need_labels=False), r"shape \(3, 4, 4\)")
    refused(
        first,
        read(torch.zeros(2, 3, 4, 5, dtype=torch.long), own=True, need_labels=False),
        r"X is int64, but .* float32; pass X.astype\('float32'\)",
    )


@pytest.mark.parametrize(("first", "later"), [(1, 3), (3, 1)])
def test_arrays_of_another_colour_are_refused_pictures_are_converted(first, later):
    form = spec(images(channels=first).seen)
    with pytest.raises(DataError, match=f"{later} channel.*was started with .*{first} channel"):
        check_fits(form, images(channels=later), False)
    check_fits(form, pictures("L" if later == 1 else "RGB", 8), True)


def test_a_backbone_that_needs_colour_goes_on_with_the_arrays_it_was_started_with():
    form = spec(images(channels=1).seen, channels=3)
    assert form["channels"] == 3
    check_fits(form, images(channels=1), True)
    with pytest.raises(DataError, match=r"colour images .* started with grey images"):
        check_fits(form, images(channels=3), True)


def test_arrays_of_another_size_are_taken_where_the_backbone_allows_it():
    form = spec(images(size=8).seen)
    check_fits(form, images(size=9), fixed_size=False)
    with pytest.raises(DataError, match="X holds images of 9 x 9 pixels, but .* 8 x 8"):
        check_fits(form, images(size=9), fixed_size=True)
    check_fits(form, pictures("L", 99), fixed_size=True)


def test_where_arrays_were_resized_from_the_start_those_of_any_size_are_taken():
    for first, options in ((images(size=100), {}), (images(size=28), {"image_size": 16})):
        check_fits(spec(first.seen, **options), first, fixed_size=True)
        check_fits(spec(first.seen, **options), images(size=50), fixed_size=True)


def test_the_form_does_not_tell_which_pictures_came_first():
    forms = [spec(pictures("RGB", size).seen, 32, channels=3) for size in (8, 32, 99)]
    forms += [spec(pictures("L", 8).seen, 32, channels=3), spec(images(2, 32, 3).seen, 32)]
    assert all(form == forms[0] for form in forms)
