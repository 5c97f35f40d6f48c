"""The body of a sentence encoder: how features come about, and by which tokenizer."""

import numpy as np
import pytest
import torch

from evergrow.backbones import sentence_encoder
from evergrow.errors import ModelError

from .encoders import TEXTS, WORDS, network

pytest.importorskip("sentence_transformers")


def many(n):
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(WORDS[2:], rng.integers(1, 7))) for _ in range(n)]


def test_the_first_features_are_the_embedding_of_sentence_transformers(tiny):
    from sentence_transformers import SentenceTransformer

    net, ids = network(tiny)
    theirs = SentenceTransformer(tiny, device="cpu").encode(TEXTS)
    features = net.steady(ids(TEXTS))
    assert features.shape == (6, 3 * 8) == (6, net.width)
    assert np.allclose(features[:, :8].numpy(), theirs, atol=1e-6)
    parts = features.reshape(6, 3, 8).norm(dim=2)
    assert torch.allclose(parts, torch.ones(6, 3))


def test_one_depth_is_the_embedding_alone(tiny):
    net, ids = network(tiny, depths=1)
    deep, _ = network(tiny)
    assert net.width == 8
    assert torch.equal(net.steady(ids(TEXTS)), deep.steady(ids(TEXTS))[:, :8])


def test_features_do_not_depend_on_the_batch(tiny):
    net, ids = network(tiny)
    x = ids(many(200))
    whole = net.steady(x)
    for rows in torch.randperm(200, generator=torch.Generator().manual_seed(1)).split(7):
        assert torch.equal(net.steady(x[rows]), whole[rows])
    assert torch.equal(net.steady(x[3:4]), whole[3:4])


def test_short_texts_are_computed_short(tiny):
    net, ids = network(tiny)
    shapes = []
    net.backbone.transformer.register_forward_pre_hook(
        lambda module, _, given: shapes.append(tuple(given["input_ids"].shape)), with_kwargs=True
    )
    net.steady(ids(["cat", "cat dog red sun moon", "dog"]))
    limit = 6
    tokens = sentence_encoder.TOKENS
    assert shapes == [(tokens // 4, 4), (tokens // 8, limit)]


def test_what_stands_in_padded_positions_has_no_share(tiny):
    net, ids = network(tiny)
    x = ids(["cat dog", "cat dog red sun"])
    net.backbone.pad = 0
    first = net.backbone(x)
    net.backbone.pad = 5  # another word stands there, masked all the same
    assert torch.allclose(first, net.backbone(x), atol=1e-6)


def test_another_tokenizer_is_refused(tiny):
    net, ids = network(tiny)
    changed = bytes(net.backbone.tokenizer.tolist()).replace(b"sun", b"son")
    net.backbone.tokenizer = torch.frombuffer(bytearray(changed), dtype=torch.uint8)
    with pytest.raises(ModelError, match="texts would mean something else"):
        ids(["rain"])
