"""Reading Kafka in a process of its own, so that a worker's interpreter is there for telling.

`python -m services.projections.kafka_process PARENT` is told by its standard input how to reach Kafka, then
which method of its reader to call, and answers each on its standard output. It ends with its input. While
it isn't called it doesn't poll, so the group goes on without a worker that is paused or hangs.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from contextlib import closing, suppress
from typing import Any, BinaryIO, Final, Self, cast

from kafka.errors import KafkaConnectionError, KafkaError

from services.projections.kafka_reader import HEARTBEAT_MS, Hint, KafkaReader, Taken
from shared.runtime.garbage import BATCH_YOUNG_MAX, rarely_collected
from shared.runtime.logs import configure_logs
from shared.runtime.messages import answer, next_message, packed
from shared.runtime.parentage import end_with_parent
from shared.runtime.settings import KafkaSettings

_BUFFER_BYTES: Final = 1024 * 1024
_CLOSE_S: Final = 10.0


class KafkaProcess:
    """A `KafkaReader` in a child process; its methods are called one at a time."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()
        self._attending = asyncio.create_task(self._attend())
        self.partitions = 0
        """How many the topic has."""

    @classmethod
    async def open(cls, kafka: KafkaSettings, *, records_max: int) -> Self:
        """Raises: kafka.errors.KafkaError, where no broker answers or the topics aren't there."""
        # A session of its own: Ctrl-C at a terminal is for the parent, which ends this one.
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            __name__,
            str(os.getpid()),
            stdin=PIPE,
            stdout=PIPE,
            limit=_BUFFER_BYTES,
            start_new_session=True,
        )
        opened = cls(process)
        try:
            opened.partitions = await opened._answer(kafka, records_max)
        except BaseException:
            await opened.close()
            raise
        return opened

    async def _attend(self) -> None:
        """Has the process stay in the group for as long as this one is alive, whatever else it waits for."""
        while True:
            await asyncio.sleep(HEARTBEAT_MS / 1000)
            if not self._turn.locked():
                await asyncio.shield(self._call(("attend",)))

    async def shards(self) -> list[int]:
        return cast(list[int], await self._answer("shards"))

    async def begin(self, positions: Mapping[int, int], source: str) -> bool | None:
        return cast(bool | None, await self._answer("begin", positions, source))

    async def read(self, told: Mapping[int, int], hint: Hint | None) -> Taken | None:
        return cast(Taken | None, await self._answer("read", told, hint))

    async def _answer(self, *message: Any) -> Any:
        """The answer of a method to its arguments. A call that is cancelled comes to its end nevertheless.

        Raises: kafka.errors.KafkaError, also where the process has ended.
        """
        answered = await asyncio.shield(self._call(message))
        if isinstance(answered, KafkaError):
            raise answered
        return answered

    async def _call(self, message: tuple[Any, ...]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        async with self._turn:
            try:
                # A pipe found broken is closed by then, and uvloop answers a write to it with a RuntimeError.
                if not self._process.stdin.is_closing():
                    self._process.stdin.write(packed(message))
                    await self._process.stdin.drain()
                    return await answer(self._process.stdout)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            return KafkaConnectionError("the process that reads Kafka has ended")

    async def close(self) -> None:
        """Lets the process leave the group and end; one that hangs, or isn't waited for, is killed."""
        self._attending.cancel()
        assert self._process.stdin is not None
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S), self._turn:
                    self._process.stdin.close()
                    await self._process.wait()
        finally:
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()


def main() -> None:
    """Opens a reader and answers calls until there are no more."""
    end_with_parent(int(sys.argv[1]))
    configure_logs(None)
    calls, answers = sys.stdin.buffer, sys.stdout.buffer
    opening = next_message(calls)
    if opening is None:
        return
    kafka, records_max = opening
    try:
        reader = KafkaReader(kafka, records_max=records_max)
    except KafkaError as error:
        _say(answers, error)
        return
    with closing(reader), rarely_collected(young_max=BATCH_YOUNG_MAX):
        _say(answers, reader.partitions)
        while (call := next_message(calls)) is not None:
            method, *arguments = call
            try:
                answered = getattr(reader, method)(*arguments)
            except KafkaError as error:
                answered = error
            _say(answers, answered)


def _say(answers: BinaryIO, message: object) -> None:
    answers.write(packed(message))
    answers.flush()


if __name__ == "__main__":
    main()
