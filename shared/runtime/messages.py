"""Messages between a process and its child, over the child's standard input and output.

They are pickled, since each side trusts the other as itself.
"""

import asyncio
import pickle
import struct
from typing import Any, BinaryIO, Final

_LENGTH: Final = struct.Struct(">I")
"""What stands before a message."""


def packed(message: object) -> bytes:
    content = pickle.dumps(message)
    return _LENGTH.pack(len(content)) + content


def next_message(source: BinaryIO) -> Any:
    """The child's next message; None at the end."""
    head = source.read(_LENGTH.size)
    return pickle.loads(source.read(*_LENGTH.unpack(head))) if head else None


async def answer(source: asyncio.StreamReader) -> Any:
    """What a child says next. Raises: asyncio.IncompleteReadError, where it has ended."""
    [length] = _LENGTH.unpack(await source.readexactly(_LENGTH.size))
    return pickle.loads(await source.readexactly(length))
