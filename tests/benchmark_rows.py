"""Rows of a benchmark that nobody ran, for tests of what shows them."""

from evergrow.bench.results import COLUMNS


def row(method="er", seed=0, **values):
    defaults = {
        "scenario": "digits-5x2",
        "method": method,
        "seed": seed,
        "settings": {"memory": 200},
        "backbone": "mlp",
        "parameters": {"epochs": 2, "backbone": {"hidden": [400]}},
        "last": 0.5,
        "average": 0.75,
        "seconds": 2.0,
        "key": f"{method}{seed}{values}",
        "time": "2026",
    }
    return dict.fromkeys(COLUMNS) | defaults | values
