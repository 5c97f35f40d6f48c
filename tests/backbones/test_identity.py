"""No backbone: inputs are features."""

import pytest
import torch

from evergrow import backbones
from evergrow.backbones.identity import shape_of
from evergrow.data.read import Seen


@pytest.mark.parametrize(
    ("seen", "shape", "scale"),
    [
        (Seen("image", channels=3, sizes=((2, 4),)), (3, 2, 4), 127.0),  # pixels lie in 0..1
        (Seen("table", shape=(5,)), (5,), 127 / 4),  # columns mostly within four deviations
        (Seen("tensor", shape=(2, 3)), (2, 3), None),  # fixed by the first rows
    ],
)
def test_inputs_are_features_as_they_are(seen, shape, scale):
    backbone = backbones.get("none")
    form = backbone.prepare(seen)
    body = backbone.build(form, torch.Generator())
    assert shape_of(form) == shape and body.scale == scale and not body.trains
    x = torch.rand(2, *shape)
    assert torch.equal(body(x), x.reshape(2, -1)) and body.width == x[0].numel()
