import asyncio

import pytest

from semguide.server.jobs import Event, EventLog, Job, JobStore, Status
from semguide.server.settings import Limits
from server.test_batching import job


async def collect(log: EventLog, last: int = 0) -> list[str]:
    return [event.name async for event in log.follow(last) if event is not None]


def test_events_published_before_and_while_following_all_arrive():
    log = EventLog()
    log.publish("queued", {})

    async def main() -> list[str]:
        following = asyncio.create_task(collect(log))
        await asyncio.sleep(0)
        assert log.followers == 1
        for name in ("started", "done"):
            await asyncio.to_thread(log.publish, name, {})
        return await following

    assert asyncio.run(main()) == ["queued", "started", "done"]
    assert not log.followers


def test_silence_is_noticed():
    log = EventLog()

    async def main() -> object:
        following = log.follow(keep_alive=0.01)
        await anext(following)
        return await anext(following)

    assert asyncio.run(main()) is None


def test_a_follower_is_counted_at_once():
    log = EventLog()

    async def main() -> tuple[object, int]:
        following = log.follow()
        return await anext(following), log.followers

    assert asyncio.run(main()) == (None, 1)


def test_an_event_replaces_earlier_ones_of_its_name_with_the_same_values():
    log = EventLog()
    for image, url in ((0, "a"), (1, "b"), (0, "c")):
        log.publish("preview", {"image": image, "url": url}, {"image": image})
    assert [(event.id, event.data["url"]) for event in log.since(0)] == [(2, "b"), (3, "c")]


def test_numbers_that_json_does_not_have_are_sent_as_null():
    event = Event(1, "step", {"trace": {"similarity": [float("nan"), 0.5]}, "scale": float("inf")})
    assert event.encode().endswith('data: {"trace": {"similarity": [null, 0.5]}, "scale": null}\n\n')


@pytest.mark.parametrize("final", ["done", "failed", "cancelled"])
def test_nothing_follows_the_final_event(final: str):
    log = EventLog()
    log.publish(final, {})
    log.publish("step", {})
    assert log.closed
    assert [event.name for event in log.since(0)] == [final]
    assert asyncio.run(collect(log, last=1)) == []


def test_an_event_is_encoded_as_the_standard_wants_it():
    log = EventLog()
    log.publish("warning", {"message": "two\nlines"})
    assert log.since(0)[0].encode() == 'id: 1\nevent: warning\ndata: {"message": "two\\nlines"}\n\n'


@pytest.mark.parametrize("final", [Status.done, Status.failed, Status.cancelled])
def test_a_job_that_ended_stays_as_it_is(final: Status):
    ended = job()
    ended.set_status(Status.running)
    ended.set_status(final)
    for status in Status:
        with pytest.raises(RuntimeError, match="cannot become"):
            ended.set_status(status)


def test_a_job_is_not_done_before_it_runs():
    with pytest.raises(RuntimeError, match="a job that is queued cannot become done"):
        job().set_status(Status.done)
    assert len({job().id for _ in range(100)}) == 100


def ended(size: int) -> Job:
    finished = job(seeds=(0,))
    finished.images[0].png = bytes(size)
    finished.set_status(Status.running)
    finished.set_status(Status.done)
    return finished


def left(limits: Limits, jobs: list[Job]) -> list[bool]:
    store = JobStore(limits)
    for each in jobs:
        store.add(each)
    store.evict()
    return [store.find(each.id) is each for each in jobs]


def test_the_oldest_finished_jobs_are_forgotten_and_no_unfinished_one():
    assert left(Limits(kept=1), [job(), ended(1), ended(1), job()]) == [True, False, True, True]


def test_images_take_no_more_memory_than_they_may():
    assert left(Limits(kept_bytes=25), [ended(10), ended(10), ended(10)]) == [False, True, True]


def test_the_latest_job_is_kept_however_large():
    assert left(Limits(kept_bytes=5), [ended(10), ended(10)]) == [False, True]
