from semguide import SGT
from semguide.runs.methods import method_names
from support.live_server import PROMPT, Live


def test_a_prompt_is_split_with_its_spans(live: Live):
    reply = live.http.post("/v1/concepts", json={"prompt": PROMPT}).json()
    assert [PROMPT[slice(*concept["span"])] for concept in reply["concepts"]] == ["a red book", "a yellow vase"]
    assert reply["concepts"][0]["attributes"] == ["red"]
    assert [concept["kept"] for concept in reply["concepts"]] == [True, True]
    assert not reply["note"]


def test_which_concepts_would_be_kept_is_told(live: Live):
    asked = {"prompt": "a cat, a dog and a cow", "max_concepts": 2}
    reply = live.http.post("/v1/concepts", json=asked).json()
    assert [concept["kept"] for concept in reply["concepts"]] == [True, True, False]
    assert "without 'a cow' (more than 2)" in reply["note"]
    reply = live.http.post("/v1/concepts", json={"prompt": "ein roter Hund auf dem Tisch"}).json()
    assert reply["concepts"] == []
    assert "English only" in reply["note"]


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
