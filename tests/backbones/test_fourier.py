"""Random Fourier features: the kernel, orthogonal frequencies, limits."""

import pytest
import torch

from evergrow import backbones
from evergrow.backbones.fourier import directions
from evergrow.data.read import Seen
from evergrow.errors import SettingError
from evergrow.nn.network import Inputs, Network

TABLE = Seen("table", shape=(7,))


def test_random_features_approximate_the_gaussian_kernel():
    x = torch.randn(40, 7, generator=torch.Generator().manual_seed(1))
    lift = backbones.get("fourier", width=20_000, bandwidth=0.5)
    z = lift.build(lift.prepare(TABLE), torch.Generator().manual_seed(0))(x)
    kernel = (-(torch.cdist(x, x) ** 2) / (2 * 0.25 * 7)).exp()
    assert (2 * z @ z.T / 20_000 - kernel).abs().max() < 0.05


def test_frequencies_are_orthogonal_in_blocks_and_as_long_as_gaussian_ones():
    w = directions(16, 4000, torch.Generator().manual_seed(0))
    block = w[:, 16:32].T @ w[:, 16:32]
    assert (block - block.diagonal().diag()).abs().max() < 1e-4
    assert abs(float(w.square().sum(0).mean()) - 16) < 0.3  # the mean of a chi squared of 16
    wide = directions(2000, 10, torch.Generator().manual_seed(0))  # plain Gaussian
    assert wide.shape == (2000, 10) and 1e-3 < float((wide[:, 0] @ wide[:, 1]).abs())
    assert directions(3, 2, torch.Generator()).shape == (3, 2)


def test_a_column_that_has_hardly_varied_counts_up_to_the_limit():
    lift = backbones.get("fourier", width=50, limit=8.0)
    body = lift.build(lift.prepare(TABLE), torch.Generator().manual_seed(0))
    far, limit = torch.full((1, 7), 250.0), torch.full((1, 7), 8.0)
    assert torch.equal(body(far), body(limit)) and not torch.equal(body(limit), body(limit - 0.1))
    with pytest.raises(SettingError, match=r"limit=0: all must be positive"):
        backbones.get("fourier", limit=0)


def test_columns_of_a_mixed_table_count_as_one_each():
    lift = backbones.get("fourier", width=10)
    form = lift.prepare(TABLE)
    a, b = (lift.build(f, torch.Generator().manual_seed(0)) for f in (form, form | {"spread": 28}))
    assert torch.allclose(a.frequencies, 2 * b.frequencies)


def test_random_features_do_not_depend_on_the_batch():
    lift = backbones.get("fourier")
    net = Network(
        lift.build(lift.prepare(TABLE), torch.Generator().manual_seed(0)), Inputs("tensor")
    )
    x = torch.randn(100, 7)
    whole = net.steady(x, 127.0)
    for rows in torch.randperm(100).split(7):
        assert torch.equal(net.steady(x[rows], 127.0), whole[rows])
