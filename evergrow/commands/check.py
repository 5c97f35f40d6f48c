"""Run the contract that every method satisfies on one of the user's own."""

from .open_model import Answer


def check(method: str) -> Answer:
    """Run the contract of `checks.py` on a method, named MODULE:CLASS.  Raises ContractError."""
    from .. import methods
    from ..checks import check_method

    tested = methods.get(method)
    check_method(tested)
    return {"method": methods.name_of(tested), "passed": True}
