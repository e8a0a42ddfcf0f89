import base64
import io
import json
import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import openai
import pytest
from PIL import Image

from semguide.runs.png import pixel_hash, read_png
from support.command import Cli
from support.live_server import MANY_STEPS, PROMPT, Live, wait_for


@pytest.fixture(scope="module")
def client(live: Live):
    with openai.OpenAI(base_url=f"{live.url}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_the_openai_client_gets_images_with_their_trace_and_place(client: openai.OpenAI):
    extra = {"semguide": {"method": "sgt", "concepts": ["a red book", "a yellow vase"], "steps": 4, "seed": 5}}
    reply = client.images.generate(prompt=PROMPT, model="tiny-sd", n=2, size="auto", extra_body=extra)
    assert len(reply.data or []) == 2
    for seed, made in zip((5, 6), reply.data or [], strict=True):
        picture = Image.open(io.BytesIO(base64.b64decode(made.b64_json or "")))
        report = made.model_extra["semguide"]  # type: ignore[index]
        assert picture.size == (64, 64)
        assert (report["method"], report["seed"], report["alignment"]) == ("sgt", seed, None)
        assert report["evaluations"] == 2 * 4 + 2 * 2  # concepts in the first two of four steps
        assert report["trace"]["concepts"] == ["a red book", "a yellow vase"]
        assert [row[0] is None for row in report["trace"]["similarity"]] == [False, False, True, True]
    assert {made.model_extra["semguide"]["alignment_rank"] for made in reply.data or []} == {1, 2}  # type: ignore[index]
    assert [c["text"] for c in reply.model_extra["semguide"]["concepts"]] == ["a red book", "a yellow vase"]  # type: ignore[index]


def test_the_example_of_the_docs_runs(live: Live):
    text = (Path(__file__).parents[3] / "docs" / "serve.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {}
    exec(example.replace("http://127.0.0.1:8000", live.url).replace("emoji-unet", "tiny-sd"), names)
    names["client"].close()
    assert Image.open(io.BytesIO(base64.b64decode(names["png"]))).format == "PNG"


def test_fields_of_openais_that_mean_nothing_here_are_taken(client: openai.OpenAI):
    reply = client.images.generate(
        prompt=PROMPT,
        quality="high",
        style="vivid",
        user="somebody",
        background="opaque",
        moderation="low",
        output_format="png",
        extra_body={"semguide": {"steps": 1}},
    )
    assert reply.output_format == "png"
    assert reply.size == "64x64"


def test_an_url_leads_to_the_same_file(client: openai.OpenAI, live: Live):
    extra = {"semguide": {"steps": 1}}
    one = client.images.generate(prompt=PROMPT, response_format="url", extra_body=extra)
    other = client.images.generate(prompt=PROMPT, response_format="b64_json", extra_body=extra)
    url = (one.data or [])[0].url or ""
    assert urlsplit(url).netloc == urlsplit(live.url).netloc
    fetched = Image.open(io.BytesIO(httpx.get(url).content))
    assert pixel_hash(fetched) == (other.data or [])[0].model_extra["semguide"]["pixels"]  # type: ignore[index]


def test_the_client_lists_the_models(client: openai.OpenAI):
    (model,) = client.models.list().data
    assert (model.id, model.object) == ("tiny-sd", "model")
    assert client.models.retrieve("tiny-sd") == model


def test_an_unknown_model_is_not_found(client: openai.OpenAI):
    with pytest.raises(openai.NotFoundError, match=r"model must be one of tiny-sd, got '/etc/passwd'") as caught:
        client.images.generate(prompt=PROMPT, model="/etc/passwd")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("emoji-unet")


@pytest.mark.parametrize(
    ("field", "value", "param", "sentence"),
    [
        ("prompt", "  ", "prompt", "prompt must hold some text"),
        ("prompt", "x" * 1001, "prompt", "prompt must be at most 1000 characters at this server, got 1001; shorten it"),
        ("n", 7, "n", "n must be at most 6 images, with all methods, at this server, got 7"),
        ("n", 0, "n", "n: Input should be greater than or equal to 1, got 0"),
        ("size", "64x65", "size", "size (height) must be a multiple of 8 for"),
        ("size", "big", "size", "size must be WIDTHxHEIGHT"),
        ("size", "2048x2048", "size", "size (width) must be at most 1024 pixels"),
        ("stream", True, "stream", "stream: Input should be False"),
        ("response_format", "file", "response_format", "response_format: Input should be 'b64_json' or 'url'"),
        ("semguide", {"steps": 1001}, "semguide.steps", "semguide.steps"),
        ("semguide", {"steps": 950}, "semguide.steps", "semguide.steps must be at most 900 at this server"),
        (
            "semguide",
            {"evaluations": 50, "steps": 5},
            "semguide.evaluations",
            "semguide.evaluations must not stand beside semguide.steps",
        ),
        ("semguide", {"evaluations": 2000, "method": "cfg"}, "semguide.evaluations", "of at most 900 steps at this"),
        ("semguide", {"evaluations": 3, "method": "cfg"}, "semguide.evaluations", "must be at least 4"),
        ("semguide", {"retries": 9}, "semguide.retries", "semguide.retries must be at most 8 at this server, got 9"),
        ("semguide", {"retries": -1}, "semguide.retries", "semguide.retries: Input should be greater than or equal"),
        ("semguide", {"retries": 1, "method": "cfg"}, "semguide.retries", "take another semguide.method"),
        ("semguide", {"edits": [{"text": " "}]}, "semguide.edits", "semguide.edits must hold some text"),
        ("semguide", {"edits": [{"text": "x" * 201}]}, "semguide.edits", "at most 200 characters each at this server"),
        ("semguide", {"edits": [{"text": f"{i}"} for i in range(9)]}, "semguide.edits", "must be at most 8 at this"),
        ("semguide", {"edits": [{"text": "a"}, {"text": "A", "direction": "less"}]}, "semguide.edits", "of one thing"),
        ("semguide", {"edits": [{"text": "a", "scale": 0}]}, "semguide.edits.0.scale", "greater than 0"),
        ("semguide", {"edits": [{"text": "a"}], "method": "cdg"}, "semguide.edits", "take another semguide.method"),
        ("semguide", {"num_frames": 5}, "semguide.num_frames", "tiny-sd makes pictures, got 5; leave it out"),
        ("semguide", {"num_frames": 0}, "semguide.num_frames", "semguide.num_frames: Input should be greater"),
        ("semguide", {"method": "sgd"}, "semguide.method", "did you mean 'sgt'?"),
        ("semguide", {"compare": ["sgd"]}, "semguide.compare", "semguide.compare must be one of sgt"),
        ("semguide", {"parameters": {"strength": -1}}, "strength", "strength must be a finite number between"),
        (
            "semguide",
            {"parameters": {"guidance_scale": 3}},
            "semguide.parameters",
            "give semguide.guidance_scale itself",
        ),
        (
            "semguide",
            {"parameters": {"strength": [1]}},
            "semguide.parameters.strength",
            "semguide.parameters.strength: Input should be a valid number",
        ),
        (
            "semguide",
            {"parameters": {"warp": 3}},
            "semguide.parameters",
            "must name a parameter of sgt-balanced: strength",
        ),
        ("semguide", {"compare": [{"name": "sgt-v2", "parameters": {"window": 0}}]}, "window", "window must be"),
        (
            "semguide",
            {"concepts": ["x"] * 9},
            "semguide.concepts",
            "semguide.concepts must be at most 8 at this server",
        ),
        ("semguide", {"concepts": [" "]}, "semguide.concepts", "semguide.concepts must hold some text"),
        ("semguide", {"seeds": [1, 1]}, "semguide.seeds", "semguide.seeds must differ"),
        ("semguide", {"guidance_scale": 0}, "semguide.guidance_scale", "semguide.guidance_scale"),
        ("semguide", {"stepz": 3}, "semguide.stepz", "semguide.stepz"),
    ],
)
def test_a_refusal_says_what_is_wrong_in_openais_form(live: Live, field: str, value: object, param: str, sentence: str):
    body = {"prompt": PROMPT, "semguide": {"steps": 1}, field: value}
    reply = live.http.post("/v1/images/generations", json=body)
    error = reply.json()["error"]
    assert reply.status_code == 400
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert sentence in error["message"]
    assert "--" not in error["message"]


def test_the_last_seed_is_no_bound_where_every_seed_is_given(live: Live):
    body = {"prompt": PROMPT, "semguide": {"steps": 1, "seed": 2**63 - 1, "seeds": [3]}}
    assert live.http.post("/v1/images/generations", json=body).status_code == 200


@pytest.mark.parametrize(
    ("content", "kind", "sentence"),
    [
        ("{oops", "application/json", "body must be JSON, got what is none: Expecting property name"),
        ('{"prompt": "x"}', "application/x-www-form-urlencoded", "'Content-Type: application/json'"),
    ],
)
def test_a_body_that_is_no_json_is_refused_in_words(live: Live, content: str, kind: str, sentence: str):
    reply = live.http.post("/v1/images/generations", content=content, headers={"Content-Type": kind})
    assert reply.status_code == 400
    assert (sentence in reply.json()["error"]["message"], reply.json()["error"]["param"]) == (True, None)


def test_the_image_equals_the_command_lines_bit_for_bit(live: Live, generate: Cli, tmp_path):
    body = {"prompt": PROMPT, "n": 2, "semguide": {"compare": ["cfg", "sgt-v2"], "seed": 3, "steps": 3}}
    reply = live.http.post("/v1/images/generations", json=body).raise_for_status().json()
    result = generate("--compare", "cfg", "--compare", "sgt-v2", "--seed", 3, "--num-images", 2, "--steps", 3)
    assert result.exit_code == 0, result.stderr
    for made in reply["data"]:
        report = made["semguide"]
        image, texts = read_png(tmp_path / "out" / "images" / f"{report['method']}-{report['seed']}.png")
        assert pixel_hash(image) == report["pixels"]
        ours = Image.open(io.BytesIO(base64.b64decode(made["b64_json"])))
        assert json.loads(ours.info["semguide"])["key"] == texts["semguide"]["key"]
    assert len(reply["data"]) == 6


def test_an_edited_image_equals_the_command_lines_and_is_repeated_from_the_jobs_record(
    live: Live, generate: Cli, tmp_path: Path
):
    edits = [{"text": "a hat"}, {"text": "snow", "direction": "less", "scale": 3, "stop": 0.6}]
    body = {"prompt": PROMPT, "semguide": {"compare": ["cfg"], "seed": 3, "steps": 4, "edits": edits}}
    reply = live.http.post("/v1/images/generations", json=body).raise_for_status().json()
    options = ("--more", "a hat", "--less", "snow:3;stop=0.6", "--seed", 3, "--num-images", 1, "--steps", 4)
    assert generate("--compare", "cfg", *options).exit_code == 0
    recorded = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    ours = {made["semguide"]["method"]: made["semguide"]["pixels"] for made in reply["data"]}
    assert ours == {image["method"]: image["pixels"] for image in recorded["images"]}
    job = live.job(reply["semguide"]["job"])
    assert [(edit["text"], edit["direction"]) for edit in job["edits"]] == [("a hat", "more"), ("snow", "less")]
    assert live.http.get(job["run_url"]).json()["run"]["edits"] == recorded["run"]["edits"]


def test_an_image_that_is_tried_again_equals_the_command_lines(
    live: Live, generate: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("semguide.guidance.attempts.THRESHOLD", 2.0)  # none reaches it
    body = {"prompt": PROMPT, "semguide": {"compare": ["cfg"], "seed": 5, "retries": 2, "steps": 5}}
    reply = live.http.post("/v1/images/generations", json=body).raise_for_status().json()
    plain, tried = (made["semguide"] for made in reply["data"])
    result = generate("--compare", "cfg", "--seed", 5, "--retries", 2, "--num-images", 1, "--steps", 5)
    assert result.exit_code == 0, result.stderr
    entry = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["images"][-1]
    assert {name: tried[name] for name in ("pixels", "attempts", "evaluations", "seed")} == {
        name: entry[name] for name in ("pixels", "attempts", "evaluations", "seed")
    }
    assert [found["seed"] for found in tried["attempts"]] == [5, 10_005, 20_005]
    assert tried["evaluations"] == sum(found["evaluations"] for found in tried["attempts"])
    assert plain["attempts"] is None


def test_within_a_budget_methods_have_their_own_steps_and_the_images_of_the_command_line(
    live: Live, generate: Cli, tmp_path: Path
):
    body = {"prompt": PROMPT, "semguide": {"compare": ["cfg", "sgt-v1"], "seed": 5, "evaluations": 24}}
    reply = live.http.post("/v1/images/generations", json=body).raise_for_status().json()
    job = live.job(reply["semguide"]["job"])
    steps = {image["method"]: image["steps"] for image in job["images"]}
    assert job["evaluations"] == 24
    assert (steps["cfg"], steps["sgt-v1"], steps["sgt-balanced"]) == (12, 6, job["steps"])
    result = generate("--compare", "cfg", "--compare", "sgt-v1", "--seed", 5, "--num-images", 1, "--evaluations", 24)
    assert result.exit_code == 0, result.stderr
    made = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["images"]
    assert [entry["pixels"] for entry in made] == [image["semguide"]["pixels"] for image in reply["data"]]
    assert [entry["evaluations"] for entry in made] == [image["semguide"]["evaluations"] for image in reply["data"]]


def test_the_run_json_is_repeated_by_the_command_line(live: Live, cli: Cli, tmp_path):
    body = {"prompt": PROMPT, "semguide": {"parameters": {"strength": 0.5}, "steps": 2, "seeds": [9, 4]}}
    reply = live.http.post("/v1/images/generations", json=body).raise_for_status().json()
    recorded = live.http.get(f"/v1/jobs/{reply['semguide']['job']}/run.json").raise_for_status()
    (tmp_path / "run.json").write_text(recorded.text)
    result = cli("generate", "--from", tmp_path / "run.json", "--out", tmp_path / "again")
    assert result.exit_code == 0, result.stderr
    assert "2 of 2 images compared with the record: all equal, bit for bit" in result.stdout
    assert "warning" not in result.stderr


def test_a_scheduler_that_a_request_names_makes_the_images_that_the_command_line_makes_with_it(
    live: Live, generate: Cli, tmp_path: Path
):
    solver = "DDPMScheduler"
    (model,) = live.http.get("/v1/models").json()["data"]
    assert solver in model["semguide"]["schedulers"]
    body = {"prompt": PROMPT, "semguide": {"seed": 5, "steps": 4, "scheduler": solver}}
    reply = live.http.post("/v1/images/generations", json=body).raise_for_status().json()
    result = generate("--seed", 5, "--num-images", 1, "--steps", 4, "--scheduler", solver)
    assert result.exit_code == 0, result.stderr
    (made,) = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["images"]
    assert reply["data"][0]["semguide"]["pixels"] == made["pixels"]
    own = {**body, "semguide": {**body["semguide"], "scheduler": None}}
    plain = live.http.post("/v1/images/generations", json=own).raise_for_status().json()
    assert plain["data"][0]["semguide"]["pixels"] != made["pixels"]
    run = live.http.get(f"/v1/jobs/{reply['semguide']['job']}/run.json").json()
    assert run["run"]["loading"]["scheduler"] == solver


def test_a_scheduler_that_does_not_go_with_the_model_is_refused(live: Live):
    body = {"prompt": PROMPT, "semguide": {"scheduler": "FlowMatchEulerDiscreteScheduler"}}
    reply = live.http.post("/v1/images/generations", json=body)
    assert reply.status_code == 400
    assert reply.json()["error"]["message"].startswith("semguide.scheduler must be one that goes with tiny-sd (DDIM")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_the_steps_of_a_scheduler_of_second_order_are_counted_as_they_come(live: Live):
    job = live.start(steps=3, scheduler="HeunDiscreteScheduler")
    steps = [event["data"] for event in live.events(job["id"]) if event["event"] == "step"]
    assert [(step["step"], step["steps"]) for step in steps] == [(step, 5) for step in range(1, 6)]


def test_a_client_that_goes_away_frees_its_place(live: Live):
    before = live.metric('semguide_jobs_total{outcome="cancelled"}')
    body = json.dumps({"prompt": PROMPT, "semguide": {"steps": MANY_STEPS}}).encode()
    address = urlsplit(live.url)
    with socket.create_connection((address.hostname, address.port or 0)) as connection:
        head = f"POST /v1/images/generations HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        wait_for(lambda: live.metric("semguide_images_in_flight") == 1)
    wait_for(lambda: live.metric("semguide_images_in_flight") == 0)
    assert live.metric('semguide_jobs_total{outcome="cancelled"}') == before + 1
