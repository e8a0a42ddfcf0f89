import pytest

from semguide import SGT
from semguide.runs.methods import build_rule, describe_method, method_names
from support.live_server import PROMPT, Live
from support.refusals import refuses

NUMBERS = [
    (name, parameter)
    for name in method_names()
    for parameter in describe_method(name)["parameters"]
    if parameter["type"] != "string"
]

BESIDE = {"concept_weight": {"prompt_weight": 1.0}, "start": {"stop": 1.0}, "stop": {"start": 0.0}}
"""What another parameter must be for the bound to be allowed."""


def test_a_prompt_is_split_with_its_spans(live: Live):
    reply = live.http.post("/v1/concepts", json={"prompt": PROMPT}).json()
    assert [PROMPT[slice(*concept["span"])] for concept in reply["concepts"]] == ["a red book", "a yellow vase"]
    assert reply["concepts"][0]["attributes"] == ["red"]


def test_every_method_is_listed_with_its_parameters(live: Live):
    reply = live.http.get("/v1/methods").json()
    assert [method["name"] for method in reply["methods"]] == method_names()
    strength = reply["methods"][0]["parameters"][0]
    assert {key: strength[key] for key in ("name", "type", "default", "minimum", "maximum")} == {
        "name": "strength",
        "type": "number",
        "default": SGT().strength,
        "minimum": 0.0,
        "maximum": 100.0,
    }
    assert reply["limits"]["images"] == 6


def test_a_parameter_that_takes_words_is_listed_with_all_of_them(live: Live):
    reply = live.http.get("/v1/methods").json()
    listed = {m["name"]: {p["name"]: p for p in m["parameters"]} for m in reply["methods"]}
    degraded, threshold = listed["cdg"]["degraded"], listed["sgt-v1"]["subject_threshold"]
    assert (degraded["type"], degraded["choices"]) == ("string", ["prompt", "concepts"])
    assert (threshold["type"], threshold["choices"], threshold["maximum"]) == ("number", ["auto"], 1.0)


@pytest.mark.parametrize(("name", "parameter"), NUMBERS, ids=[f"{name}.{p['name']}" for name, p in NUMBERS])
def test_the_range_of_a_parameter_is_the_one_that_its_rule_checks(name: str, parameter: dict):
    kind = {"number": float, "integer": int}[parameter["type"]]
    low, high = parameter["minimum"], parameter["maximum"]
    assert low is not None
    for bound, beyond in ((low, low - 1), (high, None if high is None else high + 1)):
        if bound is not None and beyond is not None:
            build_rule(name, {**BESIDE.get(parameter["name"], {}), parameter["name"]: kind(bound)}, 5.0)
            with refuses(parameter["name"]):
                build_rule(name, {parameter["name"]: kind(beyond)}, 5.0)


def test_the_metrics_count_what_was_done(live: Live):
    before = live.metric('semguide_denoiser_evaluations_total{method="cfg"}')
    live.events(live.start(steps=3, method="cfg")["id"])
    assert live.metric('semguide_denoiser_evaluations_total{method="cfg"}') == before + 6
    assert live.metric('semguide_image_seconds_count{method="cfg"}') >= 1
    assert live.metric('semguide_requests_total{method="POST",status="202"}') >= 1
    assert live.metric("process_resident_memory_bytes") > 0
