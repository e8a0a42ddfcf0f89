from semguide.server.job_store import JobStore
from semguide.server.jobs import Job, Status
from semguide.server.settings import Limits
from server.test_batching import job


def ended(size: int) -> Job:
    made = job(seeds=(0,))
    made.pictures[0].png = bytes(size)
    made.move(Status.running)
    made.move(Status.done)
    return made


def left(limits: Limits, jobs: list[Job]) -> list[bool]:
    kept = JobStore(limits)
    for each in jobs:
        kept.add(each)
    kept.forget()
    return [kept.find(each.id) is each for each in jobs]


def test_the_oldest_finished_jobs_are_forgotten_and_no_unfinished_one():
    assert left(Limits(kept=1), [job(), ended(1), ended(1), job()]) == [True, False, True, True]


def test_images_take_no_more_memory_than_they_may():
    assert left(Limits(kept_bytes=25), [ended(10), ended(10), ended(10)]) == [False, True, True]


def test_the_latest_job_is_kept_however_large():
    assert left(Limits(kept_bytes=5), [ended(10), ended(10)]) == [False, True]
