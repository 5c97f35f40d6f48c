"""Whoever asks while a model learns gets the answer of an update that was finished."""

import os
import threading

import numpy as np
import pytest
import torch
from torch import nn

from evergrow import GrowingClassifier
from tests.faults import figures

ASKERS, UPDATES = 8, 200
rng = np.random.default_rng(0)
Y = np.arange(2 * UPDATES) % 4
X = (4 * np.eye(4)[Y] + rng.normal(size=(len(Y), 4))).astype(np.float32)
TEST = X[:40]


def closed_form():
    return GrowingClassifier("none", "lda")


def rehearsal():
    return GrowingClassifier("mlp", "er", epochs=1, lr=0.01)


def adopted():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))
    return GrowingClassifier.adopt(network, range(4), method="er", epochs=1, lr=0.01)


def updates(model):
    """The model after each update of two samples."""
    for i in range(0, len(Y), 2):
        yield model.partial_fit(X[i : i + 2], Y[i : i + 2])


@pytest.mark.parametrize("begin", [closed_form, rehearsal, adopted])
def test_every_answer_beside_two_hundred_updates_is_that_of_a_finished_one(begin):
    expected = [model.predict_proba(TEST).tobytes() for model in updates(begin())]
    model, answers, over = begin(), set(), threading.Event()
    learnt = updates(model)
    next(learnt)

    def ask():
        while not over.is_set():
            answers.add(model.predict_proba(TEST).tobytes())

    askers = [threading.Thread(target=ask) for _ in range(ASKERS)]
    for asker in askers:
        asker.start()
    for _ in learnt:
        pass
    over.set()
    for asker in askers:
        asker.join()
    assert answers and answers <= set(expected)
    assert model.predict_proba(TEST).tobytes() == expected[-1]
    assert model.counts_.sum() == len(Y)
    figures.add("threads", ASKERS * UPDATES)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked there")
@pytest.mark.parametrize("begin", [closed_form, rehearsal, adopted])
def test_a_process_that_is_forked_while_others_ask_and_learn_answers_too(begin):
    model = begin().partial_fit(X[:40], Y[:40])
    expected, over = model.predict_proba(TEST), threading.Event()

    def ask():
        while not over.is_set():
            model.predict_proba(TEST)

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    try:
        for _ in range(3):
            child = os.fork()
            if child == 0:
                torch.set_num_threads(1)
                os._exit(int(not np.array_equal(model.predict_proba(TEST), expected)))
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        over.set()
        for asker in askers:
            asker.join()
