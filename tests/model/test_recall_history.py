"""Recalls over the life of a model: when learnt, at best, who fell and to whom."""

import json

import numpy as np
import pytest

from evergrow import GrowingClassifier, load
from evergrow.commands import versions
from evergrow.model.recall_history import LEFT_OUT, carried, in_words, since_learnt

LABELS = ["cat", "dog", "lynx"]


def test_the_first_recall_stays_and_the_best_rises():
    past = carried({"recalls": {"cat": [0.8, 0.9]}, "report": None}, LABELS, [0.95, 0.5, None])
    assert past == {"cat": [0.8, 0.95], "dog": [0.5, 0.5]}
    last = {"recalls": past, "report": {"per_class": {"lynx": 1.0, "cat": 0.1}}}
    later = carried(last, LABELS, None)
    assert later == {"cat": [0.8, 0.95], "dog": [0.5, 0.5], "lynx": [1.0, 1.0]}
    assert past == {"cat": [0.8, 0.95], "dog": [0.5, 0.5]}, "what came in has changed"
    assert carried({}, [], None) == {}


def test_who_fell_furthest_stands_first_with_its_newcomers():
    past = {"cat": [0.8, 0.9], "dog": [1.0, 1.0], "gone": [1.0, 1.0]}
    confusion = [("cat", "dog", 1), ("cat", "lynx", 3), ("dog", "cat", 2), ("dog", "dog", 9)]
    told = since_learnt(past, LABELS, 2, [0.4, 0.9, 0.7], confusion)
    assert [entry["label"] for entry in told["fallen"]] == ["cat", "dog"]
    assert told["fallen"][0] == {
        "label": "cat", "first": 0.8, "best": 0.9, "after": 0.4,
        "to": [["lynx", 3], ["dog", 1]], "newcomers": [["lynx", 3], ["dog", 1]],
    }  # fmt: skip
    assert told["fallen"][1]["newcomers"] == [] and told["fallen"][1]["to"] == [["cat", 2]]
    assert told["first"] == {"cat": 0.8, "dog": 1.0, "lynx": 0.7}
    assert told["best"] == {"cat": 0.9, "dog": 1.0, "lynx": 0.7}
    assert told["old_first"] == pytest.approx(0.9) and told["old_best"] == pytest.approx(0.95)


def test_rounding_is_no_fall_and_what_was_not_judged_is_not_told():
    told = since_learnt({"cat": [0.6, float(np.float32(0.6))]}, LABELS, 2, [0.6, None, 1.0], [])
    assert told["fallen"] == [] and "dog" not in told["best"]
    assert since_learnt({}, [], 0, [], [])["old_first"] is None


def test_why_is_said_where_it_is_known():
    entry = {"label": "cat", "first": 0.8, "best": 0.9, "after": 0.4, "to": [["dog", 1]]}
    exact = in_words(entry | {"newcomers": [["lynx", 3]]}, {"by": LEFT_OUT, "before": {}})
    assert exact == (
        "cat: 80.0 % when learnt, 90.0 % at best, 40.0 % now; its sums are as they were, newcomers "
        "compete for its samples: lynx (3)"
    )


def test_a_model_remembers_over_updates_and_a_second_process(tmp_path):
    rng = np.random.default_rng(0)
    centres = {0: (0, 0), 1: (6, 0), 2: (1.2, 0), 3: (-1.2, 0)}

    def samples(c):
        return rng.normal(centres[c], 0.5, (60, 2)), np.full(60, c)

    model = GrowingClassifier("none", "lda", validation=20)
    first = [np.concatenate(part) for part in zip(samples(0), samples(1), strict=True)]
    model.partial_fit(*first)
    alone = model.assess()
    assert alone["first"] == alone["per_class"] and alone["fallen"] == []
    model.save(tmp_path)
    model = load(tmp_path)
    for c in (2, 3):
        model.partial_fit(*samples(c))
        told = model.assess()
        model.save(tmp_path)
        model = load(tmp_path)
    assert told["first"]["0"] == alone["per_class"]["0"] > told["per_class"]["0"]
    worst = told["fallen"][0]
    assert worst["label"] == "0" and {label for label, _ in worst["newcomers"]} <= {"2", "3"}
    assert told["old_first"] >= told["old"]
    shown = versions.show(tmp_path)["recalls"]
    assert shown["when_learnt"]["0"] == told["first"]["0"]
    assert json.dumps(model.update_["recalls"])
