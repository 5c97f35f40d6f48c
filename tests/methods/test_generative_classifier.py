"""The generative classifier: Bayes' rule on likelihoods; a model a class, that none other moves."""

from math import log, pi

import pytest
import torch

from evergrow.errors import SettingError
from evergrow.methods import GenerativeClassifier
from evergrow.nn.vae import VAE
from tests.methods.learners import attached as on_the_plane
from tests.methods.learners import task


def attached(**settings):
    return on_the_plane(GenerativeClassifier(hidden=3, latent=2, **settings), classes=0)


def run(method, x, y, old, total):
    method.grow(old, total)
    for terms in method.learn(task(x, y, old, total)):
        method.optimizer.zero_grad()
        terms["bound"].backward()
        method.optimizer.step()


def silent(centre):
    """Weights of an autoencoder whose code says nothing: a Gaussian of variance 1 / 4."""
    weights = {k: torch.zeros_like(v) for k, v in VAE(2, 3, 2).state_dict().items()}
    return weights | {"centre": torch.tensor(centre), "variance": torch.tensor(0.25)}


def test_scores_are_the_log_likelihoods_of_the_classes():
    method = attached()
    method.grow(0, 2)
    method.models = {"0": silent([0.0, 0.0]), "1": silent([1.0, 0.0])}
    method.spread = torch.tensor(2.0)
    scores = method.scores(torch.tensor([[2.0, 0.0]]))  # (1, 0) in units of the spread
    top = -log(2 * pi * 0.25)
    torch.testing.assert_close(scores, torch.tensor([[top - 1 / (2 * 0.25), top]]))


def test_each_class_has_a_model_of_its_own_that_later_classes_leave_alone():
    method = attached(epochs=1)
    run(method, [[1.0, 0.0], [3.0, 0.0]], [0, 1], 0, 2)
    before = {k: v.clone() for k, v in method.models["0"].items()}
    run(method, [[0.0, 5.0]], [2], 2, 3)
    assert sorted(method.models) == ["0", "1", "2"]
    assert all(torch.equal(before[k], v) for k, v in method.models["0"].items())


def test_a_class_that_returns_goes_on_from_its_own_weights():
    method = attached(epochs=1, lr=1e-9)
    run(method, [[1.0, 0.0]], [0], 0, 1)
    before = method.models["0"]["enter.weight"].clone()
    run(method, [[9.0, 0.0]], [0], 1, 1)
    torch.testing.assert_close(method.models["0"]["enter.weight"], before, atol=1e-6, rtol=0)


def test_the_unit_is_the_spread_of_the_first_task_and_stays():
    method = attached(epochs=1)
    run(method, [[0.0, 0.0], [4.0, 0.0]], [0, 1], 0, 2)  # variances 4 and 0
    torch.testing.assert_close(method.spread, torch.tensor(2.0).sqrt())
    run(method, [[100.0, 0.0], [0.0, 90.0]], [2, 2], 2, 3)
    torch.testing.assert_close(method.spread, torch.tensor(2.0).sqrt())
    assert method.models["1"]["centre"].tolist() == pytest.approx([4 / 2**0.5, 0.0])


def test_answers_never_change_and_an_announced_class_is_never_the_answer():
    method = attached(epochs=1)
    run(method, [[0.0, 0.0], [4.0, 0.0]], [0, 2], 0, 3)
    x = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
    scores = method.scores(x)
    assert torch.equal(scores, method.scores(x))
    assert scores[:, 1].isneginf().all() and scores[:, [0, 2]].isfinite().all()


def test_a_network_trained_elsewhere_is_refused():
    method = on_the_plane(GenerativeClassifier(), classes=3)
    with pytest.raises(SettingError, match="learnt elsewhere"):
        next(method.learn(task([[0.0, 0.0]], [3], 3, 4)))


@pytest.mark.parametrize("wrong", [{"hidden": 0}, {"latent": 0}, {"codes": 0}, {"lr": 0.0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError, match=f"{next(iter(wrong))}': 0"):
        GenerativeClassifier(**wrong)
