import asyncio

import pytest

from semguide.server.jobs_events import EventLog


async def collect(feed: EventLog, last: int = 0) -> list[str]:
    return [event.name async for event in feed.follow(last) if event is not None]


def test_events_published_before_and_while_following_all_arrive():
    feed = EventLog()
    feed.publish("queued", {})

    async def main() -> list[str]:
        following = asyncio.create_task(collect(feed))
        await asyncio.sleep(0)
        assert feed.followed
        for name in ("started", "done"):
            await asyncio.to_thread(feed.publish, name, {})
        return await following

    assert asyncio.run(main()) == ["queued", "started", "done"]
    assert not feed.followed


def test_silence_is_noticed():
    feed = EventLog()

    async def main() -> object:
        async for event in feed.follow(patience=0.01):
            return event
        return "ended"

    assert asyncio.run(main()) is None


def test_an_event_replaces_earlier_ones_of_its_name_with_the_same_values():
    feed = EventLog()
    for image, url in ((0, "a"), (1, "b"), (0, "c")):
        feed.publish("preview", {"image": image, "url": url}, {"image": image})
    assert [(event.id, event.data["url"]) for event in feed.since(0)] == [(2, "b"), (3, "c")]


@pytest.mark.parametrize("final", ["done", "failed", "cancelled"])
def test_nothing_follows_the_final_event(final: str):
    feed = EventLog()
    feed.publish(final, {})
    feed.publish("step", {})
    assert feed.over
    assert [event.name for event in feed.since(0)] == [final]
    assert asyncio.run(collect(feed, last=1)) == []


def test_an_event_is_encoded_as_the_standard_wants_it():
    feed = EventLog()
    feed.publish("warning", {"message": "two\nlines"})
    assert feed.since(0)[0].encode() == 'id: 1\nevent: warning\ndata: {"message": "two\\nlines"}\n\n'
