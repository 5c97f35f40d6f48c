"""The contract, run on a method that is named by its module and class."""

import pytest

from evergrow.commands import check
from evergrow.errors import ContractError, SettingError

MINE = """
from dataclasses import dataclass

from evergrow.methods import FineTune


@dataclass(eq=False)
class Mine(FineTune):
    "Fine-tuning by another name."


@dataclass(eq=False)
class Forgetful(FineTune):
    "Says that it keeps nothing, whatever it learnt."

    def learn(self, task):
        pass
"""


@pytest.fixture(autouse=True)
def module(tmp_path, monkeypatch):
    (tmp_path / "methods_to_check.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)


def test_a_method_that_keeps_the_contract_passes():
    name = "methods_to_check:Mine"
    assert check.check(name) == {"method": name, "passed": True}


def test_a_method_that_learns_nothing_does_not():
    with pytest.raises(ContractError):
        check.check("methods_to_check:Forgetful")


def test_a_method_that_is_not_there_is_named():
    with pytest.raises(SettingError, match="NoSuch"):
        check.check("methods_to_check:NoSuch")
