"""What every method has from its base: settings, what is remembered, a fork."""

from dataclasses import dataclass

import pytest
import torch

from evergrow.errors import SettingError
from evergrow.methods import ER, Method
from tests.methods.learners import attached, task


@dataclass(eq=False)
class Counting(Method):
    step: int = 1

    def setup(self):
        self.count, self._scratch = 0, 9
        self.parts = {"a": [torch.zeros(2)]}

    def learn(self, task):
        self.count += self.step
        self.parts["a"][0] += 1


def test_fields_are_settings_attributes_are_remembered_and_underscores_forgotten():
    method = attached(Counting(step=3))
    method.learn(task([[0.0, 0.0]], [0], 0, 1))
    assert method.settings() == {"step": 3} and method.fresh().settings() == {"step": 3}
    assert set(method.state()) == {"moments", "count", "parts"} and method.state()["count"] == 3
    twin = attached(Counting())
    twin.fill(method.state())
    assert twin.count == 3 and twin.parts["a"][0].tolist() == [1.0, 1.0] and twin.step == 1


def test_what_a_fork_learns_leaves_weights_rows_and_memory_as_they_were():
    method = attached(Counting(), classes=2)
    twin = method.fork(method.how, method.rng)
    twin.grow(2, 4)
    with torch.no_grad():
        twin.net.head.weight += 1
    twin.learn(task([[0.0, 0.0]], [0], 0, 1))
    assert twin.net.n_classes == 4 and twin.count == 1
    assert method.net.n_classes == 2 and not method.net.head.weight.any()
    assert method.count == 0 and method.parts["a"][0].tolist() == [0.0, 0.0]


def test_only_a_method_with_a_memory_is_given_samples_to_remember():
    samples = task([[1.0, 0.0]], [0], 0, 1)
    with pytest.raises(SettingError, match="Counting keeps no samples"):
        attached(Counting()).remember(samples)
    rehearsal = attached(ER(memory=5))
    rehearsal.remember(samples)
    assert rehearsal.past.x.tolist() == [[1.0, 0.0]] and rehearsal.past.given == 1


def test_settings_change_before_it_is_attached_and_others_are_named():
    assert Counting().set_params(step=2).get_params() == {"step": 2}
    with pytest.raises(SettingError, match="has no setting 'steps'; it has: step"):
        Counting().set_params(steps=2)
