"""The pack in a real ComfyUI server, over HTTP, where COMFYUI_PATH names a checkout; see test_real_comfyui.py."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from semguide.adapters.hosts.comfyui import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS
from semguide.adapters.hosts.comfyui.install import PACK
from support.comfyui import real
from support.comfyui.server import Server, running
from support.comfyui.tiny_nodes import ListOfPrompts

pytestmark = pytest.mark.skipif(not real.FOLDER, reason="no ComfyUI: set COMFYUI_PATH to a checkout")

OLD = Path(__file__).parents[3] / "data" / "0.1.0" / "comfyui" / "api_workflows"
GRAPHS = [*sorted((PACK / "api_workflows").glob("*.json")), *sorted(OLD.glob("*.json"))]
GROWING = "SemguideConceptsGrowing"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("comfyui") / "base") as started:
        yield started


@pytest.fixture(scope="module")
def shown(server: Server) -> dict[str, Any]:
    """Return what the interface is told of each node."""
    return json.loads(server.get("/object_info"))


def small(graph: Any, seed: int) -> Any:
    """Return a graph with few steps of a small picture, and a seed by which no node is one that ran already.

    Some versions do not tell again what such a node shows.
    """
    changed = {"width": 64, "height": 64, "steps": 4, "seed": seed, "noise_seed": seed}
    for entry in graph.values():
        for name, value in changed.items():
            if name in entry["inputs"] and not isinstance(entry["inputs"][name], list):
                entry["inputs"][name] = value
    return graph


def node(kind: str, **inputs: Any) -> Any:
    return {"class_type": kind, "inputs": inputs}


def base() -> dict[str, Any]:
    """Return the part that all graphs share: checkpoint, prompts, latent, and the end of a sampling "s"."""
    text = "a red book and a yellow vase"
    return {
        "c": node("CheckpointLoaderSimple", ckpt_name="v1-5-pruned-emaonly.safetensors"),
        "p": node("SemguideDecompose", clip=["c", 1], text=text),
        "n": node("CLIPTextEncode", clip=["c", 1], text=""),
        "l": node("EmptyLatentImage", width=64, height=64, batch_size=1),
        "d": node("VAEDecode", samples=["s", 0], vae=["c", 2]),
        "i": node("SaveImage", images=["d", 0], filename_prefix="test"),
    }


def ksampler(model: Any = ("c", 0), cfg: Any = 7.5) -> dict[str, Any]:
    given = {"model": list(model), "positive": ["p", 0], "negative": ["n", 0], "latent_image": ["l", 0]}
    how = {"seed": 3, "steps": 4, "cfg": cfg, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0}
    return {"s": node("KSampler", **given, **how)}


def guided(model: Any = ("c", 0), concepts: Any = ("p", 1), cfg: Any = 7.5, **more: Any) -> dict[str, Any]:
    """Return a custom sampling with the guider."""
    given = {"positive": ["p", 0], "negative": ["n", 0], "concepts": list(concepts), "cfg": cfg}
    return {
        "g": node("SemguideGuider", model=list(model), **{"method": "sgt", "strength": 1.0, **given, **more}),
        "r": node("RandomNoise", noise_seed=3),
        "e": node("KSamplerSelect", sampler_name="euler"),
        "b": node("BasicScheduler", model=["c", 0], scheduler="normal", steps=4, denoise=1.0),
        "s": node(
            "SamplerCustomAdvanced",
            noise=["r", 0],
            guider=["g", 0],
            sampler=["e", 0],
            sigmas=["b", 0],
            latent_image=["l", 0],
        ),
    }


def picture(path: Path) -> Image.Image:
    with Image.open(path) as opened:
        return opened.convert("RGB")


def pixels(server: Server, graph: Any) -> list[bytes]:
    """Return the pixels of the pictures that a graph saves."""
    return [picture(path).tobytes() for path in server.draw(graph)["i"]]


def test_the_server_offers_every_node_by_its_name(shown: dict[str, Any]) -> None:
    expected = {*NODE_CLASS_MAPPINGS, *({GROWING} if real.grows() else ())}
    assert {name for name in shown if name.startswith("Semguide")} == expected
    for name, title in NODE_DISPLAY_NAME_MAPPINGS.items():
        assert shown[name]["display_name"] == title
        assert shown[name]["python_module"] == "custom_nodes.semguide"
        inputs = shown[name]["input"]
        given = {**inputs.get("required", {}), **inputs.get("optional", {})}
        assert all("tooltip" in told for _, told in given.values())
        assert len(shown[name]["output_tooltips"]) == len(shown[name]["output"])
        assert all(shown[name]["output_tooltips"])


def test_every_node_has_a_help_page_that_the_server_gives(server: Server, shown: dict[str, Any]) -> None:
    for name in (name for name in shown if name.startswith("Semguide")):
        assert server.get(f"/extensions/semguide/docs/{name}.md").decode().startswith("# ")


def test_the_templates_are_offered(server: Server) -> None:
    offered = json.loads(server.get("/workflow_templates"))["semguide"]
    assert sorted(offered) == sorted(path.stem for path in (PACK / "example_workflows").glob("*.json"))


@pytest.mark.parametrize("path", GRAPHS, ids=lambda path: f"{path.parents[2].name}-{path.stem}")
def test_a_workflow_draws_with_the_rule_and_without_and_the_trajectory(server: Server, path: Path) -> None:
    graph = small(json.loads(path.read_text(encoding="utf-8")), GRAPHS.index(path))
    trajectories = sum(entry["class_type"] == "SemguideTrajectory" for entry in graph.values())
    images = [picture(each) for files in server.draw(graph).values() for each in files]
    assert len(images) == 2 + trajectories
    first, second = (image.tobytes() for image in images if max(image.size) <= 64)
    assert first != second
    assert sum(min(image.size) > 200 for image in images) == trajectories


def test_as_a_patch_of_the_model_ksampler_draws_another_picture(server: Server) -> None:
    (plain,) = pixels(server, {**base(), **ksampler()})
    patch = node("SemguideModel", model=["c", 0], concepts=["p", 1], method="sgt", strength=1.0)
    (patched,) = pixels(server, {**base(), "m": patch, **ksampler(("m", 0))})
    assert patched != plain
    off = {**base(), "m": {**patch, "inputs": {**patch["inputs"], "strength": 0.0}}, **ksampler(("m", 0))}
    assert pixels(server, off) == [plain]


def test_guider_and_patch_stack_with_nodes_that_change_guidance(server: Server) -> None:
    stacked = {
        **base(),
        "x": node("RescaleCFG", model=["c", 0], multiplier=0.7),
        "y": node("PerturbedAttentionGuidance", model=["x", 0], scale=3.0),
    }
    patch = node("SemguideModel", model=["y", 0], concepts=["p", 1], method="sgt", strength=1.0)
    (plain,) = pixels(server, {**stacked, **ksampler(("y", 0))})
    (patched,) = pixels(server, {**stacked, "m": patch, **ksampler(("m", 0))})
    (alone,) = pixels(server, {**base(), **guided()})
    (drawn,) = pixels(server, {**stacked, **guided(("y", 0))})
    assert len({plain, patched, alone, drawn}) == 4


def test_concepts_with_an_area_and_a_range_are_combined(server: Server) -> None:
    graph = {
        **base(),
        "1": node("CLIPTextEncode", clip=["c", 1], text="a red book"),
        "2": node("CLIPTextEncode", clip=["c", 1], text="a yellow vase"),
        "3": node(
            "ConditioningSetAreaPercentage", conditioning=["1", 0], width=0.5, height=1.0, x=0.0, y=0.0, strength=1.0
        ),
        "4": node("ConditioningSetTimestepRange", conditioning=["2", 0], start=0.0, end=0.5),
        "5": node("ConditioningCombine", conditioning_1=["3", 0], conditioning_2=["4", 0]),
    }
    (drawn,) = pixels(server, {**graph, **guided(concepts=("5", 0))})
    (everywhere,) = pixels(server, {**base(), **guided()})
    (plain,) = pixels(server, {**base(), **ksampler()})
    assert len({drawn, everywhere, plain}) == 3
    gathered = {
        "6": node("SemguideConcepts", concept_1=["3", 0], concept_2=["4", 0]),
        **guided(concepts=("6", 0)),
    }
    assert pixels(server, {**graph, **gathered}) == [drawn]
    if real.grows():
        grown = {**gathered, "6": node(GROWING, **{"concepts.concept_1": ["3", 0], "concepts.concept_2": ["4", 0]})}
        assert pixels(server, {**graph, **grown}) == [drawn]


def test_widgets_of_parameters_reach_the_rule(server: Server) -> None:
    written = json.dumps({"sharpness": 3.0, "start": 0.0, "stop": 1.0})
    widgets = node("SemguideParametersSgtBalanced", sharpness=3.0, start=0.0, stop=1.0)
    (expected,) = pixels(server, {**base(), **guided(settings=written)})
    assert pixels(server, {**base(), "w": widgets, **guided(settings=["w", 0])}) == [expected]
    assert pixels(server, {**base(), **guided()}) != [expected]


def test_a_list_of_settings_makes_a_picture_each(server: Server) -> None:
    listed = {**base(), "t": node("TestListOfScales"), **guided(cfg=["t", 0])}
    several = pixels(server, listed)
    assert several == [pixels(server, {**base(), **guided(cfg=cfg)})[0] for cfg in (5.0, 9.0)]


def test_a_list_of_prompts_makes_a_picture_each(server: Server) -> None:
    listed = {**base(), "t": node("TestListOfPrompts"), **guided()}
    listed["p"]["inputs"]["text"] = ["t", 0]
    expected = []
    for text in ListOfPrompts.PROMPTS:
        alone = {**base(), **guided()}
        alone["p"]["inputs"]["text"] = text
        expected += pixels(server, alone)
    assert pixels(server, listed) == expected


@pytest.mark.parametrize("count", [0, 1, 5])
@pytest.mark.parametrize("kind", ["SemguideConcepts", GROWING])
def test_any_number_of_concepts_is_gathered(server: Server, kind: str, count: int) -> None:
    if kind == GROWING and not real.grows():
        pytest.skip("this ComfyUI has no inputs that grow")
    prefix = "concepts." if kind == GROWING else ""
    texts = {f"k{k}": node("CLIPTextEncode", clip=["c", 1], text=f"a thing {k}") for k in range(count)}
    inputs = {f"{prefix}concept_{k + 1}": [f"k{k}", 0] for k in range(count)}
    gathered = {**base(), **texts, "6": node(kind, **inputs)}
    how = {"concepts": ["6", 0], "method": "sgt-v2", "settings": '{"warmup_steps": 0}'}
    (drawn,) = pixels(server, {**gathered, **guided(**how)})
    patch = node("SemguideModel", model=["c", 0], strength=1.0, **how)
    (patched,) = pixels(server, {**gathered, "m": patch, **ksampler(("m", 0))})
    (plain,) = pixels(server, {**base(), **ksampler()})
    assert (drawn == plain, patched == plain) == (count == 0, count == 0)


def test_a_sampling_in_two_parts_and_one_of_a_part_of_the_noise_are_steered(server: Server) -> None:
    def parts(model: Any) -> dict[str, Any]:
        given = {"model": list(model), "positive": ["p", 0], "negative": ["n", 0], "noise_seed": 3, "steps": 8}
        how = {"cfg": 7.5, "sampler_name": "euler", "scheduler": "normal"}
        first = {"start_at_step": 0, "end_at_step": 4, "return_with_leftover_noise": "enable", "add_noise": "enable"}
        last = {"start_at_step": 4, "end_at_step": 8, "return_with_leftover_noise": "disable", "add_noise": "disable"}
        again = ksampler(model)["s"]["inputs"]
        return {
            "s1": node("KSamplerAdvanced", **given, **how, **first, latent_image=["l", 0]),
            "s2": node("KSamplerAdvanced", **given, **how, **last, latent_image=["s1", 0]),
            "u": node("LatentUpscaleBy", samples=["s2", 0], upscale_method="nearest-exact", scale_by=1.5),
            "s": node("KSampler", **{**again, "latent_image": ["u", 0], "denoise": 0.5}),
        }

    patch = node("SemguideModel", model=["c", 0], concepts=["p", 1], method="sgt", strength=1.0)
    (plain,) = pixels(server, {**base(), **parts(("c", 0))})
    (patched,) = pixels(server, {**base(), "m": patch, **parts(("m", 0))})
    assert patched != plain


def retried(threshold: float, retries: int = 2, steps: int = 5, **inputs: Any) -> dict[str, Any]:
    """Return a custom sampling that tries again, the seed and the report shown as texts."""
    graph = guided()
    graph["b"]["inputs"]["steps"] = steps
    again = {**graph["s"]["inputs"], "retries": retries, "threshold": threshold, **inputs}
    shown = {"seed": node("PreviewAny", source=["s", 2]), "report": node("PreviewAny", source=["s", 4])}
    return {**graph, "s": node("SemguideRetries", **again), **shown}


def with_seed(seed: int) -> dict[str, Any]:
    graph = guided()
    graph["b"]["inputs"]["steps"] = 5
    graph["r"]["inputs"]["noise_seed"] = seed
    return graph


def test_the_picture_of_a_seed_that_was_tried_is_that_of_comfyuis_own_sampler(server: Server) -> None:
    assert pixels(server, {**base(), **retried(0.0)}) == pixels(server, {**base(), **with_seed(3)})
    drawn, texts = server.draw_and_tell({**base(), **retried(1.0)})
    seed = int(texts["seed"])
    assert seed in (3, 10003, 20003)
    assert [picture(path).tobytes() for path in drawn["i"]] == pixels(server, {**base(), **with_seed(seed)})
    assert texts["report"].count("seed") == 3
    assert f"seed {seed}" in next(part for part in texts["report"].split("; ") if "drawn" in part)


def test_pictures_of_a_batch_are_tried_again_on_their_own(server: Server) -> None:
    graph = {**base(), **retried(1.0)}
    graph["l"]["inputs"]["batch_size"] = 2
    drawn, texts = server.draw_and_tell(graph)
    assert len(drawn["i"]) == 2
    lines = texts["report"].splitlines()
    assert [line.partition(":")[0] for line in lines] == ["image 1", "image 2"]


def test_what_cannot_be_tried_again_is_told(server: Server) -> None:
    masked = {"k": node("SolidMask", value=1.0, width=64, height=64)}
    masked["q"] = node("SetLatentNoiseMask", samples=["l", 0], mask=["k", 0])
    report = server.draw_and_tell({**base(), **masked, **retried(1.0, latent_image=["q", 0])})[1]["report"]
    assert report.startswith("Drawn once: the latent has a noise mask")
    report = server.draw_and_tell({**base(), "z": node("DisableNoise"), **retried(1.0, noise=["z", 0])})[1]["report"]
    assert report.endswith("connect RandomNoise.")


def test_trying_again_shows_its_steps_and_can_be_interrupted(server: Server) -> None:
    aiohttp = pytest.importorskip("aiohttp")
    graph = {**base(), **retried(1.0, retries=100, steps=30)}

    async def interrupt() -> tuple[list[int], Any]:
        values: list[int] = []
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{server.url}/ws?clientId=stop") as socket:
            assert (await asyncio.to_thread(server.queue, graph, client_id="stop"))[0] == 200
            while True:
                message = await asyncio.wait_for(socket.receive(), 60)
                told: Any = json.loads(message.data) if message.type == aiohttp.WSMsgType.TEXT else {"type": None}
                if told["type"] == "progress":
                    values.append(told["data"]["value"])
                if values != sorted(values):  # the second seed has begun
                    async with session.post(f"{server.url}/interrupt"):
                        pass
                if told["type"] in ("execution_interrupted", "execution_success", "execution_error"):
                    return values, told["type"]

    values, ended = asyncio.run(interrupt())
    assert values != sorted(values)
    assert ended == "execution_interrupted"
    assert pixels(server, {**base(), **retried(0.0)}) == pixels(server, {**base(), **with_seed(3)}), "all is as before"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"settings": "{"}, "settings must be a JSON object"),
        ({"settings": '{"stop": 7}'}, "stop must be"),
        ({"method": "nothing"}, "method must be one of"),
        ({"cfg": 1.0, "method": "sgt-v1"}, "cfg must be > 1"),
    ],
)
def test_wrong_settings_are_refused_before_anything_runs(server: Server, more: Any, told: str) -> None:
    status, reply = server.queue({**base(), **guided(**more)})
    assert status == 400
    (error, *_) = reply["node_errors"]["g"]["errors"]
    assert told in error["details"]


def test_a_wrong_widget_is_refused_before_anything_runs(server: Server) -> None:
    widgets = node("SemguideParametersSgtBalanced", sharpness=1.0, start=0.8, stop=0.2)
    status, reply = server.queue({**base(), "w": widgets, **guided(settings=["w", 0])})
    assert status == 400
    assert "stop" in reply["node_errors"]["w"]["errors"][0]["details"]


def wait_for(server: Server, graph: Any, text: bytes) -> None:
    """Run a graph, and wait until a node shows a text."""
    aiohttp = pytest.importorskip("aiohttp")

    async def listen() -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{server.url}/ws?clientId=test") as socket:
            await asyncio.to_thread(server.draw, graph, client_id="test")
            message = await asyncio.wait_for(socket.receive(), 30)
            while message.type != aiohttp.WSMsgType.BINARY or text not in message.data:
                message = await asyncio.wait_for(socket.receive(), 30)

    asyncio.run(listen())


def test_a_picture_of_plain_guidance_is_told_on_the_node(server: Server) -> None:
    lone = {**base(), **guided()}
    lone["p"]["inputs"]["concepts"] = "a lone cat"
    wait_for(server, lone, b"the only concept is 'a lone cat'")
    patch = node("SemguideModel", model=["c", 0], concepts=["p", 1], method="sgt", strength=1.0)
    lone = {**base(), "m": patch, **ksampler(("m", 0))}
    lone["p"]["inputs"]["concepts"] = "a lone dog"
    wait_for(server, lone, b"the only concept is 'a lone dog'")
    needing = {**patch, "inputs": {**patch["inputs"], "method": "sgt-v1"}}
    wait_for(server, {**base(), "m": needing, **ksampler(("m", 0), cfg=1.0)}, b"as at a cfg of 1")
    empty = {**base(), "6": node("SemguideConcepts"), **guided(concepts=("6", 0))}
    wait_for(server, empty, b"There is no concept")
