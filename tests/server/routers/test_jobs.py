import io

import pytest
from PIL import Image

from semguide.runs.png import pixel_hash
from support.live_server import MANY_STEPS, PROMPT, Live, wait_for


def test_events_tell_the_whole_story_in_order(live: Live):
    job = live.start(steps=4, compare=["cfg"], n=2)
    events = live.events(job["id"])
    names = [event["event"] for event in events]
    ids = [event["id"] for event in events]
    assert names[0] == "queued"
    assert names[-1] == "done"
    assert ids == sorted(set(ids))
    assert names.count("image") == 4
    steps = [event["data"] for event in events if event["event"] == "step"]
    assert [(s["image"], s["step"]) for s in steps] == [(i, step) for i in range(4) for step in range(1, 5)]
    assert [(s["method"], s["seed"]) for s in steps[::4]] == [
        ("cfg", 0),
        ("sgt-balanced", 0),
        ("cfg", 1),
        ("sgt-balanced", 1),
    ]


def test_steps_carry_the_trace_that_the_image_reports_later(live: Live):
    events = live.events(live.start(steps=4)["id"])
    steps = [event["data"]["trace"] for event in events if event["event"] == "step"]
    (report,) = [event["data"] for event in events if event["event"] == "image"]
    assert [step is None for step in steps] == [False, False, True, True]
    for name in ("similarity", "gate", "weight"):
        assert [step[name] for step in steps[:2]] == report["trace"][name][:2]


def test_events_go_on_after_the_last_one_seen(live: Live):
    id = live.start(steps=3)["id"]
    events = live.events(id)
    middle = events[len(events) // 2]["id"]
    assert live.events(id, after=middle) == [event for event in events if event["id"] > middle]


def test_a_follower_who_has_seen_the_end_gets_nothing_more(live: Live):
    id = live.start(steps=1)["id"]
    last = live.events(id)[-1]["id"]
    reply = live.http.get(f"/v1/jobs/{id}/events", headers={"Last-Event-ID": str(last)})
    assert (reply.status_code, reply.content) == (204, b"")


def test_previews_come_while_somebody_listens_and_only_the_latest_is_kept(live: Live):
    id = live.start(steps=32)["id"]
    seen = [event["data"] for event in live.events(id) if event["event"] == "preview"]
    again = [event["data"] for event in live.events(id) if event["event"] == "preview"]
    assert 2 <= len(seen) <= 9
    assert again == seen[-1:]
    assert seen[-1]["url"].startswith("data:image/jpeg;base64,")


def test_no_preview_is_made_for_one_who_wants_none(live: Live):
    id = live.start(steps=32)["id"]
    names = {event["event"] for event in live.events(id, previews=False)}
    assert {"step", "image", "done"} <= names
    assert "preview" not in names
    assert "preview" not in {event["event"] for event in live.events(id)}, "nor was one made"


def test_watching_changes_no_image(live: Live):
    id = live.start(steps=4)["id"]
    watched = [event["data"]["pixels"] for event in live.events(id) if event["event"] == "image"]
    body = {"prompt": PROMPT, "semguide": {"steps": 4}}
    unwatched = live.http.post("/v1/images/generations", json=body).json()["data"][0]["semguide"]["pixels"]
    assert watched == [unwatched]


def test_a_job_that_tries_further_seeds_can_be_stopped_at_any_step(live: Live):
    id = live.start(steps=MANY_STEPS, retries=8)["id"]
    wait_for(lambda: live.job(id)["images"][0]["step"])
    live.cancel(id)
    assert live.events(id)[-1]["event"] == "cancelled"
    assert live.job(id)["images"][0]["step"] < 0.4 * MANY_STEPS
    assert live.job(id)["retries"] == 8


def test_a_finished_job_shows_its_images(live: Live):
    job = live.start(steps=2, seeds=[8, 3])
    live.events(job["id"])
    done = live.job(job["id"])
    assert done["status"] == "done"
    assert [(image["seed"], image["status"], image["step"]) for image in done["images"]] == [
        (8, "done", 2),
        (3, "done", 2),
    ]
    for image in done["images"]:
        reply = live.http.get(image["url"])
        assert reply.headers["content-type"] == "image/png"
        assert pixel_hash(Image.open(io.BytesIO(reply.content))) == image["report"]["pixels"]


def test_a_running_job_is_cancelled_at_its_next_step_and_frees_its_place(live: Live):
    job = live.start(steps=MANY_STEPS)
    live.until(job["id"], "running")
    live.cancel(job["id"])
    assert live.until(job["id"], "cancelled")["images"][0]["step"] < MANY_STEPS
    assert live.events(job["id"])[-1]["event"] == "cancelled"
    assert live.events(live.start(steps=1)["id"])[-1]["event"] == "done"


def test_a_waiting_job_is_cancelled_at_once(live: Live):
    first, second, third = (live.start(steps=MANY_STEPS) for _ in range(3))
    live.until(first["id"], "running")
    assert live.job(third["id"])["position"] == 1
    assert live.cancel(second["id"])["status"] == "cancelled"
    assert live.job(third["id"])["position"] == 0
    for job in (first, third):
        live.cancel(job["id"])
    events = live.events(third["id"])
    assert [event["data"]["position"] for event in events if event["event"] == "queued"] == [0]
    assert live.events(second["id"])[-1]["event"] == "cancelled"


def test_cancelling_a_finished_job_leaves_it(live: Live):
    id = live.start(steps=1)["id"]
    live.events(id)
    assert live.cancel(id)["status"] == "done"


def test_a_prompt_without_concepts_is_made_plainly_with_a_warning(live: Live):
    job = live.start(steps=1, prompt="hello", concepts=[])
    assert [method["name"] for method in job["methods"]] == ["cfg"]
    (warning,) = job["warnings"]
    assert warning.startswith("there is no concept to steer")
    assert warning.endswith("name some with semguide.concepts")
    events = live.events(job["id"])
    assert [event["data"]["message"] for event in events if event["event"] == "warning"] == [warning]
    assert events[-1]["event"] == "done"


def test_a_concept_alone_is_drawn_once_as_plain_guidance(live: Live):
    job = live.start(steps=1, prompt="a cat", compare=["cfg"])
    assert [method["name"] for method in job["methods"]] == ["cfg"]
    assert [image["method"] for image in job["images"]] == ["cfg"]
    (warning,) = job["warnings"]
    assert warning.endswith("plain classifier-free guidance (cfg) is drawn, once; name more in semguide.concepts")


def test_the_cost_of_a_job_is_told_before_it_is_made(live: Live):
    options = {"steps": 5, "compare": ["cfg"], "edits": [{"text": "a hat"}]}
    body = {"prompt": PROMPT, "n": 2, "semguide": options}
    told = live.http.post("/v1/jobs/cost", json=body).raise_for_status().json()
    job = live.start(prompt=PROMPT, n=2, **options)
    live.events(job["id"])
    reports = [image["report"] for image in live.job(job["id"])["images"]]
    assert (told["images"], told["most"]) == (4, told["evaluations"])
    assert told["evaluations"] == sum(report["evaluations"] for report in reports)
    assert [cost["evaluations"] for cost in told["methods"]] == [report["evaluations"] for report in reports[:2]]
    refused = live.http.post("/v1/jobs/cost", json={**body, "n": 99})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "n")


def test_concepts_over_the_most_are_left_out_and_told(live: Live):
    job = live.start(steps=1, prompt="a cat, a dog and a cow", max_concepts=2)
    assert [concept["text"] for concept in job["concepts"]] == ["a cat", "a dog"]
    (warning,) = job["warnings"]
    assert "without 'a cow' (more than 2)" in warning
    assert warning.endswith("name those to keep with semguide.concepts, or raise semguide.max_concepts")
    live.events(job["id"])


@pytest.mark.filterwarnings("ignore::semguide.errors.SemguideWarning")
def test_concepts_that_the_encoder_does_not_read_are_left_out_and_told(live: Live):
    job = live.start(steps=1, prompt=f"a red book and a cat {'very ' * 30} and a dog")
    assert [concept["text"] for concept in job["concepts"]] == ["a red book", "a cat"]
    assert "'a dog' (beyond what the text encoder reads)" in job["warnings"][0]
    live.events(job["id"])


def test_the_most_concepts_are_at_most_the_servers_limit(live: Live):
    reply = live.http.post("/v1/jobs", json={"prompt": PROMPT, "semguide": {"max_concepts": 9}})
    assert reply.status_code == 400
    assert reply.json()["error"]["message"].startswith("semguide.max_concepts must be at most")


@pytest.mark.filterwarnings("ignore::semguide.errors.SemguideWarning")
def test_a_prompt_that_is_cut_off_gets_a_warning(live: Live):
    id = live.start(steps=1, prompt=f"{PROMPT} {'and more ' * 20}", concepts=["a red book", "a yellow vase"])["id"]
    (warning,) = [event["data"]["message"] for event in live.events(id) if event["event"] == "warning"]
    assert "cuts off" in warning
    assert "it does not know" not in warning
    assert live.job(id)["warnings"] == [warning]


@pytest.mark.parametrize(
    "path",
    ["", "/events", "/run.json", "/images/0.png", "/images/99.png", "/../../models/x", "/images/..%2f..%2fetc.png"],
)
def test_what_is_not_there_is_not_found(live: Live, path: str):
    job = "0" * 32 if "99" not in path else live.start(steps=1)["id"]
    reply = live.http.get(f"/v1/jobs/{job}{path}")
    assert reply.status_code in {400, 404}
    assert reply.json()["error"]["type"] == "invalid_request_error"


def test_a_field_that_a_job_does_not_have_is_refused(live: Live):
    reply = live.http.post("/v1/jobs", json={"prompt": PROMPT, "quality": "high"})
    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "quality"
