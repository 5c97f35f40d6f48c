"""A classifier led through a scenario; a stand-in whose answers are known by hand."""

import numpy as np
import pytest
from PIL import Image

from evergrow import GrowingClassifier, backbones
from evergrow.bench import evaluation
from evergrow.bench.benchmark_data import BenchmarkData
from evergrow.bench.task_streams import Cut
from evergrow.data import read
from evergrow.data.readers import image_files


class Last:
    """Answers with the first class of its last call of partial_fit, sure by 0.8; counts calls."""

    def __init__(self):
        self.classes_, self.calls, self.asked = np.array([], np.int64), [], []
        self.model = None

    def partial_fit(self, chunk):
        found = np.unique(chunk.labels)
        self.classes_ = np.concatenate([self.classes_, np.setdiff1d(found, self.classes_)])
        self.answer = found[0]
        self.calls.append(chunk.labels.tolist())
        self.update_ = {"warnings": ["it parrots"], "advice": [f"look at {self.answer}"]}

    def predict(self, chunk):
        self.asked.append(set(chunk.labels.tolist()))
        return np.full(len(chunk), self.answer)

    def predict_proba(self, chunk):
        shares = np.full((len(chunk), len(self.classes_)), 0.2 / (len(self.classes_) - 1))
        shares[:, self.classes_ == self.answer] = 0.8
        return shares


@pytest.fixture
def parts(monkeypatch):
    monkeypatch.setattr(
        evaluation.serialize, "parts", lambda model: {"serving": {"w": np.zeros(8)}}
    )


def table(labels):
    return read.read(np.arange(float(len(labels)))[:, None], labels)


def stream(**changes):
    data = BenchmarkData(table([0, 1, 2, 3] * 2), table([0, 1, 1, 1, 2, 3]))
    return evaluation.stream(data, Cut(2, shuffled=False, **changes), seed=0)


def test_the_matrix_is_what_was_answered_after_each_task(parts):
    found = evaluation.learn_stream(Last(), stream())
    assert found["matrix"] == [[0.25, 0.0], [0.0, 0.5]]
    assert found["sizes"] == [4, 2]
    assert found["last"] == pytest.approx(1 / 6)
    assert found["average"] == pytest.approx((0.25 + 1 / 6) / 2)
    assert (found["old"], found["new"], found["forgetting"]) == (0.0, 0.5, 0.25)
    assert (found["backward"], found["forward"]) == (-0.25, 0.0)


def test_answers_at_the_end_give_recalls_confusion_and_calibration(parts):
    found = evaluation.learn_stream(Last(), stream())
    assert found["per_class"] == {"0": 0.0, "1": 0.0, "2": 1.0, "3": 0.0}
    assert found["mean_recall"] == 0.25
    assert found["confusion"] == [["0", "2", 1], ["1", "2", 3], ["2", "2", 1], ["3", "2", 1]]
    assert found["calibration"] == [[pytest.approx(0.8), pytest.approx(1 / 6), 6]]
    assert found["calibration_error"] == pytest.approx(0.8 - 1 / 6)
    assert found["bytes_kept"] == 64


def test_classes_that_the_model_has_not_met_are_not_asked_about(parts):
    model = Last()
    evaluation.learn_stream(model, stream())
    assert {0, 1} in model.asked and {0, 1, 2, 3} not in model.asked[:2]


def test_a_stream_comes_in_batches_and_each_sample_once(parts):
    model, shares = Last(), []
    evaluation.learn_stream(model, stream(batch=3), shares.append)
    assert [len(labels) for labels in model.calls] == [3, 1, 3, 1]
    assert sorted(label for labels in model.calls for label in labels) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert shares == [0.25, 0.5, 0.75, 1.0]


def test_warnings_and_advice_are_told_once(parts):
    found = evaluation.learn_stream(Last(), stream())
    assert found["warnings"] == ["it parrots"]
    assert found["advice"] == ["look at 0", "look at 2"]


def test_a_model_that_diverged_is_named_and_counts_as_wrong(parts):
    class Diverged(Last):
        def predict_proba(self, chunk):
            return np.full((len(chunk), len(self.classes_)), np.nan)

    found = evaluation.learn_stream(Diverged(), stream())
    assert evaluation.DIVERGED in found["warnings"]
    assert found["calibration_error"] == pytest.approx(found["last"])


def test_data_without_a_test_part_has_one_held_out():
    data = BenchmarkData(table([0, 1, 2, 3] * 10))
    given = evaluation.stream(data, Cut(2), seed=1)
    held = {float(x[0]) for x in given.data.test.take(np.arange(len(given.data.test)))}
    learnt = {float(x[0]) for x in given.data.train.take(np.arange(len(given.data.train)))}
    assert len(held) == 8 and len(learnt) == 32 and not held & learnt


def test_conditions_change_what_is_learnt_and_what_is_asked():
    x = np.full((40, 4, 4), 90, np.uint8)
    data = BenchmarkData(read.read(x, [0, 1] * 20))
    given = evaluation.stream(data, Cut(conditions=("dark", "inverted")), seed=0)
    levels = {"dark": 30, "inverted": 165}
    for chunk, tasks in (
        (given.data.train, given.scenario.train),
        (given.data.test, given.scenario.test),
    ):
        for rows, name in zip(tasks, given.scenario.conditions, strict=True):
            assert {int(p.max()) for p in chunk.take(rows)} == {levels[name]}


def test_forward_transfer_of_domains_is_over_guessing(parts):
    x = np.full((40, 4, 4), 90, np.uint8)
    data = BenchmarkData(read.read(x, [0, 1] * 20))
    given = evaluation.stream(data, Cut(conditions=("dark", "inverted")), seed=0)
    found = evaluation.learn_stream(Last(), given)
    assert found["forward"] == pytest.approx(found["matrix"][0][1] - 0.5)


def test_pictures_are_decoded_before_and_once(tmp_path, monkeypatch):
    for label in "ab":
        (tmp_path / label).mkdir()
        for i in range(5):
            Image.new("L", (8, 8), 40 * i + 10).save(tmp_path / label / f"{i}.png")
    given = evaluation.stream(BenchmarkData(read.read(tmp_path)), Cut(1), seed=0)
    model = GrowingClassifier(method="ncm", backbone="none")
    evaluation.decode_ahead(given, backbones.get("none").prepare(given.data.train.seen))
    monkeypatch.setattr(image_files, "decode", None)  # whoever calls it fails
    evaluation.learn_stream(model, given)


def test_a_real_classifier_gives_the_accuracies_that_its_score_gives():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2, 3], 30)
    x = (np.eye(4)[y] + rng.normal(0, 0.4, (120, 4))).astype(np.float32)
    given = evaluation.stream(BenchmarkData(read.read(x, y)), Cut(2), seed=0)
    model = GrowingClassifier(method="ncm", backbone="none")
    found = evaluation.learn_stream(model, given)
    assert found["last"] == pytest.approx(model.score(given.data.test))
    assert found["peak_bytes"] > 0 and found["bytes_kept"] > 0 and found["seconds"] > 0
