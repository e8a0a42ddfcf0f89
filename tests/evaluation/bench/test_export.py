import json
import re
from pathlib import Path

import pytest
from PIL import Image

from semguide.evaluation.bench.export import Export, export_images, geneval_entry
from semguide.evaluation.official import geneval_entries, read_official
from semguide.evaluation.suites import SuitePrompt, suite
from support.refusals import refuses

ENTRIES = {"a cat": {"tag": "x", "prompt": "a cat"}, "a red car": {"tag": "y"}, "two dogs": {"tag": "z"}}


@pytest.fixture
def rows(tmp_path: Path) -> list[dict]:
    """Two methods, two of three prompts, seeds 0 and 1; every picture says which it is."""
    made = []
    for method in ("cfg", "sgt"):
        for prompt in ("two dogs", "a cat"):
            for seed in (1, 0):
                name = f"{method} {prompt} {seed}"
                (tmp_path / "out").mkdir(exist_ok=True)
                (tmp_path / "out" / name).write_text(name)
                made.append({"method": method, "prompt": prompt, "seed": seed, "image": name})
    return made


def files(folder: Path) -> dict[str, str]:
    return {file.relative_to(folder).as_posix(): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_geneval_numbers_prompts_by_their_line_and_samples_by_their_seed(tmp_path: Path, rows: list[dict]):
    written = export_images("geneval", tmp_path / "export", tmp_path / "out", ENTRIES, rows)
    assert written == [tmp_path / "export" / "cfg", tmp_path / "export" / "sgt"]
    found = files(tmp_path / "export" / "sgt")
    assert {name: text for name, text in found.items() if name.endswith(".png")} == {
        f"{number}/samples/000{seed}.png": f"sgt {prompt} {seed}"
        for number, prompt in (("00000", "a cat"), ("00002", "two dogs"))
        for seed in (0, 1)
    }
    assert {name for name in found if not name.endswith(".png")} == {
        "00000/metadata.jsonl",
        "00002/metadata.jsonl",
    }


def test_the_official_geneval_script_would_find_every_image(tmp_path: Path, rows: list[dict]):
    """What its main() does: numbered folders, one JSON object, samples whose names are digits."""
    (folder, _) = export_images("geneval", tmp_path / "export", tmp_path / "out", ENTRIES, rows)
    images = []
    for place in sorted(folder.iterdir()):
        assert place.name.isdigit()
        with (place / "metadata.jsonl").open() as stream:
            metadata = json.load(stream)
        images += [metadata for image in (place / "samples").iterdir() if re.match(r"\d+\.png", image.name)]
    assert images == [ENTRIES["a cat"]] * 2 + [ENTRIES["two dogs"]] * 2


def test_the_official_compbench_scripts_would_read_prompt_and_order_from_the_names(tmp_path: Path, rows: list[dict]):
    (folder, _) = export_images("t2i-compbench", tmp_path / "export", tmp_path / "out", ENTRIES, rows)
    names = [file.name for file in (folder / "samples").iterdir()]
    names.sort(key=lambda name: int(name.split("_")[-1].split(".")[0]))
    assert [name.split("_")[0] for name in names] == ["a cat", "a cat", "two dogs", "two dogs"]
    assert [(folder / "samples" / name).read_text() for name in names] == [
        f"cfg {prompt} {seed}" for prompt in ("a cat", "two dogs") for seed in (0, 1)
    ]
    assert names[3] == "two dogs_000003.png"


def test_an_earlier_export_is_replaced_and_other_folders_are_refused(tmp_path: Path, rows: list[dict]):
    for part in (rows, rows[:2]):
        export_images("geneval", tmp_path / "export", tmp_path / "out", ENTRIES, part)
    assert sorted(path.name for path in (tmp_path / "export").iterdir()) == ["cfg", "export.json"]
    (tmp_path / "link").symlink_to(tmp_path / "export")
    (tmp_path / "out" / "export.json").write_text("{}")
    for target in ("out", "link"):
        with refuses("export", "must name a new or empty folder"):
            export_images("geneval", tmp_path / target, tmp_path / "out", ENTRIES, rows)
    (tmp_path / "export" / "mine.txt").write_text("mine")
    with refuses("export", "must name a new or empty folder"):
        export_images("geneval", tmp_path / "export", tmp_path / "out", ENTRIES, rows)


def test_pictures_that_were_not_kept_are_refused_and_nothing_is_written(tmp_path: Path, rows: list[dict]):
    rows[3]["image"] = None
    with refuses("export", "must have kept pictures, of which 1 of 8 are missing"):
        export_images("geneval", tmp_path / "export", tmp_path / "out", ENTRIES, rows)
    assert not (tmp_path / "export").exists()


@pytest.mark.parametrize("prompt", ["a_cat", "a cat/dog", "a cat " * 50])
def test_prompts_that_cannot_be_file_names_are_refused(tmp_path: Path, rows: list[dict], prompt: str):
    rows[0]["prompt"] = prompt
    with refuses("export", "must have short prompts"):
        export_images("t2i-compbench", tmp_path / "export", tmp_path / "out", {**ENTRIES, prompt: {}}, rows)
    assert not (tmp_path / "export").exists()


IDS = {"a cat": {"ids": ("id_1", "id_7")}, "a red car": {"ids": ("id_2",)}, "two dogs": {"ids": ("id_3",)}}


@pytest.fixture
def single(tmp_path: Path) -> list[dict]:
    """One real picture of each of two prompts, of four seeds."""
    (tmp_path / "out").mkdir()
    made = []
    for prompt, colour in (("two dogs", 40), ("a cat", 200)):
        for seed in (3, 2, 1, 0):
            name = f"{prompt} {seed}.png"
            Image.new("RGB", (4, 4), (colour, 10 * seed, 0)).save(tmp_path / "out" / name)
            made.append({"method": "sgt", "prompt": prompt, "seed": seed, "image": name})
    return made


def of_seed(rows: list[dict], seed: int = 0) -> list[dict]:
    return [row for row in rows if row["seed"] == seed]


def test_geneval_2_gets_a_map_of_prompts_to_whole_paths(tmp_path: Path, single: list[dict]):
    (folder,) = export_images("geneval2", tmp_path / "export", tmp_path / "out", ENTRIES, of_seed(single))
    found = json.loads((folder / "images.json").read_text())
    assert list(found) == ["two dogs", "a cat"]
    for prompt, path in found.items():
        assert Path(path).is_absolute()
        assert Path(path).read_bytes() == (tmp_path / "out" / f"{prompt} 0.png").read_bytes()


@pytest.mark.parametrize("layout", ["tifa", "dsg"])
def test_tifa_and_dsg_get_a_map_of_all_ids_to_paths_beside_it(layout: str, tmp_path: Path, single: list[dict]):
    (folder,) = export_images(layout, tmp_path / "export", tmp_path / "out", IDS, of_seed(single))
    found = json.loads((folder / "images.json").read_text())
    assert sorted(found) == ["id_1", "id_3", "id_7"]
    assert (folder / found["id_7"]).read_bytes() == (tmp_path / "out" / "a cat 0.png").read_bytes()


def test_genai_bench_gets_jpeg_files_by_their_ids(tmp_path: Path, single: list[dict]):
    (folder,) = export_images("genai-bench", tmp_path / "export", tmp_path / "out", IDS, of_seed(single))
    assert sorted(file.name for file in folder.iterdir()) == ["id_1.jpeg", "id_3.jpeg", "id_7.jpeg"]
    with Image.open(folder / "id_3.jpeg") as image:
        assert (image.format, image.size) == ("JPEG", (4, 4))


def test_dpg_bench_gets_four_seeds_in_two_rows_where_its_script_cuts_them_out(tmp_path: Path, single: list[dict]):
    (folder,) = export_images("dpg-bench", tmp_path / "export", tmp_path / "out", IDS, single)
    assert sorted(file.name for file in folder.iterdir()) == ["id_1.png", "id_3.png", "id_7.png"]
    with Image.open(folder / "id_3.png") as whole:
        corners = [(0, 0), (4, 0), (0, 4), (4, 4)]
        assert [whole.getpixel(corner) for corner in corners] == [(40, 10 * seed, 0) for seed in range(4)]
        assert whole.size == (8, 8)


@pytest.mark.parametrize("layout", ["geneval2", "tifa", "genai-bench"])
def test_what_takes_one_picture_a_prompt_refuses_several_seeds(layout: str, tmp_path: Path, single: list[dict]):
    with refuses("export", "must be one seed of each prompt", 4):
        export_images(layout, tmp_path / "export", tmp_path / "out", IDS, single)
    assert not (tmp_path / "export").exists()


def test_a_grid_of_three_seeds_is_refused(tmp_path: Path, single: list[dict]):
    with refuses("export", "must be 1 or 4 seeds of each prompt", 3):
        export_images("dpg-bench", tmp_path / "export", tmp_path / "out", IDS, [r for r in single if r["seed"]])


@pytest.mark.parametrize("ids", [(), ("a/b",)])
def test_prompts_without_ids_for_file_names_are_refused(ids: tuple, tmp_path: Path, single: list[dict]):
    entries = {**IDS, "a cat": {"ids": ids}}
    with refuses("export", "must be of a suite whose prompts have ids"):
        export_images("tifa", tmp_path / "export", tmp_path / "out", entries, of_seed(single))


def test_a_benchmark_s_own_file_gives_the_ids(tmp_path: Path):
    path = tmp_path / "genai_image.json"
    path.write_text(json.dumps({"00000": {"prompt": "a cat"}, "00001": {"prompt": "a dog"}}))
    assert Export("genai-bench", tmp_path / "export", str(path))._entries() == {
        "a cat": {"ids": ("00000",)},
        "a dog": {"ids": ("00001",)},
    }


@pytest.mark.parametrize("name", ["emoji-geneval", "emoji-complex"])
def test_what_a_prompt_asks_for_survives_geneval_s_own_form(name: str, tmp_path: Path):
    prompts = suite(name)
    lines = [json.dumps(geneval_entry(prompt)) for prompt in prompts]
    (tmp_path / "metadata.jsonl").write_text("\n".join(lines))

    def asked(prompt: SuitePrompt) -> tuple:
        things = [(c.head, c.attributes, c.count) for c in prompt.concepts]
        return prompt.text, prompt.category, things, prompt.position, prompt.exact

    assert [asked(p) for p in read_official(tmp_path / "metadata.jsonl")] == [asked(p) for p in prompts]


def test_the_official_metadata_is_said_again_word_for_word(shared: Path):
    path = shared / "prompts" / "geneval" / "evaluation_metadata.jsonl"
    entries = geneval_entries(path)
    assert len(entries) == 553
    assert [geneval_entry(prompt) for prompt in read_official(path)] == list(entries.values())
