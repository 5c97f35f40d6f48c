"""One thing to know before training, as JSON; forecasts stay within 0 and 1."""

import json

from evergrow.model.advice_entry import Advice, clipped


def test_advice_is_plain_json_of_all_its_fields():
    advice = Advice("few-samples", "too few.", (0.2, 0.5), ("more",), of="new classes")
    assert json.loads(json.dumps(advice.plain())) == {
        "rule": "few-samples",
        "text": "too few.",
        "forecast": [0.2, 0.5],
        "remedies": ["more"],
        "of": "new classes",
    }
    assert Advice("imbalance", "uneven.").plain()["forecast"] is None


def test_forecasts_are_shares():
    assert clipped(-0.2, 1.3) == (0.0, 1.0)
    assert clipped(0.12345, 0.5) == (0.123, 0.5)
