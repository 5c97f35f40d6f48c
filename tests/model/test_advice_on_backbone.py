"""Rules on the backbone: where each warns, what it warns of happens; else all is well."""

import pytest
import torch
from torch import nn

from evergrow import GrowingClassifier, backbones, methods
from evergrow.model.advice_on_backbone import ProbeResult, weak_backbone

from .taught_digits import ALL, XT, YT, X, Y, learnt, recall, said


def trained() -> nn.Module:
    """A network that tells five digits apart."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 5))
    x, y = torch.from_numpy(X[Y < 5]), torch.from_numpy(Y[Y < 5])
    optimizer = torch.optim.Adam(net.parameters(), 0.01)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
    return net


def test_a_backbone_that_nothing_trains_gives_poor_features():
    random = learnt("lda", ALL, backbone=backbones.get("mlp", hidden=(16,)))
    plain = learnt("lda", ALL, backbone="none")
    assert "untrained-backbone" in said(random) and said(plain) == {}
    assert recall(random) < recall(plain) - 0.1
    adapting = learnt("ranpac", ALL, backbone="mlp", adapt=True)
    assert "untrained-backbone" not in said(adapting) and recall(adapting) > recall(random)


@pytest.mark.parametrize("method", ["lda", "ridge"])
def test_a_tiny_penalty_fails_where_there_are_as_many_features_as_samples(method):
    flat, rules, scores = X.reshape(-1, 64), [], []
    for n, settings in ((60, {"penalty": 1e-6}), (60, {}), (1000, {"penalty": 1e-6})):
        model = GrowingClassifier("none", methods.get(method, **settings))
        model.partial_fit(flat[:n], Y[:n])
        scores.append(model.score(XT.reshape(-1, 64), YT))
        rules.append("more-features-than-samples" in said(model))
    assert rules == [True, False, False] and scores[0] < scores[1] - 0.1 < scores[2]


@pytest.mark.parametrize(
    "features, trained, held, warns",
    [(0.5, 0.9, 200, True), (0.9, 0.92, 2000, False), (0.5, 0.7, 10, False), (0.9, 0.5, 99, False)],
)
def test_a_gain_of_training_counts_where_it_is_more_than_chance(features, trained, held, warns):
    found = weak_backbone(ProbeResult(features, trained, held, 10, "mlp"))
    assert (found is not None) == warns
