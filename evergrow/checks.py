"""What every method must satisfy. `check_method(MyMethod())` runs it all, for third parties too.

tests/test_checks.py holds, for each check, a broken method that it catches.
"""

import random
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .errors import ContractError
from .methods.base import Method
from .model.classifier import GrowingClassifier, load
from .storage import flatten


def blobs(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Five classes in the plane, 50 points each, well apart: (250, 2) float32, (250,) labels."""
    rng = np.random.default_rng(seed)
    centres = np.array([(0, 8), (8, 0), (-8, 0), (0, -8), (6, 6)])
    y = np.arange(250) % 5
    X = (centres[y] + rng.normal(size=(250, 2))).astype(np.float32)
    return X, np.array(list("cadbe"))[y]


def net() -> nn.Module:
    """Shared weights matter: on a bare head, springs and teachers would have nothing to do."""
    return nn.Sequential(nn.Linear(2, 16), nn.ReLU())


def fresh(method: Method, **parameters: Any) -> GrowingClassifier:
    """A small classifier that learns by this method."""
    return GrowingClassifier(net, method, **{"epochs": 3, "lr": 0.01, **parameters})


def of(y: np.ndarray, labels: str) -> np.ndarray:
    """Which rows have one of these labels."""
    return np.isin(y, list(labels))


def remembered(model: GrowingClassifier) -> dict[str, Tensor]:
    """Everything a model remembers, as tensors by name."""
    _, tensors, samples = flatten.flatten(model.learner_.state())
    weights = {f"net.{k}": v.clone() for k, v in model.net_.state_dict().items()}
    inputs = {f"{k}.x": v.x for k, v in samples.items()}
    columns = {f"{k}.y": v.y for k, v in samples.items()}
    return {k: v.clone() for k, v in {**tensors, **inputs, **columns}.items()} | weights


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    """Whether two models remember the same, bit for bit."""
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def check_classes_grow_in_order_of_arrival(method: Method) -> None:
    """New labels are sorted within a chunk and appended; one that sorts first moves no column."""
    X, y = blobs()
    model = fresh(method)
    for k in ("cd", "a", "be"):
        model.partial_fit(X[of(y, k)], y[of(y, k)])
    assert model.classes_.tolist() == list("cdabe"), f"classes_ is {model.classes_.tolist()}"
    assert model.predict_proba(X).shape == (250, 5)


def check_it_learns(method: Method) -> None:
    """One easy task is learnt, and so is a second one on top."""
    X, y = blobs()
    model = fresh(method, epochs=10, lr=0.02).partial_fit(X[of(y, "ca")], y[of(y, "ca")])
    first = model.score(X[of(y, "ca")], y[of(y, "ca")])
    assert first > 0.9, f"accuracy {first:.2f} on a first task of two distant classes"
    new = of(y, "de")
    model.partial_fit(X[new], y[new])
    best = model.predict_proba(X[new])[:, 2:].argmax(1)
    second = (model.classes_[2:][best] == y[new]).mean()
    assert second > 0.9, f"accuracy {second:.2f} among the classes of a second task"


def check_one_example_is_a_task(method: Method) -> None:
    """One sample at a time, each of a new class; one class alone is a model too."""
    X, y = blobs()
    model = fresh(method)
    for i in range(3):
        model.partial_fit(X[i : i + 1], y[i : i + 1])
        scores = model.scores(X)
        assert scores.shape == (250, i + 1) and np.isfinite(scores).all(), "scores are not finite"


def check_old_classes_may_return(method: Method) -> None:
    """A later chunk may hold old classes, alone or beside new ones."""
    X, y = blobs()
    model = fresh(method).partial_fit(X[of(y, "ca")], y[of(y, "ca")])
    model.partial_fit(X[of(y, "cd")], y[of(y, "cd")]).partial_fit(X[of(y, "a")], y[of(y, "a")])
    assert model.classes_.tolist() == ["a", "c", "d"]
    assert np.isfinite(model.predict_proba(X)).all()


def check_an_announced_class_has_no_score(method: Method) -> None:
    """A class named by `classes=` and never seen is never answered."""
    X, y = blobs()
    rows = of(y, "cd")
    model = fresh(method).partial_fit(X[rows], y[rows], classes=list("acd"))
    shares = model.predict_proba(X)
    assert (shares[:, model.classes_.tolist().index("a")] == 0).all(), "it has a probability"
    rows = of(y, "a")
    model.partial_fit(X[rows], y[rows])
    assert (model.predict_proba(X)[:, model.classes_.tolist().index("a")] > 0).any()


def check_same_seed_same_model(method: Method) -> None:
    """The same seed gives the same model, whatever the global generators hold."""
    X, y = blobs()
    models = []
    for seed in (1, 2):
        before = torch.random.get_rng_state(), random.getstate(), np.random.get_state()
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed)
        models.append(fresh(method).partial_fit(X[:100], y[:100]).partial_fit(X[100:], y[100:]))
        torch.random.set_rng_state(before[0])
        random.setstate(before[1])
        np.random.set_state(before[2])
    assert same(*map(remembered, models)), "two runs of one seed remember different things"


def check_global_generators_stay(method: Method) -> None:
    """torch's, numpy's and Python's generators are as before after learning and predicting."""
    X, y = blobs()
    before = torch.random.get_rng_state(), random.getstate(), str(np.random.get_state())
    model = fresh(method).partial_fit(X[:100], y[:100]).partial_fit(X[100:], y[100:])
    model.predict(X)
    assert torch.equal(before[0], torch.random.get_rng_state()), "torch's generator moved"
    assert before[1] == random.getstate(), "Python's generator moved"
    assert before[2] == str(np.random.get_state()), "numpy's generator moved"


def check_predicting_changes_nothing(method: Method) -> None:
    """Not the state, not the network, not the input; the same question gets the same answer."""
    X, y = blobs()
    model = fresh(method).partial_fit(X, y)
    copy, before = X.copy(), remembered(model)
    a, b = model.predict_proba(X), model.predict_proba(X)
    assert (a == b).all(), "the same question got two answers"
    assert (X == copy).all(), "the input changed"
    assert same(before, remembered(model)), "what is remembered changed"


def check_settings_never_change(method: Method) -> None:
    """Fields are settings: learning leaves them alone, in the caller's object and the model's."""
    X, y = blobs()
    before = repr(method)
    model = fresh(method).partial_fit(X[:100], y[:100]).partial_fit(X[100:], y[100:])
    assert repr(method) == before, "the caller's object changed"
    assert model.learner_.settings() == method.settings(), "the model's settings changed"


def check_save_and_load_go_on_identically(method: Method) -> None:
    """learn, save, load, learn is learn, learn: bit for bit."""
    X, y = blobs()
    first, second = of(y, "cad"), of(y, "bec")
    model = fresh(method)
    for k in "cad":
        model.partial_fit(X[y == k], y[y == k])
    with tempfile.TemporaryDirectory() as folder:
        model.save(folder)
        twin = load(folder, backbone=net, method=type(method))
    assert (model.predict_proba(X[first]) == twin.predict_proba(X[first])).all(), "answers differ"
    assert same(remembered(model), remembered(twin)), "what is remembered differs"
    for m in (model, twin):
        m.partial_fit(X[second], y[second])
    assert same(remembered(model), remembered(twin)), "after another task the models differ"
    assert (model.predict_proba(X) == twin.predict_proba(X)).all()


def check_serving_alone_predicts(method: Method) -> None:
    """A server reads less (`learning=False`) and answers the same, bit for bit."""
    X, y = blobs()
    model = fresh(method)
    for k in ("ca", "d"):
        model.partial_fit(X[of(y, k)], y[of(y, k)])
    with tempfile.TemporaryDirectory() as folder:
        model.save(folder)
        server = load(folder, backbone=net, method=type(method), learning=False)
    assert (model.predict_proba(X) == server.predict_proba(X)).all(), "a server answers differently"


def check_a_stream_goes_on_identically(method: Method) -> None:
    """The same in a stream (`boundary="new classes"`), optimizer state included."""
    X, y = blobs()
    model = fresh(method, boundary="new classes", epochs=1, batch_size=8)
    for rows in np.split(np.arange(80), 8):
        model.partial_fit(X[rows], y[rows])
    with tempfile.TemporaryDirectory() as folder:
        model.save(folder)
        twin = load(folder, backbone=net, method=type(method))
    for m in (model, twin):
        for rows in np.split(np.arange(80, 120), 8):
            m.partial_fit(X[rows], y[rows])
    assert same(remembered(model), remembered(twin)), "the stream that was saved went another way"


def check_a_failed_update_changes_nothing(method: Method) -> None:
    """A failed update leaves the model as it was, and able to learn on as if nothing had been."""
    X, y = blobs()
    first, second = of(y, "ca"), of(y, "de")
    model = fresh(method).partial_fit(X[first], y[first])
    twin = fresh(method).partial_fit(X[first], y[first])
    before, calls = remembered(model), [0]

    def fail(*_: Any) -> None:
        calls[0] += 1
        if calls[0] > 3:
            raise KeyboardInterrupt

    hook = model.net_.backbone.register_forward_hook(fail)
    try:
        model.partial_fit(X[second], y[second])
        raise AssertionError("the update was not interrupted: it never used the backbone")
    except KeyboardInterrupt:
        pass
    finally:
        hook.remove()
    assert model.classes_.tolist() == ["a", "c"], "classes of the failed update stayed"
    assert same(before, remembered(model)), "what is remembered changed"
    for m in (model, twin):
        m.partial_fit(X[second], y[second])
    assert same(remembered(model), remembered(twin)), (
        "the next update differs from an undisturbed one"
    )


def check_a_frozen_backbone_stays(method: Method) -> None:
    """`freeze=True`: no weight and no batch-norm statistic of the backbone moves."""
    X, y = blobs()

    def normed() -> nn.Module:
        return nn.Sequential(nn.Linear(2, 16), nn.BatchNorm1d(16), nn.ReLU())

    model = GrowingClassifier(normed, method, epochs=5, lr=0.05, freeze=True)
    model.partial_fit(X[of(y, "ca")], y[of(y, "ca")])
    before = {k: v.clone() for k, v in model.net_.backbone.state_dict().items()}
    model.partial_fit(X[of(y, "d")], y[of(y, "d")])
    after = model.net_.backbone.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before), "the frozen backbone moved"


CHECKS: dict[str, Callable[[Method], None]] = {
    name: function for name, function in list(globals().items()) if name.startswith("check_")
}


def check_method(method: Method) -> None:
    """Run every check.  Raises ContractError, naming the check, if `method` breaks the contract.

    >>> from evergrow import methods
    >>> check_method(methods.FineTune())
    """
    for name, check in CHECKS.items():
        try:
            check(method)
        except Exception as error:
            raise ContractError(f"{type(method).__name__} fails {name}: {error!r}") from error
