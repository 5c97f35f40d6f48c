"""A random layer: fixed for ever, near Gaussian, a row's result its own."""

import pytest
import torch

from evergrow import GrowingClassifier, methods
from evergrow.analytic.random_projection import Projection
from evergrow.checks import blobs
from evergrow.errors import SettingError


def rows(n: int, width: int = 30) -> torch.Tensor:
    rng = torch.Generator().manual_seed(0)
    return torch.randint(-127, 128, (n, width), generator=rng).to(torch.int8)


def weights_of(width: int, size: int, seed: int) -> torch.Tensor:
    """What the combinations of the unit vectors are."""
    return Projection(width, size, seed).combined(torch.eye(width, dtype=torch.int8))


def fixed(size: int = 20, seed: int = 0) -> Projection:
    layer = Projection(30, size, seed)
    layer.fix(rows(100))
    return layer


def test_weights_are_the_same_for_ever():
    assert weights_of(3, 2, 0).tolist() == [[-4, -19], [-16, -43], [-59, 57]]


def test_weights_are_near_gaussian_and_differ_by_seed():
    weights = weights_of(200, 600, 1).double()
    assert abs(float(weights.mean())) < 0.5 and abs(float(weights.std()) - 36.95) < 0.3
    assert not torch.equal(weights, weights_of(200, 600, 2).double())
    columns = torch.corrcoef(weights.T)
    assert float((columns - torch.eye(600)).abs().max()) < 0.4


def test_combinations_are_exact_products():
    q, layer = rows(5), fixed()
    assert torch.equal(layer.combined(q).long(), q.long() @ weights_of(30, 20, 0).long())


def test_the_activation_is_relu_in_sixths_of_the_root_mean_square():
    layer, q = fixed(), rows(9)
    exact = q.double() @ weights_of(30, 20, 0).double()
    unit = (rows(100).double() @ weights_of(30, 20, 0).double()).square().mean().sqrt()
    expected = (exact / unit).clamp(0, 6) * 127 / 6
    assert (layer(q) - expected).abs().max() <= 0.5 + 1e-6


def test_another_activation_lies_in_minus_one_to_one():
    found = fixed()(rows(9), torch.tanh)
    assert found.min() < -60 and found.max() > 60


def test_the_unit_is_fixed_once_and_comes_back():
    layer, twin = fixed(), Projection(30, 20, 0)
    unit = layer.unit
    layer.fix(rows(3) // 2)
    assert layer.unit == unit > 0
    twin.fill(layer.state())
    assert torch.equal(twin(rows(9)), layer(rows(9)))


def test_a_row_does_not_depend_on_its_batch():
    layer, q = fixed(), rows(40)
    whole = layer(q)
    assert all(torch.equal(layer(q[i : i + 1])[0], whole[i]) for i in (0, 7, 39))


def test_a_model_keeps_its_random_layer():
    model = GrowingClassifier("fourier", methods.ACIL(size=8)).partial_fit(*blobs())
    for other in (methods.ACIL(size=8, seed=1), methods.ACIL(size=9)):
        model.method = other
        with pytest.raises(SettingError, match="neither can change"):
            model.partial_fit(*blobs())
    with pytest.raises(SettingError, match="other sums"):
        model.change_method("lda")
    assert model.method_ == "acil"
    assert model.change_method(methods.RanPAC(size=8)) == []
