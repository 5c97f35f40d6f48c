"""Whatever a stranger writes into a manifest or a table of tensors, the answer is one of ours."""

import os
from collections import Counter
from random import Random

import pytest

from . import figures
from .manifests import KINDS, Attack, mutated, paths

MUTATIONS = int(os.environ.get("EVERGROW_MANIFESTS", "24"))
MANY = 500  # mutations, from which on each is tried with one call of all


@pytest.fixture(scope="module")
def attack(tmp_path_factory):
    return Attack(tmp_path_factory.mktemp("attack"))


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", KINDS)
def test_no_foreign_error_comes_of_a_mutated_manifest(attack, kind):
    rng, foreign, calls = Random(f"{kind} {MUTATIONS}"), Counter(), 0
    figures.code_run()
    for _ in range(MUTATIONS // len(KINDS)):
        made, found = attack.tried(kind, rng, all_calls=MUTATIONS < MANY)
        calls, foreign = calls + made, foreign + found
    run = figures.code_run()
    figures.add("mutated manifests", calls, foreign=foreign.total(), code_run=run)
    assert run == 0
    assert not foreign, "\n".join(f"{n} x {what}" for what, n in foreign.most_common(20))


def test_mutations_are_changes_at_any_depth():
    manifest = {"a": {"b": [1, {"c": "x"}]}, "n": 1}
    assert {*paths(manifest)} == {("a",), ("a", "b"), ("a", "b", 0), ("a", "b", 1),
                                  ("a", "b", 1, "c"), ("n",)}  # fmt: skip
    changed = [mutated(manifest, Random(i)) for i in range(200)]
    assert sum(new != manifest for new, _ in changed) > 180
    assert manifest == {"a": {"b": [1, {"c": "x"}]}, "n": 1}
    assert {at for _, at in changed} >= {("n",), ("a", "b", 1, "c")}
