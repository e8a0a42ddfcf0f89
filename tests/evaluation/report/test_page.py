import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from semguide.evaluation.bench.summary import by_category, summarise
from semguide.evaluation.metrics.features import pack
from semguide.evaluation.report import write_report
from semguide.evaluation.report.figures import INK, mean_trajectory
from semguide.evaluation.report.sheet import decided

METHODS = ["cfg", "sgt"]


def row(method: str, seed: int, right: bool, image: str | None) -> dict:
    similarity = None if method == "cfg" else [[0.2, 0.4], None, [0.6, 0.8]]
    return {
        "method": method,
        "prompt": "a <b>cat</b> & a dog",
        "category": "animals",
        "seed": seed,
        "concepts": ["a <b>cat</b>", "a dog"],
        "verdicts": [right, True],
        "all_concepts": right,
        "findings": [],
        "evaluations": 4 if method == "cfg" else 6,
        "seconds": 0.25,
        "similarity": similarity,
        "image": image,
    }


@pytest.fixture
def rows(tmp_path: Path) -> list[dict]:
    """Seed 0: sgt wins; seed 1: sgt loses; seed 2: both right."""
    made = []
    for seed, (cfg, sgt) in enumerate([(False, True), (True, False), (True, True)]):
        for method, right in (("cfg", cfg), ("sgt", sgt)):
            name = f"{method}-{seed}.png"
            Image.new("RGB", (4, 4), (seed, 0, 0)).save(tmp_path / name)
            made.append(row(method, seed, right, name))
    return made


def report(folder: Path, rows: list[dict]) -> str:
    summary = summarise("emoji <ae>", "toy", METHODS, rows)
    write_report(folder / "report.html", summary, by_category(METHODS, rows), rows)
    return (folder / "report.html").read_text(encoding="utf-8")


class References(HTMLParser):
    """Collects what a page would load, and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.loaded += [value or "" for name, value in attrs if name in {"src", "href", "xlink:href", "data", "srcset"}]
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_loads_nothing(tmp_path: Path, rows: list[dict]):
    text = report(tmp_path, rows)
    page = References()
    page.feed(text)
    assert page.open == []
    assert all(value.startswith(("data:image/png;base64,", "#")) for value in page.loaded)
    assert set(re.findall(r"url\((.)", text)) <= {"#"}
    assert not re.search(r"@import|<script|<link|<iframe", text)


def test_the_page_is_readable_in_light_and_dark(tmp_path: Path, rows: list[dict]):
    text = report(tmp_path, rows)
    assert "prefers-color-scheme: dark" in text
    assert "color-scheme: light dark" in text
    assert INK not in text
    assert text.count("<svg") == 2
    assert "currentColor" in text


def test_tables_hold_the_numbers_of_the_summary(tmp_path: Path, rows: list[dict]):
    text = report(tmp_path, rows)
    assert "<td>cfg</td><td>0.667 [0.667, 0.667]</td><td>0.833 [0.833, 0.833]</td><td>4.0</td><td>0.25</td>" in text
    assert "<td>sgt-cfg</td><td>0.000 [0.000, 0.000]</td><td>1.0000</td>" in text
    assert "<td>animals</td><td>0.667" in text


def test_texts_are_escaped(tmp_path: Path, rows: list[dict]):
    text = report(tmp_path, rows)
    assert "<b>" not in text
    assert "emoji &lt;ae&gt;" in text


def test_wins_and_losses_stand_side_by_side_with_their_pictures(tmp_path: Path, rows: list[dict]):
    text = report(tmp_path, rows)
    assert "sgt against cfg: 1 wins" in text
    assert "sgt against cfg: 1 losses" in text
    pictures = re.findall(r"base64,([^\"]+)", text)
    assert [base64.b64decode(p) for p in pictures] == [
        (tmp_path / f"{method}-{seed}.png").read_bytes() for seed in (0, 1) for method in METHODS
    ]
    assert "cfg, wrong: a &lt;b&gt;cat&lt;/b&gt;" in text


def test_without_pictures_the_counts_and_the_way_to_get_them_are_shown(tmp_path: Path, rows: list[dict]):
    text = report(tmp_path, [{**row, "image": None} for row in rows])
    assert "<img" not in text
    assert "sgt against cfg: 1 wins" in text
    assert "--keep-images" in text


def test_a_benchmark_that_was_not_judged_says_so(tmp_path: Path, rows: list[dict]):
    text = report(tmp_path, [{**row, "verdicts": None, "all_concepts": None} for row in rows])
    assert "not judged" in text
    assert "Nothing was judged." in text


def test_only_images_that_one_method_alone_got_right_are_decided(rows: list[dict]):
    (found,) = decided(METHODS, rows)
    assert [(a["seed"], b["method"]) for a, b in found.wins] == [(0, "sgt")]
    assert [(a["seed"], b["method"]) for a, b in found.losses] == [(1, "sgt")]


def test_the_mean_trajectory_leaves_out_what_was_not_evaluated(rows: list[dict]):
    mean = mean_trajectory([row for row in rows if row["method"] == "sgt"])
    assert mean is not None
    assert mean[[0, 2]].tolist() == pytest.approx([0.3, 0.7])
    assert mean[1] != mean[1]
    assert mean_trajectory([row for row in rows if row["method"] == "cfg"]) is None


def test_metrics_are_tabulated_where_they_were_measured(tmp_path: Path, rows: list[dict]):
    assert "Rendered distance" not in report(
        tmp_path, [{**row, "verdicts": None, "all_concepts": None} for row in rows]
    )
    scored = [
        {
            **row,
            "findings": [{"confidence": 0.5}],
            "clip_similarity": 0.25 if row["method"] == "cfg" else 0.5,
            "clip_feature": pack([1.0, row["seed"]]),
            "rendered_feature": pack([1.0, row["seed"] + 1.0]),
        }
        for row in rows
    ]
    text = report(tmp_path, scored)
    assert "<th>clip similarity</th><th>diversity</th><th>judge confidence</th><th>rendered distance</th>" in text
    assert "<td>cfg</td><td>0.250 [0.250, 0.250]</td>" in text
    assert "<td>sgt-cfg</td><td>0.250 [0.250, 0.250]</td>" in text
    assert "<td>1.0000</td></tr>" in text
