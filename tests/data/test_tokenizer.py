"""Texts as token ids: what is padded, what is cut and counted, what is read only once."""

import pytest
import torch

from evergrow.data import read
from evergrow.data.tokenizer import PAD, Tokens
from evergrow.errors import DataError

tokenizers = pytest.importorskip("tokenizers")

WORDS = {"[UNK]": 0, "cat": 1, "dog": 2, "red": 3, "now": 4}


def words():
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(WORDS, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return made


def chunk(*texts):
    return read.read(list(texts), need_labels=False)


def test_short_texts_are_padded_and_long_ones_cut():
    found = Tokens(chunk("cat dog", "dog red cat now", "bird"), words(), 3)
    x = found.take(torch.tensor([0, 1, 2]))
    assert x.tolist() == [[1, 2, PAD], [2, 3, 1], [0, PAD, PAD]]
    assert x.dtype == torch.int32 and found.cut == 1


def test_a_text_that_just_fits_is_not_cut():
    assert Tokens(chunk("cat dog red"), words(), 3).cut == 0


def test_a_subset_counts_its_own_texts_and_reads_them_only_once():
    whole = chunk("cat dog red", "cat", "dog dog dog")
    assert Tokens(whole, words(), 2, key="a").cut == 2
    part = Tokens(whole.subset([1, 2]), None, 2, key="a")  # no tokenizer: nothing is left to read
    assert part.cut == 1 and part.take(torch.tensor([1, 0])).tolist() == [[2, 2], [1, PAD]]


def test_a_prompt_stands_before_each_text_and_white_space_is_dropped():
    found = Tokens(chunk("  cat\n"), words(), 3, "red ")
    assert found.take(torch.tensor([0])).tolist() == [[3, 1, PAD]]


def test_a_text_without_a_token_is_named():
    with pytest.raises(DataError, match="row 1 is a text without a token"):
        Tokens(chunk("cat", " "), words(), 3)
