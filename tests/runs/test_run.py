import json
from dataclasses import replace
from typing import Any

import pytest

from semguide import Edit, Edits
from semguide.models import LoadOptions, Lora
from semguide.runs.run import Method, Run, Sampling, digest, from_json
from semguide.types import Concept
from support.refusals import refuses

RUN = Run(
    prompt="a red book",
    negative_prompt="",
    concepts=(Concept("a red book", (0, 10), "book", ("red",), 1), Concept("sky")),
    methods=(Method("cfg", {}), Method("sgt", {"strength": 1.0, "mode": "auto"})),
    seeds=(0, 1),
    sampling=Sampling(25, 7.5, 64, 64),
    model="emoji-unet",
    device="cpu",
)
OTHERS = {
    "prompt": "a blue book",
    "negative_prompt": "blurry",
    "concepts": (),
    "methods": (Method("cfg", {}),),
    "seeds": (1, 0),
    "sampling": Sampling(25, 7.5, 64, 72),
    "model": "other",
    "device": "cuda",
    "full_trace": True,
    "loading": LoadOptions(scheduler="DDPMScheduler"),
    "max_concepts": 3,
    "retries": 3,
    "evaluations": 50,
    "edits": Edits((Edit("a hat"),)),
}


def test_a_run_survives_json():
    assert from_json(json.loads(json.dumps(RUN.to_json()))) == RUN


def test_the_most_concepts_survive_json_and_change_no_image_and_older_files_have_no_such_key():
    counted = replace(RUN, max_concepts=3)
    assert from_json(counted.to_json()) == counted
    assert "max_concepts" not in RUN.to_json()
    assert from_json(RUN.to_json()).max_concepts is None
    assert counted.image_parameters(RUN.methods[0], 1) == RUN.image_parameters(RUN.methods[0], 1)


def test_retries_survive_json_and_decide_the_image_and_older_files_have_no_such_key():
    retried = replace(RUN, retries=3)
    assert from_json(retried.to_json()) == retried
    assert "retries" not in RUN.to_json()
    assert from_json(RUN.to_json()).retries == 0
    assert retried.image_parameters(RUN.methods[0], 1) != RUN.image_parameters(RUN.methods[0], 1)


def test_a_budget_survives_json_and_an_image_depends_on_the_steps_that_it_gave_only():
    own = Method("cfg", {}, num_inference_steps=35)
    fitted = replace(RUN, evaluations=70, methods=(own, RUN.methods[1]))
    assert from_json(json.loads(json.dumps(fitted.to_json()))) == fitted
    assert "evaluations" not in RUN.to_json()
    assert "num_inference_steps" not in RUN.to_json()["methods"][0]
    longer = replace(RUN, sampling=replace(RUN.sampling, num_inference_steps=35))
    assert fitted.image_parameters(own, 1) == longer.image_parameters(RUN.methods[0], 1)
    assert fitted.image_parameters(RUN.methods[1], 1) == RUN.image_parameters(RUN.methods[1], 1)


def test_edits_survive_json_and_decide_the_image_and_older_files_have_no_such_key():
    edited = replace(RUN, edits=Edits((Edit("a hat"), Edit("snow", "less", stop=0.6)), momentum_scale=0.2))
    assert from_json(json.loads(json.dumps(edited.to_json()))) == edited
    assert "edits" not in RUN.to_json()
    assert from_json(RUN.to_json()).edits == Edits()
    assert edited.image_parameters(RUN.methods[0], 1) != RUN.image_parameters(RUN.methods[0], 1)


def test_a_concept_of_another_survives_json_and_older_files_have_no_such_key():
    whole = replace(RUN, concepts=(Concept("a cat"), Concept("a red hat", part_of="a cat")))
    assert from_json(whole.to_json()) == whole
    assert [sorted(concept) for concept in RUN.to_json()["concepts"]] == [
        ["attributes", "count", "head", "span", "text"]
    ] * 2
    assert from_json(RUN.to_json()) == RUN


def test_the_loading_survives_json_and_is_left_out_where_it_is_the_default():
    options = LoadOptions(dtype="bfloat16", loras=(Lora("/a.safetensors", 0.5),), embeddings=("/b.safetensors",))
    whole = replace(RUN, loading=options)
    assert from_json(json.loads(json.dumps(whole.to_json()))) == whole
    assert "loading" not in RUN.to_json()


@pytest.mark.parametrize("field", OTHERS)
def test_the_digest_depends_on_every_field(field: str):
    changes: dict[str, Any] = {field: OTHERS[field]}
    assert replace(RUN, **changes).digest != RUN.digest


def test_every_field_is_among_those_the_digest_is_tested_for():
    assert set(OTHERS) == set(Run.__dataclass_fields__)


def test_an_image_depends_on_its_own_method_and_seed_only():
    method = RUN.methods[1]
    alone = replace(RUN, methods=(method,), seeds=(1,))
    assert RUN.image_parameters(method, 1) == alone.image_parameters(method, 1)
    assert RUN.image_parameters(method, 1) != RUN.image_parameters(method, 0)


def test_the_digest_ignores_the_order_of_keys():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


def broken(path: str, value: Any) -> Any:
    data = RUN.to_json()
    *parents, last = path.split(".")
    inner: Any = data
    for key in parents:
        inner = inner[int(key)] if key.isdigit() else inner[key]
    inner[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("prompt", 3, "run.prompt"),
        ("seeds", "0", "run.seeds"),
        ("seeds", [0.5], "run.seeds"),
        ("seeds", [True], "run.seeds"),
        ("sampling.height", "64", "run.sampling.height"),
        ("sampling.num_inference_steps", 2.0, "run.sampling.num_inference_steps"),
        ("sampling.extra", 1, "run.sampling"),
        ("extra", 1, "run"),
        ("full_trace", 1, "run.full_trace"),
        ("methods", [{"name": "cfg"}], "run.methods"),
        ("methods.0.parameters", [], "run.methods.parameters"),
        ("concepts", ["a red book"], "run.concepts"),
        ("concepts.0.span", [1], "run.concepts.span"),
        ("concepts.0.span", ["a", "b"], "run.concepts.span"),
        ("concepts.0.count", "one", "run.concepts.count"),
        ("concepts.0.attributes", [None], "run.concepts.attributes"),
        ("model", None, "run.model"),
    ],
)
def test_a_broken_description_is_refused_naming_the_key(path: str, value: Any, named: str):
    with refuses(named):
        from_json(broken(path, value))


@pytest.mark.parametrize("data", [None, [], "run", {}])
def test_what_is_no_description_at_all_is_refused(data: Any):
    with refuses("run", "must have exactly"):
        from_json(data)
