"""The server with a model that makes videos: each image is an animated PNG."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageSequence
from typer.testing import Result

from semguide.runs.png import pixel_hash, read_frames
from semguide.server.served_models import find_models, load_worker
from semguide.server.settings import Limits, ServerSettings
from support.live_server import PROMPT, Live, running

Cli = Callable[..., Result]


@pytest.fixture(scope="module")
def films(wan: Path) -> Iterator[Live]:
    models = find_models([str(wan)])
    with running(models, load_worker(models, "cpu"), ServerSettings(port=0, batch=4, limits=Limits(frames=9))) as live:
        yield live


def asked(films: Live, **options: Any) -> dict[str, Any]:
    body = {"prompt": PROMPT, "semguide": {"num_frames": 5, **options}}
    return films.http.post("/v1/images/generations", json=body).raise_for_status().json()


def test_the_videos_equal_the_command_lines_frame_by_frame(films: Live, cli: Cli, wan: Path, tmp_path: Path):
    reply = asked(films, compare=["cfg"], seed=3)
    made = cli(
        *("generate", PROMPT, "--model", wan, "--compare", "cfg", "--seed", 3, "--num-images", 1),
        *("--num-frames", 5, "--out", tmp_path / "out"),
    )
    assert made.exit_code == 0, made.stderr
    assert [image["semguide"]["method"] for image in reply["data"]] == ["cfg", "sgt-balanced"]
    for image in reply["data"]:
        report = image["semguide"]
        frames, _ = read_frames(tmp_path / "out" / "images" / f"{report['method']}-3.png")
        assert (report["pixels"], report["frames"], report["fps"]) == (pixel_hash(*frames), 5, 16)
        with Image.open(io.BytesIO(base64.b64decode(image["b64_json"]))) as file:
            assert pixel_hash(*(frame.copy() for frame in ImageSequence.Iterator(file))) == report["pixels"]


def test_a_job_of_a_video_is_followed_kept_and_repeated(films: Live, cli: Cli, tmp_path: Path):
    job = films.start(num_frames=5, steps=2)
    events = films.events(job["id"])
    names = [event["event"] for event in events]
    assert (names.count("step"), names[-1]) == (2, "done")
    (preview,) = (event["data"] for event in events if event["event"] == "preview" and event["data"]["step"] == 2)
    assert preview["url"].startswith("data:image/jpeg;base64,")
    (made,) = films.job(job["id"])["images"]
    assert films.job(job["id"])["num_frames"] == 5
    file = films.http.get(made["url"])
    assert file.headers["content-type"] == "image/png"
    assert len(list(ImageSequence.Iterator(Image.open(io.BytesIO(file.content))))) == 5
    (tmp_path / "run.json").write_text(films.http.get(job["run_url"]).text, encoding="utf-8")
    repeated = cli("generate", "--from", tmp_path / "run.json", "--out", tmp_path / "again")
    assert "1 of 1 images compared with the record: all equal, bit for bit" in repeated.stdout


def test_the_card_of_the_model_says_that_it_makes_videos(films: Live):
    (card,) = films.http.get("/v1/models").json()["data"]
    assert card["semguide"]["video"] == {"fps": 16, "num_frames": 81}
    assert (card["semguide"]["num_inference_steps"], card["semguide"]["guidance_scale"]) == (2, 4.0)


@pytest.mark.parametrize("frames", [10, None])
def test_more_frames_than_the_server_allows_are_refused(films: Live, frames: int | None):
    body = {"prompt": PROMPT, "semguide": {"num_frames": frames}}
    error = films.http.post("/v1/jobs", json=body).json()["error"]
    assert error["param"] == "semguide.num_frames"
    assert f"semguide.num_frames must be at most 9 at this server, got {frames or 81}" in error["message"]


@pytest.mark.filterwarnings("ignore::semguide.errors.SemguideWarning")
def test_a_number_of_frames_that_the_model_cannot_make_is_told(films: Live):
    reply = asked(films, num_frames=4)
    told = "the videos have 5 frames, as the model makes no 4; give semguide.num_frames another number"
    assert reply["semguide"]["warnings"] == [told]
    assert reply["data"][0]["semguide"]["frames"] == 5


def test_videos_are_tried_again_as_pictures_are(films: Live):
    (made,) = asked(films, retries=1)["data"]
    assert made["semguide"]["frames"] == 5
    assert len(made["semguide"]["attempts"]) in (1, 2)


def test_two_jobs_of_videos_are_made_one_by_one(films: Live):
    jobs = [films.start(num_frames=5, steps=2, seed=seed) for seed in (1, 2)]
    pixels = [films.events(job["id"])[-2]["data"]["pixels"] for job in jobs]
    assert pixels == [asked(films, seed=seed)["data"][0]["semguide"]["pixels"] for seed in (1, 2)]
    assert json.dumps(pixels[0]) != json.dumps(pixels[1])
