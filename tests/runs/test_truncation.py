from types import SimpleNamespace

from semguide.runs.truncation import cut_off
from support.tiny_checkpoint import tiny_tokenizer

PIPE = SimpleNamespace(tokenizer=tiny_tokenizer())  # reads 75 letters


def test_a_prompt_at_the_limit_is_read_whole():
    assert cut_off(PIPE, "a" * 75) == ""


def test_what_is_over_the_limit_is_given_as_written():
    assert cut_off(PIPE, "a" * 75 + "Äx") == "Äx"


def test_with_two_tokenizers_the_one_that_reads_more_decides():
    longer = tiny_tokenizer()
    longer.model_max_length = 100
    assert cut_off(SimpleNamespace(tokenizer=PIPE.tokenizer, tokenizer_2=longer), "a" * 90) == ""
    assert cut_off(SimpleNamespace(tokenizer=None, tokenizer_2=PIPE.tokenizer), "a" * 90) == "a" * 15


def test_a_pipeline_without_tokenizer_cuts_nothing_that_is_known():
    assert cut_off(SimpleNamespace(), "a" * 900) == ""
