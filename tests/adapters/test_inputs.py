"""What text encoders read of a prompt: the limits of each family, the encoder that reads furthest, one warning."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from semguide import CFG, SGT, Concept, SemguideWarning, steer
from semguide.adapters.inputs import TextReader, Truncation, text_readers, truncations
from semguide.adapters.pipelines.families.registry import ARCHITECTURES, tokenizers_of
from semguide.adapters.pipelines.text_encoding import readers_of
from support.families.run import made
from support.tiny.calls import call, fresh
from support.tiny.tokenizers import byte_tokenizer, clip_tokenizer, word_tokenizer

WORDS = "a red book and a yellow vase on the old table"
CLIP = TextReader(clip_tokenizer(), 20)  # a token per letter, and two for start and end


def readers(pipe: Any, **arguments: Any) -> dict[int, TextReader]:
    """Return the readers of a pipeline by their limit."""
    return {reader.limit: reader for reader in readers_of(pipe, ARCHITECTURES[type(pipe).__name__].text, arguments)}


def concept(text: str, prompt: str) -> Concept:
    start = prompt.index(text)
    return Concept(text, span=(start, start + len(text)))


@pytest.mark.parametrize(
    ("name", "arguments", "limits"),
    [
        ("sd", {}, [77]),
        ("sdxl", {}, [77]),
        ("sd3", {}, [77, 256]),
        ("sd3", {"max_sequence_length": 48}, [48, 77]),
        ("flux", {}, [77, 512]),
        ("flux", {"max_sequence_length": 32}, [32, 77]),
    ],
)
def test_every_encoder_of_a_family_has_its_own_limit(name: str, arguments: dict[str, Any], limits: list[int]) -> None:
    assert sorted(readers(made(name), **arguments)) == limits


def test_an_encoder_that_is_not_loaded_reads_nothing() -> None:
    pipe = fresh(made("sd3"))
    pipe.text_encoder_3 = None
    assert list(readers(pipe)) == [77]


def test_a_number_in_the_table_is_the_limit() -> None:
    (reader,) = text_readers(SimpleNamespace(tokenizer=byte_tokenizer()), {"tokenizer": 128}, {})
    assert reader.limit == 128


def test_an_encoder_that_knows_no_word_does_not_count() -> None:
    silent = TextReader(silent_tokenizer(), 256)
    assert not silent.knows(WORDS)
    (found,) = truncations([silent, CLIP], [WORDS], [[]])
    assert found.limit == CLIP.limit


def silent_tokenizer() -> Any:
    """Return a tokenizer in the way of emoji-flow's T5, which has no vocabulary."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.WordLevel({"<pad>": 0, "</s>": 1, "<unk>": 2}, unk_token="<unk>"))
    return PreTrainedTokenizerFast(tokenizer_object=core, unk_token="<unk>", model_max_length=256)


@pytest.mark.parametrize(
    ("tokenizer", "text", "limit", "read"),
    [
        (clip_tokenizer(), "aaa bbb ccc", 11, "aaa bbb ccc"),
        (clip_tokenizer(), "aaa bbb ccc", 10, "aaa bbb"),
        (clip_tokenizer(), "aaa bbb ccc", 8, "aaa bbb"),
        (clip_tokenizer(), "aaa, bbb", 6, "aaa,"),
        (clip_tokenizer(), "aaaaaaaa", 5, ""),
        (byte_tokenizer(), "aaa bbb ccc", 8, "aaa bbb"),
        (word_tokenizer(WORDS, ("<pad>", "<end>")), WORDS, 4, "a red book and"),
    ],
)
def test_a_text_is_read_up_to_the_last_whole_word(tokenizer: Any, text: str, limit: int, read: str) -> None:
    assert text[: TextReader(tokenizer, limit).read(text)] == read


def test_what_is_cut_off_and_the_concepts_in_it_are_told_once() -> None:
    concepts = [concept("a red book", WORDS), concept("a yellow vase", WORDS), Concept("a very long concept, too long")]
    (found,) = truncations([CLIP], [WORDS], [concepts])
    assert found == Truncation(20, "vase on the old table", ("a yellow vase", "a very long concept, too long"))
    assert str(found.warning) == (
        "the text encoder reads 20 tokens, which cuts off 'vase on the old table'; it does not know 'a yellow vase', "
        "'a very long concept, too long'; shorten the prompt"
    )


def test_the_encoder_that_reads_furthest_decides() -> None:
    assert truncations([CLIP, TextReader(byte_tokenizer(), 64)], [WORDS], [[concept("a yellow vase", WORDS)]]) == []
    (found,) = truncations([CLIP, TextReader(byte_tokenizer(), 30)], [WORDS], [[]])
    assert (found.limit, found.cut) == (30, "on the old table")


def test_prompts_within_the_limit_or_without_an_encoder_are_not_told_of() -> None:
    assert truncations([CLIP], ["a red cat", "", None], [[Concept("a red cat")], [], []]) == []
    assert truncations([], [WORDS], [[]]) == []
    (found,) = truncations([CLIP], [None], [[Concept("a red book on the old table")]])
    assert (found.cut, found.concepts) == ("", ("a red book on the old table",))


@pytest.mark.parametrize("rule", [CFG(), SGT()])
def test_steer_warns_once_whatever_the_rule(sd: Any, rule: Any) -> None:
    with pytest.warns(SemguideWarning, match="reads 77 tokens, which cuts off 'more and") as told:
        call(steer(sd, rule), "a red book " + "and more " * 20, concepts=["a red book"], num_inference_steps=1)
    assert len([warning for warning in told if warning.category is SemguideWarning]) == 1


def test_guiders_know_the_limits_of_their_families() -> None:
    from diffusers import StableDiffusion3AutoBlocks, ZImageAutoBlocks

    assert tokenizers_of(StableDiffusion3AutoBlocks()) == ARCHITECTURES["StableDiffusion3Pipeline"].text.tokenizers
    assert tokenizers_of(ZImageAutoBlocks()) == {"tokenizer": "max_sequence_length"}
