"""Numbers as people read them."""

import pytest

from evergrow import formatting


def test_sizes_are_in_the_unit_that_fits():
    counts = (0, 999, 1500, 2_000_000, 3_100_000_000, None, 12.6)
    assert [formatting.size(n) for n in counts] == [
        "0 bytes",
        "999 bytes",
        "1.5 kB",
        "2.0 MB",
        "3.1 GB",
        "-",
        "13 bytes",
    ]


@pytest.mark.parametrize(
    ("share", "said"), [(0.0, "0.0 %"), (1.0, "100.0 %"), (0.9996, "100.0 %"), (None, "-")]
)
def test_a_share_is_said_in_percent(share, said):
    assert formatting.percent(share) == said


def test_a_long_list_keeps_its_end():
    assert formatting.listed([]) == "none"
    assert formatting.listed("abcd", most=4) == "a, b, c, d"
    assert formatting.listed("abcde", most=4) == "a, b, c, ... e (5 in all)"


def test_what_was_not_measured_spreads_nothing():
    assert formatting.spread([0.5, None, 0.6]) == formatting.spread([0.5, 0.6])
    assert formatting.spread([1.0, 3.0], scale=1) == "2.0 ± 1.4"
