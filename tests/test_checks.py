"""Each check, with the broken method that it catches: a check that kills nothing is not one."""

import random
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from evergrow import methods
from evergrow.checks import CHECKS, check_method
from evergrow.errors import ContractError
from evergrow.methods import FineTune
from evergrow.training.losses import cross_entropy


class MovesAColumn(FineTune):
    def grow(self, old, total):
        super().grow(old, total)
        self.net.head.extend(self.net.head.weight.data[:1], torch.zeros(1))  # one row too many


class TakesNoStep(FineTune):
    def learn(self, task):
        self.net.backbone.forward = self.net.backbone.forward  # looks busy
        return


class NeedsTwo(FineTune):
    def learn(self, task):
        for batch in self.batches(task):
            spread = batch.x.std(0, correction=1)  # NaN for one example
            yield {"new": cross_entropy(self.net(batch.x), batch.y) * spread.mean() / spread.mean()}


class NewClassesOnly(FineTune):
    def learn(self, task):
        if task.total == task.old:
            raise ValueError("no class is new")
        return super().learn(task)


class ScoresWithoutAsking(FineTune):
    def setup(self):
        self.names = 0

    def learn(self, task):
        self.names = max(self.names, len(task.classes))
        yield from super().learn(task)

    def scores(self, x):
        return self.net(x)[:, : self.names]  # forgets what was announced


class ReadsTheGlobalGenerator(FineTune):
    def learn(self, task):
        for batch in self.batches(task):
            noise = 1 + 0.01 * np.random.default_rng(random.randrange(9**9)).normal()
            yield {"new": noise * cross_entropy(self.net(batch.x), batch.y)}


class MovesTheGlobalGenerator(FineTune):
    def scores(self, x):
        torch.rand(1)
        return self.net(x)


class LearnsWhilePredicting(FineTune):
    def setup(self):
        self.asked = torch.zeros(())

    def scores(self, x):
        self.asked += 1
        return self.net(x)


@dataclass(eq=False)
class CountsInASetting(FineTune):
    tasks: int = 0

    def learn(self, task):
        self.tasks += 1
        return super().learn(task)


class RemembersWhatNoStoreKeeps(FineTune):
    def fork(self, how, rng):
        twin = super().fork(how, rng)
        twin._tasks = getattr(self, "_tasks", 0) + 1  # an underscore: not stored
        return twin

    def learn(self, task):
        yield from super().learn(task)
        self.net.head.bias.data += getattr(self, "_tasks", 0)


class ServesHalf(FineTune):
    def setup(self):
        self.shift = torch.zeros(())  # a server never hears of it

    def learn(self, task):
        yield from super().learn(task)
        self.shift = self.shift + 1

    def scores(self, x):
        return self.net(x) * (1 + self.shift)


class ForgetsItsMomentum(FineTune):
    def learn(self, task):
        yield from super().learn(task)
        self.net.backbone.steps = getattr(self.net.backbone, "steps", 0) + 1
        if self.how.boundary == "new classes" and self.net.backbone.steps % 3 == 0:
            self.net.head.bias.data += 1  # depends on what no store keeps


class LearnsOnTheModelThatAnswers(FineTune):
    def fork(self, how, rng):
        return self


class ThawsTheBackbone(FineTune):
    def learn(self, task):
        for batch in self.batches(task):
            with torch.no_grad():
                for p in self.net.backbone.parameters():
                    p += 0.01
            yield {"new": cross_entropy(self.net(batch.x), batch.y)}


MUTANTS = {
    "check_classes_grow_in_order_of_arrival": MovesAColumn,
    "check_it_learns": TakesNoStep,
    "check_one_example_is_a_task": NeedsTwo,
    "check_old_classes_may_return": NewClassesOnly,
    "check_an_announced_class_has_no_score": ScoresWithoutAsking,
    "check_same_seed_same_model": ReadsTheGlobalGenerator,
    "check_global_generators_stay": MovesTheGlobalGenerator,
    "check_predicting_changes_nothing": LearnsWhilePredicting,
    "check_settings_never_change": CountsInASetting,
    "check_save_and_load_go_on_identically": RemembersWhatNoStoreKeeps,
    "check_serving_alone_predicts": ServesHalf,
    "check_a_stream_goes_on_identically": ForgetsItsMomentum,
    "check_a_failed_update_changes_nothing": LearnsOnTheModelThatAnswers,
    "check_a_frozen_backbone_stays": ThawsTheBackbone,
}


def test_every_check_has_its_mutant():
    assert set(MUTANTS) == set(CHECKS)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CHECKS)
def test_the_check_kills_its_mutant(name):
    with pytest.raises(Exception):  # noqa: B017  (whatever way it breaks)
        CHECKS[name](MUTANTS[name]())


def test_the_failing_check_is_named():
    with pytest.raises(ContractError, match="MovesAColumn fails check_classes_grow"):
        check_method(MovesAColumn())


def test_a_whole_method_passes():
    check_method(methods.get("er"))
