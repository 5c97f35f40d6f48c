"""What tests share: one thread, as tiny tensors gain nothing from more, and a model that grew."""

import os

import pytest
import torch

from tests.growing import grow

torch.set_num_threads(1)
os.environ["EVERGROW_CACHE"] = "0"  # nobody's real cache is touched, by processes begun here either


@pytest.fixture(scope="session")
def grown(tmp_path_factory):
    """A model folder of three versions; not to be changed."""
    return grow(tmp_path_factory.mktemp("grown") / "model")
