"""Whether the head that is taken gives what the network gives."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from evergrow.backbones.head_agreement import factor, find_cut
from evergrow.errors import DataError, SettingError

X = torch.randn(32, 6, generator=torch.Generator().manual_seed(0))


class Ending(nn.Module):
    """A network of 4 outputs that goes on after its head as it is told.  deep: of two layers."""

    def __init__(self, end=lambda net, x: net.fc(net.stem(x))):
        super().__init__()
        torch.manual_seed(1)
        self.stem = nn.Sequential(nn.Linear(6, 5), nn.ReLU())
        self.fc, self.side = nn.Linear(5, 4), nn.Linear(5, 4)
        self.prior = nn.Parameter(torch.tensor([0.4, 0.3, 0.2, 0.1]).log())
        self.end = end

    def forward(self, x):
        return self.end(self, x)


def logits(net, x):
    return net.fc(net.stem(x))


def agrees(net, outputs=4):
    """Whether a linear head on the features that are found gives the network's own order."""
    cut = find_cut(net.eval(), outputs, None, X)
    with torch.no_grad():
        own, ours = net(X), cut.headless(net)(X) @ cut.weight.T + cut.bias
    return torch.equal(own.argsort(1), ours.argsort(1))


ENDS = {
    "nothing": logits,
    "softmax": lambda net, x: logits(net, x).softmax(1),
    "log-softmax": lambda net, x: logits(net, x).log_softmax(1),
    "sigmoid": lambda net, x: logits(net, x).sigmoid(),
    "temperature": lambda net, x: logits(net, x) / 3.7,
    "softmax at a temperature": lambda net, x: (logits(net, x) / 3.7).softmax(1),
    "another order": lambda net, x: logits(net, x).flip(1),
    "softmax in another order": lambda net, x: logits(net, x)[:, [2, 0, 3, 1]].softmax(1),
    "cosine": lambda net, x: 10 * F.linear(F.normalize(net.stem(x)), F.normalize(net.fc.weight)),
    "several results": lambda net, x: (logits(net, x), net.stem(x)),
    "a dict": lambda net, x: {"features": net.stem(x), "logits": logits(net, x)},
    "two axes more": lambda net, x: logits(net, x)[:, :, None, None],
}


@pytest.mark.parametrize("end", ENDS)
def test_what_keeps_the_order_of_scores_is_taken(end):
    net = Ending(ENDS[end])
    if end in ("several results", "a dict", "two axes more"):
        assert find_cut(net.eval(), 4, None, X).head == "fc"
    else:
        assert agrees(net)


def test_a_temperature_goes_into_the_rows():
    cut = find_cut(Ending(ENDS["softmax at a temperature"]).eval(), 4, None, X)
    torch.testing.assert_close(cut.weight, Ending().fc.weight.detach() / 3.7)


@pytest.mark.parametrize(
    "end",
    [
        lambda net, x: logits(net, x) + net.side(net.stem(x)),
        lambda net, x: (logits(net, x) + net.side(net.stem(x))) / 2,
        lambda net, x: logits(net, x) + net.prior,
        lambda net, x: (logits(net, x) + 0.01 * net.prior).softmax(1),
        lambda net, x: logits(net, x) * torch.tensor([1.0, 1, 1, 1.01]),
        lambda net, x: logits(net, x).relu(),
        lambda net, x: -logits(net, x),
        lambda net, x: logits(net, x) ** 2,
        lambda net, x: logits(net, x) + torch.rand(len(x), 4),
        lambda net, x: logits(net, x) * torch.nan,
    ],
)
def test_what_changes_scores_is_refused(end):
    with pytest.raises(SettingError, match="not those of its layer 'side' or 'fc'"):
        find_cut(Ending(end).eval(), 4, None, X)


def test_an_auxiliary_head_is_passed_over():
    net = Ending(lambda net, x: (net.side(net.stem(x)), logits(net, x))[1]).eval()
    assert find_cut(net, 4, None, X).head == "fc"
    with pytest.raises(SettingError, match="pass head='fc'"):
        find_cut(net, 4, "side", X)


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
def test_weight_norm_is_worked_out_first():
    net = Ending().eval()
    net.fc = nn.utils.weight_norm(net.fc)
    net.fc.weight_g.data.mul_(2)  # the weight itself is of before
    cut = find_cut(net, 4, None, X)
    torch.testing.assert_close(cut.weight, 2 * Ending().fc.weight.detach())


def test_an_output_of_another_shape_is_named():
    with pytest.raises(SettingError, match=r"gives \(32, 5\) for 32 inputs, expected \(32, 4\)"):
        find_cut(Ending(lambda net, x: net.stem(x)).eval(), 4, None, X)
    with pytest.raises(DataError, match=r"cannot take inputs of shape \(32, 5\)"):
        find_cut(Ending().eval(), 4, None, X[:, :5])


def test_a_temperature_is_not_told_from_too_little():
    z = torch.tensor([[1.0, 2.0]], dtype=torch.double)
    assert factor(z, z) == 1 and factor(z, z.softmax(1)) == 1
    assert factor(z, z / 2) is None and factor(z, z + torch.tensor([0.0, 0.1])) is None
