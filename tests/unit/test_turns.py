"""Turns: one at a time on a case, in order, whoever gives up meanwhile."""

import asyncio
import contextlib
from uuid import UUID, uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.runtime.turns import Turns

CASES = [uuid4() for _ in range(3)]

commands = st.lists(
    st.tuples(
        st.lists(st.sampled_from(CASES), max_size=2),
        st.integers(0, 3),
        st.one_of(st.none(), st.integers(0, 6)),
    ),
    max_size=12,
)
"""Each with its cases, for how many steps it works, and after how many it is cancelled, if at all."""


@settings(max_examples=200)
@given(commands)
def test_nobody_shares_a_case_and_nobody_is_forgotten(
    commands: list[tuple[list[UUID], int, int | None]],
) -> None:
    async def run() -> None:
        turns, inside, done = Turns(), list[UUID](), list[int]()

        async def work(number: int, cases: list[UUID], steps: int) -> None:
            async with turns.of(cases):
                assert not set(cases) & set(inside)
                inside.extend(set(cases))
                try:
                    for _ in range(steps):
                        await asyncio.sleep(0)
                finally:
                    for case in set(cases):
                        inside.remove(case)
                done.append(number)

        tasks = [asyncio.create_task(work(n, cases, steps)) for n, (cases, steps, _) in enumerate(commands)]
        for step in range(8):
            for task, (_, _, cancelled_after) in zip(tasks, commands, strict=True):
                if cancelled_after == step:
                    task.cancel()
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            for task in tasks:
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        assert len(turns) == 0
        stayed = {number for number, command in enumerate(commands) if command[2] is None}
        assert stayed <= set(done)

    asyncio.run(run())


def test_those_who_wait_go_in_the_order_in_which_they_came() -> None:
    async def run() -> None:
        turns, order = Turns(), list[int]()

        async def work(number: int) -> None:
            async with turns.of(CASES[:1]):
                await asyncio.sleep(0)
                order.append(number)

        await asyncio.gather(*(work(number) for number in range(20)))
        assert order == list(range(20))

    asyncio.run(run())
