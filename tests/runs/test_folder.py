from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from semguide.runs.environment import Environment
from semguide.runs.folder import RunFolder, write_outputs
from semguide.runs.generation import GeneratedImage
from semguide.runs.png import RECORD, read_png, write_png
from semguide.runs.records import image_key, read_description, read_record
from semguide.runs.run import Method, Run, Sampling
from support.refusals import refuses

CFG = Method("cfg", {})
RUN = Run(
    prompt="a red book",
    negative_prompt="",
    concepts=(),
    methods=(CFG,),
    seeds=(0, 1),
    sampling=Sampling(num_inference_steps=2, guidance_scale=5.0, height=8, width=8),
    model="tiny",
    device="cpu",
)
HERE = Environment("hash", {"python": "3", "torch": "2"}, "float32", "x86_64 AVX2", 1)


def generated(seed: int) -> GeneratedImage:
    trace = {"concepts": [], "similarity": [], "gate": [], "weight": []}
    return GeneratedImage(CFG, seed, Image.new("RGB", (8, 8), (seed, 0, 0)), 4, 0.1, None, None, trace)


def folder_of(out: Path, run: Run = RUN, environment: Environment = HERE, overwrite: bool = False) -> RunFolder:
    folder = RunFolder(out, run, environment)
    folder.scan(overwrite)
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The folder of a complete run."""
    folder = folder_of(tmp_path / "out")
    folder.open()
    for seed in RUN.seeds:
        folder.add(generated(seed))
    write_outputs(folder)
    return folder.out


def test_finished_images_of_the_same_run_are_kept(out: Path):
    assert folder_of(out).complete


def test_an_image_with_another_key_in_its_record_is_not_reused(out: Path):
    file = out / "images" / "cfg-1.png"
    image, texts = read_png(file)
    write_png(file, image, {RECORD: {**texts[RECORD], "key": "another"}})
    with refuses("out", "must not hold images that this run would drop (1 are made"):
        folder_of(out)
    folder = folder_of(out, overwrite=True)
    assert list(folder.records) == [("cfg", 0)]
    assert folder.stale == [file]


def test_an_image_whose_pixels_are_not_the_recorded_ones_is_replaced_only_where_that_was_asked_for(out: Path):
    file = out / "images" / "cfg-1.png"
    image, texts = read_png(file)
    image.putpixel((3, 3), (9, 9, 9))
    write_png(file, image, texts)
    assert read_record(file) is None
    with refuses("out", "not as semguide wrote them (images/cfg-1.png)", out):
        folder_of(out)
    assert list(folder_of(out, overwrite=True).records) == [("cfg", 0)]


@pytest.mark.parametrize("name", ["images/cfg-1.png", "grid.png", "trajectory.png", "run.json", "images"])
def test_nothing_is_replaced_or_written_through_a_link(out: Path, tmp_path: Path, name: str):
    theirs = (out / name).rename(tmp_path / "theirs")
    (out / name).symlink_to(theirs)
    with refuses("out", f"links, or not as semguide wrote them ({name})", out):
        folder_of(out)
    assert folder_of(out, overwrite=True).run == RUN


@pytest.mark.parametrize("name", ["images/cfg-1.png", "grid.png", "trajectory.png"])
def test_a_picture_of_somebody_else_is_replaced_only_where_that_was_asked_for(out: Path, name: str):
    folder_of(out).write_description(complete=False)
    assert folder_of(out).complete  # grid and plot are as the run wrote them
    Image.new("RGB", (8, 8)).save(out / name)
    with refuses("out", f"not as semguide wrote them ({name})", out):
        folder_of(out)
    folder_of(out, overwrite=True)
    (out / "run.json").unlink()
    folder_of(out, overwrite=True)


def test_a_damaged_image_of_the_run_is_made_again_and_another_file_of_its_name_is_not_touched(out: Path):
    (out / "images" / "cfg-1.png").write_bytes(b"damaged")
    assert list(folder_of(out).records) == [("cfg", 0)]
    folder_of(out, replace(RUN, seeds=(0,))).write_description(complete=False)
    with refuses("out", "not as semguide wrote them (images/cfg-1.png)", out):
        folder_of(out)


@pytest.mark.parametrize("change", [{"checkpoint": "other"}, {"versions": {"python": "4"}}, {"dtype": "bfloat16"}])
def test_an_image_of_another_environment_is_not_reused(out: Path, change: dict):
    there = replace(HERE, **change)
    assert image_key(RUN, there, CFG, 0) != image_key(RUN, HERE, CFG, 0)
    assert folder_of(out, environment=there, overwrite=True).records == {}


def test_images_of_another_processor_or_number_of_threads_are_reused(out: Path):
    assert folder_of(out, environment=replace(HERE, processor="arm64", threads=8)).complete


def test_a_stopped_run_leaves_no_old_grid_or_plot(out: Path):
    assert (out / "grid.png").exists()
    assert (out / "trajectory.png").exists()
    folder_of(out, replace(RUN, seeds=(0, 1, 2))).open()
    assert sorted(file.name for file in out.iterdir()) == ["images", "run.json"]
    assert read_description(out / "run.json")["complete"] is False


def test_a_complete_run_keeps_its_grid_when_it_is_opened_again(out: Path):
    folder_of(out).open()
    assert (out / "grid.png").exists()
