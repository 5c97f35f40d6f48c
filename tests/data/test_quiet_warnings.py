"""Warnings of libraries are silent inside, and as before after."""

import io
import threading
import warnings

import numpy as np
import pytest
from PIL import Image

from evergrow.data.image_decoding import Unreadable, decode, inspect
from evergrow.data.quiet_warnings import quiet


def encoded(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def test_overlapping_threads_leave_the_filters_as_they_were():
    before = list(warnings.filters)
    first_in, second_in, first_out = (threading.Event() for _ in range(3))

    def first():
        with quiet():
            first_in.set()
            second_in.wait(5)
        first_out.set()

    def second():
        first_in.wait(5)
        with quiet():
            second_in.set()
            first_out.wait(5)
            warnings.warn("unheard", UserWarning, stacklevel=1)

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before


@pytest.mark.parametrize("size", [(640, 481), (7, 3)])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_look_at_a_jpeg_finds_its_size_and_all_damage_that_decoding_finds(size, progressive):
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    whole = encoded(Image.fromarray(noise), "JPEG", progressive=progressive)
    found = inspect(whole)
    assert (found.channels, *found.size) == decode(whole).shape
    for end in (len(whole) * 9 // 10, len(whole) // 2):
        for read in (inspect, decode):
            with pytest.raises(Unreadable, match="damaged"):
                read(whole[:end])
