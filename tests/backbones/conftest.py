"""A sentence encoder so small that it is made in a moment."""

import pytest
import torch

from .encoders import WORDS


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A folder with a sentence encoder of 2 layers, 8 features, 10 words, at most 6 tokens."""
    import tokenizers
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder, inner = tmp_path_factory.mktemp("tiny"), tmp_path_factory.mktemp("inner")
    ids = {word: i for i, word in enumerate(WORDS)}
    plain = tokenizers.Tokenizer(tokenizers.models.WordLevel(ids, unk_token="[UNK]"))
    plain.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(tokenizer_object=plain, pad_token="[PAD]", unk_token="[UNK]")
    fast.save_pretrained(inner)
    sizes = {"hidden_size": 8, "intermediate_size": 16, "max_position_embeddings": 6}
    layers = {"num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": len(WORDS)}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        BertModel(BertConfig(**sizes, **layers)).save_pretrained(inner)
    parts = [Transformer(str(inner), max_seq_length=6), Pooling(8, "mean"), Normalize()]
    SentenceTransformer(modules=parts, device="cpu").save(str(folder), create_model_card=False)
    return str(folder)
