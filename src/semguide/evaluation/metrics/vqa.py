"""Questions to a picture: VQAScore (arXiv 2404.01291), BLIP-VQA (arXiv 2307.06350), and those of a suite."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from semguide.errors import InvalidArgument
from semguide.evaluation.suites import Question

if TYPE_CHECKING:
    from PIL.Image import Image

_LONGEST = 35
"""Tokens of a question, as in T2I-CompBench's code."""
_DROPPED = re.compile(r'[.!"()*#:;~]')


class Answerer:
    """A BLIP that answers questions about pictures.

    Args:
        folder: What transformers' BlipForQuestionAnswering and BlipProcessor read.
        device: torch device.

    Raises:
        InvalidArgument: Its tokenizer has no single token for "yes" or "no".
    """

    def __init__(self, folder: Path, device: str) -> None:
        import transformers

        library: Any = transformers
        model = library.BlipForQuestionAnswering.from_pretrained(folder, use_safetensors=True, local_files_only=True)
        self._model = model.to(device).eval()
        self._processor = library.BlipProcessor.from_pretrained(folder, local_files_only=True)
        self._yes, self._no = (self._token(word, folder) for word in ("yes", "no"))

    def _token(self, word: str, folder: Path) -> int:
        tokenizer = self._processor.tokenizer
        ids: list[int] = tokenizer(word, add_special_tokens=False)["input_ids"]
        if len(ids) != 1 or ids[0] == tokenizer.unk_token_id:
            raise InvalidArgument(
                "folder",
                f"must hold a model with one token for {word!r}",
                folder,
                "give a BLIP trained for question answering",
            )
        return ids[0]

    @torch.no_grad()
    def yes(self, image: Image, questions: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Ask questions about a picture, each alone: no padding, so none depends on another.

        Args:
            image: A picture of any size.
            questions: At least one.

        Returns:
            Probabilities of the answers "yes" and "no", each (questions,), among all first tokens of an answer.
        """
        pixels = self._processor.image_processor(image.convert("RGB"), return_tensors="pt")["pixel_values"]
        seen = self._model.vision_model(pixel_values=pixels.to(self._model.device))[0]
        first = torch.stack([self._answered(seen, self._ids(question))[0] for question in questions])
        probabilities = first.float().softmax(dim=-1).cpu()
        return probabilities[:, self._yes], probabilities[:, self._no]

    @torch.no_grad()
    def probabilities(self, image: Image, asked: Sequence[tuple[str, Sequence[str]]]) -> list[Tensor]:
        """Return how likely whole answers are, word by word to their end.

        Args:
            image: A picture of any size.
            asked: Questions with the answers in question, at least one each.

        Returns:
            Of each question the probabilities of its answers, (answers,).
        """
        pixels = self._processor.image_processor(image.convert("RGB"), return_tensors="pt")["pixel_values"]
        seen = self._model.vision_model(pixel_values=pixels.to(self._model.device))[0]
        found: list[Tensor] = []
        for question, answers in asked:
            read = self._model.text_encoder(input_ids=self._ids(question), encoder_hidden_states=seen)[0]
            found.append(torch.stack([self._likelihood(read, answer) for answer in answers]))
        return found

    def _likelihood(self, read: Tensor, answer: str) -> Tensor:
        """Return the probability of an answer, the mark that ends it included."""
        tokenizer, config = self._processor.tokenizer, self._model.config.text_config
        words: list[int] = tokenizer(answer.lower(), add_special_tokens=False)["input_ids"]
        given = torch.tensor([[config.bos_token_id, *words]], device=read.device)
        wanted = torch.tensor([*words, config.sep_token_id], device=read.device)
        logits = self._model.text_decoder(input_ids=given, encoder_hidden_states=read).logits[0].float()
        return logits.log_softmax(dim=-1).gather(1, wanted[:, None]).sum().exp().cpu()

    def _ids(self, question: str) -> Tensor:
        """Token ids (1, length), begun with BLIP's mark of an encoded text, the one after the mark that starts answers.

        transformers leaves the tokenizer's own mark there; the models were trained with this one.
        """
        text = self._model.config.text_config
        options: dict[str, Any] = {"truncation": True, "max_length": _LONGEST, "return_tensors": "pt"}
        ids: Tensor = self._processor.tokenizer(_plain(question), **options)["input_ids"].to(self._model.device)
        if text.bos_token_id + 1 < text.vocab_size:
            ids[:, 0] = text.bos_token_id + 1
        return ids

    def _answered(self, seen: Tensor, ids: Tensor) -> Tensor:
        """Return the logits of an answer's first token, (1, vocabulary)."""
        model = self._model
        read = model.text_encoder(input_ids=ids, encoder_hidden_states=seen)[0]
        start = torch.full((1, 1), model.config.text_config.bos_token_id, device=ids.device)
        return model.text_decoder(input_ids=start, encoder_hidden_states=read).logits[:, 0]


def vqa_score(answerer: Answerer, image: Image, text: str) -> float:
    """Return P(yes) to 'Does this figure show "text"?' (arXiv 2404.01291, eq. 1), 0 to 1."""
    return float(answerer.yes(image, [f'Does this figure show "{text}"?'])[0][0])


def blip_vqa(answerer: Answerer, image: Image, phrases: Sequence[str]) -> float:
    """Ask for each noun phrase alone, "phrase?", and multiply (arXiv 2307.06350, section 4.1).

    Args:
        answerer: A BLIP.
        image: A picture.
        phrases: Noun phrases of the prompt, at least one.

    Returns:
        Product over phrases of P(yes) / (P(yes) + P(no)), as in the official code, 0 to 1.
    """
    yes, no = answerer.yes(image, [f"{phrase}?" for phrase in phrases])
    return float((yes / (yes + no)).prod())


def question_scores(answerer: Answerer, image: Image, questions: Sequence[Question]) -> list[float]:
    """Answer a benchmark's questions about a picture.

    Args:
        answerer: What answers.
        image: A picture.
        questions: At least one.

    Returns:
        Of each: among choices, 1 where the right one is the most likely (TIFA, DSG, DPG-Bench), else 0, and 0 where a
        question that it needs is wrong; without choices the probability of the answer (Soft-TIFA of GenEval 2).
    """
    asked = [(question.text, question.choices or (question.answer,)) for question in questions]
    scores: list[float] = []
    for question, found in zip(questions, answerer.probabilities(image, asked), strict=True):
        if question.choices:
            scores.append(float(question.choices[int(found.argmax())] == question.answer))
        else:
            scores.append(float(found[0]))
    for place, question in enumerate(questions):
        if any(scores[needed] == 0 for needed in question.needs):
            scores[place] = 0.0
    return scores


def _plain(question: str) -> str:
    """Prepare a question as BLIP's own code does: lower case, without marks other than "?"."""
    return _DROPPED.sub("", question.lower()).rstrip()
