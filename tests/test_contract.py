"""The contract, run on every method unasked."""

import pytest

from evergrow import methods
from evergrow.checks import CHECKS


@pytest.mark.parametrize("name", [entry.name for entry in methods.ENTRIES])
@pytest.mark.parametrize("check", CHECKS)
def test_contract(check, name):
    CHECKS[check](methods.get(name))
