from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import CLIPTokenizer

from semguide_emoji.scenes import World
from semguide_emoji.training.data import Batches
from semguide_emoji.training.text import build_tokenizer, tokenize
from support.refusals import refuses

CAPTIONS = Batches(World(), 64, 300, seed=5).scenes(0)[1]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> CLIPTokenizer:
    return build_tokenizer(CAPTIONS, tmp_path_factory.mktemp("tokenizer"), 900, 32)


@settings(max_examples=200, deadline=None)
@given(text=st.text())
def test_any_text_is_encoded_without_a_mark_in_the_middle(tokenizer: CLIPTokenizer, text: str):
    if any(mark in text.lower() for mark in ("<|startoftext|>", "<|endoftext|>")):
        return
    ids = tokenizer(text)["input_ids"]
    assert ids[0] == tokenizer.bos_token_id
    assert ids[-1] == tokenizer.eos_token_id
    assert tokenizer.bos_token_id not in ids[1:-1]
    assert tokenizer.eos_token_id not in ids[1:-1]


@pytest.mark.parametrize("text", ["größe 🚗", "日本語", "a red car's wheel, 12!", "\u0000\x7f", "Ünïcödé"])
def test_no_word_is_unknown(tokenizer: CLIPTokenizer, text: str):
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.eos_token_id not in ids[1:-1]
    assert str(tokenizer.decode(ids, skip_special_tokens=True)).replace(" ", "") == text.lower().replace(" ", "")


def test_common_words_are_one_token(tokenizer: CLIPTokenizer):
    assert len(tokenizer("a red car and a blue apple")["input_ids"]) == 2 + 7


def test_case_and_spaces_make_no_difference(tokenizer: CLIPTokenizer):
    assert tokenizer("A  Red\tCAR")["input_ids"] == tokenizer("a red car")["input_ids"]


def test_the_same_captions_give_the_same_tokenizer(tokenizer: CLIPTokenizer, tmp_path: Path):
    assert build_tokenizer(CAPTIONS, tmp_path, 900, 32).get_vocab() == tokenizer.get_vocab()


def test_ids_are_dense_and_no_more_than_asked_for(tokenizer: CLIPTokenizer):
    assert sorted(tokenizer.get_vocab().values()) == list(range(len(tokenizer)))
    assert 514 <= len(tokenizer) <= 900


def test_captions_are_padded_and_cut_to_the_length(tokenizer: CLIPTokenizer):
    ids = tokenize(tokenizer, ["a cat", "a red car and " * 40], "cpu")
    assert ids.shape == (2, 32)
    assert ids[0, 4:].tolist() == [tokenizer.pad_token_id] * 28
    assert ids[1, -1] == tokenizer.eos_token_id


def test_sizes_that_leave_no_room_are_refused(tmp_path: Path):
    with refuses("vocabulary", "must be at least 514"):
        build_tokenizer(CAPTIONS, tmp_path, 500, 32)
    with refuses("length", "must be at least 3"):
        build_tokenizer(CAPTIONS, tmp_path, 600, 2)
