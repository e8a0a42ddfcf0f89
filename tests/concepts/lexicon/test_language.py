from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from semguide.concepts import decompose, why_none

FOREIGN = (
    "mot con ga do dung tren ban va mot con vit",
    "hai cai ghe xanh trong phong",
    "eey cad oo ku fadhiya kursi iyo bisad",
    "inja emnyama ehlezi phezu kwetafula nekati",
    "ein gelber Vogel und eine blaue Schale auf dem Stuhl",
    "طائر أصفر ووعاء أزرق",
    "黄色い鳥と青い皿",
    "一只黄色的鸟和一个蓝色的碗",
    "желтая птица и синяя миска",
    "un oiseau jaune et un bol bleu",
    "un pájaro amarillo y un cuenco azul",
    "een gele vogel en een blauwe kom",
    "seekor burung kuning di atas meja",
    "sarı bir kuş ve mavi bir kase",
)
ENGLISH = (
    "Hatsune Miku",
    "Geralt of Rivia",
    "sumo wrestlers eating takoyaki in Dotonbori",
    "a señorita with a piñata",
    "samurai, katana, kimono, onsen",
    "a bowl of phở beside banh mi",
    "a tram in lisbon, 1935",
)


@pytest.mark.parametrize("prompt", FOREIGN)
def test_a_prompt_in_another_language_gives_no_concept_and_says_why(prompt: str) -> None:
    assert decompose(prompt) == []
    assert "English only; name the concepts, or use the llm back end" in why_none(prompt)


@pytest.mark.parametrize("prompt", ENGLISH)
def test_foreign_names_and_loan_words_are_not_refused(prompt: str) -> None:
    assert decompose(prompt)


def test_why_none_is_empty_where_there_are_concepts_and_helps_where_there_are_none() -> None:
    assert why_none("a red car") == ""
    assert why_none("beautiful, 8k") == "no concepts found in this prompt; name the concepts, or use the llm back end"
    assert "empty" in why_none("  ")
    assert "no concepts found" in why_none("a red car", looked=True)


def test_no_official_prompt_is_taken_for_another_language(shared_prompts: Path) -> None:
    prompts = [line for path in shared_prompts.glob("t2i-compbench/*.txt") for line in path.read_text().splitlines()]
    lines = (shared_prompts / "geneval" / "evaluation_metadata.jsonl").read_text(encoding="utf-8").splitlines()
    prompts += [json.loads(line)["prompt"] for line in lines]
    for path in shared_prompts.glob("attend-and-excite/*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            prompts += [row["prompt"] for row in csv.DictReader(file)]
    assert [prompt for prompt in prompts if "English only" in why_none(prompt)] == []
