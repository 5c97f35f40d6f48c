"""The small convolutional network."""

import pytest
import torch

from evergrow import backbones
from evergrow.backbones.convnet import Blocks, halved
from evergrow.errors import SettingError


def test_an_image_is_halved_as_long_as_it_has_two_rows_and_columns():
    x = torch.arange(6.0).reshape(1, 1, 2, 3)
    assert halved(x).tolist() == [[[[4.0]]]]
    assert halved(x[..., :1]).tolist() == x[..., :1].tolist()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (28, 28)])
def test_images_of_any_size_have_four_times_as_many_features_as_filters(size):
    body = Blocks(3, 4, torch.Generator().manual_seed(0)).eval()
    assert body(torch.rand(2, 3, *size)).shape == (2, 16) and body.width == 16


def test_a_network_without_filters_is_refused():
    with pytest.raises(SettingError, match="base=0"):
        backbones.get("convnet", base=0)
