"""Features on disk: found by a later process, of this network and this sample alone."""

import copy
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from evergrow import GrowingClassifier, methods
from evergrow.backbones.custom import Own, Wrapped
from evergrow.commands import learn
from evergrow.errors import SettingError
from evergrow.model.options import How
from evergrow.nn import feature_store
from evergrow.nn.feature_cache import FeatureCache
from evergrow.nn.feature_store import FILE, FeatureStore, name
from evergrow.nn.network import Inputs, Network
from evergrow.storage import environment
from evergrow.storage.disk_cache import SqliteCache
from tests.nn.test_feature_cache import learner, rows_of


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache of its own, in which features of any network are kept."""
    monkeypatch.setenv("EVERGROW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(feature_store, "WORTH", 0.0)
    return tmp_path / "cache"


@pytest.fixture
def data():
    pytest.importorskip("timm")
    x = torch.randint(0, 256, (24, 3, 32, 32), dtype=torch.uint8)
    return x, torch.arange(24) % 2


def frozen(method="finetune", **settings):
    return learner(method, freeze=True, **settings)


SCRIPT = """
import hashlib, torch
from evergrow import GrowingClassifier
from evergrow.nn.network import Network
steady, rows = Network.steady, []
Network.steady = lambda net, x, *scale: (rows.append(len(x)), steady(net, x, *scale))[1]
x = torch.randint(0, 256, (12, 3, 40, 40), dtype=torch.uint8,
                  generator=torch.Generator().manual_seed(0))
model = GrowingClassifier("efficientnet_lite0", "finetune", freeze=True, epochs=2)
model.partial_fit(x, torch.arange(12) % 3)
print(sum(rows), hashlib.sha256(model.net_.head.weight.detach().numpy().tobytes()).hexdigest())
"""


def test_a_second_process_computes_no_sample_again_and_learns_the_same(folder):
    def run():
        return subprocess.check_output([sys.executable, "-c", SCRIPT], text=True).split()

    (first, weights), (second, same) = run(), run()
    assert (first, second) == ("12", "0") and weights == same


def test_another_method_or_learning_rate_finds_what_is_there(folder, data, monkeypatch):
    assert rows_of(frozen(), *data, monkeypatch) == 1 + 24, "one example shows its width"
    assert rows_of(frozen(lr=0.001, epochs=5), *data, monkeypatch) == 1
    assert rows_of(frozen(methods.ER(memory=8, replay=8)), *data, monkeypatch) == 1
    x, y = data
    more = torch.cat([x, 255 - x[:4]]), torch.cat([y, y[:4]])
    assert rows_of(frozen(batch_size=28), *more, monkeypatch) == 1 + 8, "4 new ones in a block"


def test_other_weights_and_other_sizes_find_nothing(folder, data, monkeypatch):
    rows_of(frozen(), *data, monkeypatch)
    assert rows_of(frozen(random_state=1), *data, monkeypatch) == 1 + 24
    assert rows_of(frozen(image_size=48), *data, monkeypatch) == 1 + 24


def test_the_weights_learnt_are_the_same_bit_for_bit_as_without(folder, data, monkeypatch):
    kept = [frozen().partial_fit(*data) for _ in range(2)]
    monkeypatch.setenv("EVERGROW_CACHE", "0")
    without = frozen().partial_fit(*data)
    assert all(torch.equal(m.net_.head.weight, without.net_.head.weight) for m in kept)


def network():
    body = Wrapped(nn.Linear(2, 3, bias=False), 3)
    body.thread_safe = True
    torch.nn.init.ones_(body.module.weight)
    return Network(body, Inputs("table", [0.0, 0.0], [1.0, 1.0])).eval()


def weights(net, monkeypatch):
    net.backbone.module.weight.data[0, 0] += 1e-7


def normalisation(net, monkeypatch):
    net.inputs.mean[0] += 1e-7


def precision(net, monkeypatch):
    net.precision = torch.bfloat16


def code(net, monkeypatch):
    monkeypatch.setattr(environment, "code", lambda: "other")


def library(net, monkeypatch):
    monkeypatch.setattr(
        environment, "version", lambda package: "other" if package == "timm" else "1"
    )


def processor(net, monkeypatch):
    monkeypatch.setattr(environment, "cpu", lambda: "other")


def arithmetic(net, monkeypatch):
    monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: "medium")


CHANGES = [weights, normalisation, precision, code, library, processor, arithmetic]


@pytest.mark.parametrize("change", CHANGES)
def test_the_name_is_another_where_a_bit_of_the_features_may_be(change, monkeypatch):
    monkeypatch.setattr(environment, "version", lambda package: "1")
    net = network()
    before = name(net, "made")
    change(net, monkeypatch)
    assert name(net, "made") != before


def test_the_name_is_of_what_a_network_was_built_from():
    assert name(network(), {"layers": 1}) != name(network(), {"layers": 2})
    assert name(network(), {"layers": (1, 2)}) == name(network(), {"layers": [1, 2]}), "as loaded"


def test_threads_matter_only_where_they_share_a_sum(monkeypatch):
    apart, together = network(), network()
    together.backbone.thread_safe = False
    before = name(apart, ""), name(together, "")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    assert (name(apart, "") == before[0], name(together, "") == before[1]) == (True, False)


def test_weights_that_change_while_it_is_open_make_it_forget(folder):
    net, shelf = network(), SqliteCache(folder / FILE)
    for weight in (2.0, 3.0, 2.0):
        with torch.no_grad():
            net.backbone.module.weight.fill_(weight)
        cache = FeatureCache(beyond=FeatureStore(shelf, net, ""))
        assert cache.take(net.backbone, torch.ones(1, 2), net.steady).tolist() == [[2 * weight] * 3]
        with torch.no_grad():
            net.backbone.module.weight.fill_(9.0)
        assert cache.take(net.backbone, torch.ones(1, 2), net.steady).tolist() == [[18.0] * 3]
    shelf.close()


def test_a_row_of_another_length_is_passed_over(folder):
    shelf = SqliteCache(folder / FILE)
    disk = FeatureStore(shelf, network(), "")
    disk.renew()
    disk.put({b"a": torch.ones(2), b"b": torch.tensor([1.0, torch.nan, -0.0])}, 1.0)
    found = disk.find([b"a", b"b"])
    assert list(found) == [b"b"] and str(found[b"b"].tolist()) == "[1.0, nan, -0.0]"
    shelf.close()


def test_rows_that_are_quick_to_compute_are_not_kept(folder, monkeypatch):
    monkeypatch.setattr(feature_store, "WORTH", 1e-3)
    shelf = SqliteCache(folder / FILE)
    disk = FeatureStore(shelf, network(), "")
    disk.put({b"a": torch.ones(3), b"b": torch.ones(3)}, 0.0019)
    assert disk.find([b"a", b"b"]) == {}
    disk.put({b"a": torch.ones(3), b"b": torch.ones(3)}, 0.0021)
    assert len(disk.find([b"a", b"b"])) == 2
    shelf.close()


@pytest.mark.parametrize("damaged", [True, False])
def test_a_cache_that_cannot_be_used_is_a_warning_and_no_failure(
    folder, damaged, data, monkeypatch
):
    if damaged:
        folder.mkdir()
        (folder / FILE).write_bytes(bytes(range(256)) * 99)
    else:
        folder.touch()
    model = frozen()
    assert rows_of(model, *data, monkeypatch) == 1 + 24
    assert len(model.update_["warnings"]) == 1
    assert "feature cache" in model.update_["warnings"][0]


@pytest.mark.parametrize("off", ["", "0"])
def test_an_empty_variable_or_0_switches_it_off(off, data, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVERGROW_CACHE", off)
    monkeypatch.setattr(feature_store, "WORTH", 0.0)
    assert feature_store.cache_folder() is None
    for _ in range(2):
        assert rows_of(frozen(), *data, monkeypatch) == 1 + 24
    assert not list(tmp_path.iterdir())


def test_it_lies_in_the_users_cache_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("EVERGROW_CACHE")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda app, appauthor: tmp_path / app)
    assert feature_store.cache_folder() == tmp_path / "evergrow"
    monkeypatch.setenv("EVERGROW_CACHE", "~/elsewhere")
    assert (
        feature_store.cache_folder().name == "elsewhere"
        and feature_store.cache_folder().is_absolute()
    )


@pytest.mark.parametrize("private", [False, True])
def test_nothing_stays_of_a_model_that_is_to_keep_no_samples(folder, tmp_path, private):
    how = How(
        {"backbone": "efficientnet_lite0", "method": "finetune", "freeze": True, "epochs": 1},
        keep_no_samples=private,
    )
    rng = np.random.default_rng(0)
    for chunk, labels in enumerate(("ab", "cd")):
        for label in labels:
            where = tmp_path / str(chunk) / label
            where.mkdir(parents=True)
            image = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
            Image.fromarray(image).save(where / "1.png")
        learn.learn(tmp_path / "model", tmp_path / str(chunk), how if chunk == 0 else How())
        assert (folder / FILE).exists() is not private


def test_nothing_is_kept_of_a_network_of_your_own(folder, data, monkeypatch):
    own = Own(nn.Sequential(nn.AvgPool2d(8), nn.Flatten()))
    build = own.build

    def built(form, rng):
        body = build(form, rng)
        body.pretrained = True
        return body

    monkeypatch.setattr(own, "build", built)
    GrowingClassifier(own, "finetune", freeze=True, epochs=2).partial_fit(*data)
    assert not folder.exists()


@pytest.mark.parametrize("settings", [{"method": "lda"}, {"method": "finetune", "epochs": 1}])
def test_what_is_computed_once_or_moves_is_not_kept(folder, data, settings):
    model = learner(**settings).partial_fit(*data)
    model.predict(data[0])
    assert not folder.exists()


def test_a_model_that_has_learnt_holds_no_open_file(folder, data):
    model = frozen().partial_fit(*data)
    assert model.learner_.level is None
    assert copy.deepcopy(model).partial_fit(*data).classes_.tolist() == [0, 1]


def test_a_learn_that_fails_lets_the_file_go(folder, data, monkeypatch):
    def fails(*_):
        raise SettingError("no")

    model = frozen().partial_fit(*data)
    with monkeypatch.context() as patched:
        patched.setattr("evergrow.training.loop.step", fails)
        with pytest.raises(SettingError):
            model.partial_fit(*data)
    assert model.learner_.level is None


def test_files_that_nothing_reads_any_more_are_removed(tmp_path):
    old = tmp_path / feature_store.BEFORE[0]
    old.write_bytes(b"old")
    feature_store.remove_old(tmp_path)
    feature_store.remove_old(tmp_path / "gone")
    assert not old.exists()
