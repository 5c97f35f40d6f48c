"""The contract of a backbone, held by those that are built without another library."""

import pytest
import torch

from evergrow import backbones
from evergrow.data.read import Seen
from evergrow.errors import SettingError

IMAGE = Seen("image", channels=3, sizes=((20, 20),))
TABLE = Seen("table", shape=(7,))


@pytest.mark.parametrize("name", ["patches", "convnet", "resnet32", "mlp", "none"])
def test_width_is_what_comes_out(name):
    backbone = backbones.get(name)
    form = backbone.prepare(IMAGE)
    body = backbone.build(form, torch.Generator().manual_seed(0)).eval()
    out = body(torch.rand(3, 3, 20, 20))
    assert out.shape == (3, body.width) and out.isfinite().all()


@pytest.mark.parametrize("name", ["mlp", "none", "fourier"])
def test_tables_too(name):
    backbone = backbones.get(name)
    body = backbone.build(backbone.prepare(TABLE), torch.Generator().manual_seed(0))
    assert body(torch.rand(3, 7)).shape == (3, body.width)


@pytest.mark.parametrize("name", ["patches", "convnet", "resnet32"])
def test_images_are_asked_for_where_a_table_came(name):
    with pytest.raises(SettingError, match="table"):
        backbones.get(name).prepare(TABLE)


@pytest.mark.parametrize("name", ["convnet", "mlp", "fourier", "resnet32"])
def test_weights_come_from_the_generator_alone(name):
    backbone = backbones.get(name)
    form = backbone.prepare(TABLE if name == "fourier" else IMAGE)
    a, b, c = (backbone.build(form, torch.Generator().manual_seed(s)) for s in (0, 0, 1))
    a, b, c = (torch.cat([t.flatten() for t in m.state_dict().values()]) for m in (a, b, c))
    assert torch.equal(a, b) and not torch.equal(a, c)
