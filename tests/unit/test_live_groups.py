"""What subscribers of one stream are sent, whatever their pace."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.projections.reads.frames import HEARTBEAT, Rows, changes_between, encode
from services.projections.reads.groups import DELTAS_KEPT_MAX, Group, frames_for

LATER = datetime.now(UTC) + timedelta(days=1)
Content = dict[str, Any]

rows = st.dictionaries(st.sampled_from("abcd"), st.fixed_dictionaries({"n": st.integers(0, 3)}))


def told(chunk: bytes) -> list[tuple[str, Any]]:
    events = []
    for block in chunk.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in fields:
            events.append((fields["event"], json.loads(fields["data"])))
    return events


def applied(held: Content, chunk: bytes) -> Content:
    for name, data in told(chunk):
        if name == "reset":
            held = {}
        elif name == "snapshot":
            held = {row["key"]: row for row in data["rows"]}
        else:
            for change in data["changes"]:
                if change["op"] == "DELETE":
                    del held[change["key"]]
                else:
                    held[change["key"]] = change["row"]
    return held


def keyed(content: Content) -> Rows:
    return {key: encode({"key": key, **row}) for key, row in content.items()}


def clear(rows_: Rows) -> Content:
    return {key: json.loads(row) for key, row in rows_.items()}


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


async def frame(sent: AsyncGenerator[bytes, None]) -> bytes:
    return await asyncio.wait_for(anext(sent), 5)


@given(before=rows, after=rows)
def test_changes_turn_one_set_of_rows_into_the_other(before: Content, after: Content) -> None:
    held = keyed(before)
    for key, row in changes_between(keyed(before), keyed(after)).items():
        assert held.get(key) != row
        if row is None:
            del held[key]
        else:
            held[key] = row
    assert held == keyed(after)


@given(states=st.lists(rows, min_size=1, max_size=8), pauses=st.lists(st.booleans(), min_size=8, max_size=8))
def test_every_pace_ends_with_the_same_rows(states: list[Content], pauses: list[bool]) -> None:
    async def story() -> None:
        group = Group(1, keyed(states[0]))
        sent = frames_for(group, [group.snapshot()], until=LATER, heartbeat_s=0.01)
        held = applied({}, await frame(sent))
        for position, (state, pause) in enumerate(zip(states[1:], pauses, strict=False), start=2):
            group.advance(position, changes_between(group.rows, keyed(state)))
            if not pause:
                held = applied(held, await frame(sent))
        while held != clear(group.rows):
            held = applied(held, await frame(sent))
        await sent.aclose()

    run(story)


def test_a_slow_client_starts_anew_and_nothing_piles_up_for_it() -> None:
    async def story() -> None:
        group = Group(0, keyed({"a": {"n": 0}}))
        sent = frames_for(group, [group.snapshot()], until=LATER)
        await frame(sent)
        for position in range(1, DELTAS_KEPT_MAX + 10):
            group.advance(position, keyed({"a": {"n": position}}))
        assert [name for name, _ in told(await frame(sent))] == ["reset", "snapshot"]
        await sent.aclose()

    run(story)


def test_rows_that_were_exchanged_reset_even_at_the_same_position() -> None:
    async def story() -> None:
        group = Group(5, keyed({"a": {"n": 1}}))
        sent = frames_for(group, [group.snapshot()], until=LATER)
        group.restart(5, keyed({"a": {"n": 1}}))
        await frame(sent)
        assert [name for name, _ in told(await frame(sent))] == ["reset", "snapshot"]
        await sent.aclose()

    run(story)


def test_silence_is_broken_by_heartbeats_and_ended_by_the_token_or_the_process() -> None:
    async def story() -> None:
        group = Group(5, {})
        expiring = frames_for(group, [], until=datetime.now(UTC) + timedelta(seconds=0.3), heartbeat_s=0.05)
        await frame(expiring)
        assert await frame(expiring) == HEARTBEAT
        rest = [chunk async for chunk in expiring]
        assert rest
        assert set(rest) == {HEARTBEAT}
        lasting = frames_for(group, [], until=LATER)
        await frame(lasting)
        group.close()
        assert [chunk async for chunk in lasting] == []

    run(story)


def test_heartbeats_come_among_deltas_too() -> None:
    async def story() -> None:
        group = Group(0, keyed({"a": {"n": 0}}))
        sent = frames_for(group, [], until=LATER, heartbeat_s=0.05)
        await frame(sent)
        received = []
        for position in range(1, 9):
            group.advance(position, keyed({"a": {"n": position}}))
            received.append(await frame(sent))
            await asyncio.sleep(0.02)
        assert HEARTBEAT in received
        await sent.aclose()

    run(story)
