"""Networks of the user's own, and the search for a network's head."""

import numpy as np
import pytest
import torch
from torch import nn

from evergrow import GrowingClassifier
from evergrow.backbones.custom import Own
from evergrow.errors import DataError, SettingError


def test_a_callable_draws_its_weights_from_our_generator():
    before = torch.random.get_rng_state()
    form = {"kind": "tensor", "shape": [4], "dtype": "float32"}
    a, b = (
        Own(lambda: nn.Linear(4, 5)).build(form, torch.Generator().manual_seed(0)) for _ in range(2)
    )
    assert torch.equal(a.module.weight, b.module.weight) and a.width == 5
    assert torch.equal(before, torch.random.get_rng_state())


def test_what_is_not_a_network_is_explained():
    form = {"kind": "tensor", "shape": [4], "dtype": "float32"}
    with pytest.raises(SettingError, match="gave a int"):
        Own(lambda: 3).build(form, torch.Generator())
    with pytest.raises(SettingError, match=r"shape \(1, 4\)"):
        Own(nn.Linear(3, 5)).build(form, torch.Generator())
    with pytest.raises(SettingError, match="backbone="):
        GrowingClassifier(backbone=7, method="er").partial_fit(np.eye(2), [0, 1])


def test_weights_of_double_precision_become_single():
    form = {"kind": "tensor", "shape": [4], "dtype": "float32"}
    body = Own(nn.Linear(4, 5).double()).build(form, torch.Generator())
    assert body(torch.zeros(2, 4)).dtype == torch.float32


def with_a_gap(net):
    net.bias.data[2] = torch.nan
    return net


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda net: net.bfloat16(), r"pass network.float\(\)"),
        (with_a_gap, "bias holds values that are not fin"),
        (lambda net: nn.LazyLinear(5), "weight has no values yet"),
        (lambda net: nn.Linear(4, 5, device="meta"), "weight has no values yet"),
    ],
)
def test_weights_that_cannot_be_computed_with_are_refused(spoil, said):
    net = spoil(nn.Linear(4, 5))
    form = {"kind": "tensor", "shape": [4], "dtype": "float32"}
    with pytest.raises(SettingError, match=said):
        Own(net).build(form, torch.Generator())


def test_a_shape_that_the_network_cannot_read_is_named():
    model = GrowingClassifier(backbone=nn.Linear(4, 5), method="lda")
    model.partial_fit(np.eye(4), [0, 1, 0, 1])
    with pytest.raises(DataError, match="X has 3 features"):
        model.predict(np.eye(3))


class Attending(nn.Module):
    """Reads up to 8 vectors of 4 numbers."""

    def __init__(self):
        super().__init__()
        self.places, self.fc = nn.Parameter(torch.randn(8, 4)), nn.Linear(4, 2)

    def forward(self, x):
        return self.fc((x + self.places[: x.shape[1]]).mean(1))


def test_sequences_of_any_length_are_read_if_the_network_reads_them():
    x, y = np.random.default_rng(0).random((40, 5, 4), np.float32), np.arange(40) % 3
    model = GrowingClassifier.adopt(Attending().eval(), [0, 1], method="er", epochs=1)
    model.partial_fit(x, y)
    assert model.predict(x[:, :3]).shape == (40,)
    with pytest.raises(DataError, match=r"cannot take inputs of shape \(3, 9, 4\)"):
        model.predict(np.zeros((3, 9, 4), np.float32))
    with pytest.raises(DataError, match="er keeps samples of shape"):
        model.partial_fit(x[:, :3], y)
    with pytest.raises(DataError, match="shape"):
        model.predict(x[:, :, :3])
