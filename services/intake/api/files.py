"""The routes of files."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from services.intake.api.multipart import read_upload
from services.intake.application.files import Files, StoreFile
from shared.runtime.command_http import COMMAND_PROBLEMS, sent_with
from shared.runtime.identifiers import new_id
from shared.runtime.web import Answer, Operation, Request, json_answer

_UPLOADS_MAX: Final = 8
"""At a time, since each is held in memory whole."""
_MULTIPART: Final[dict[str, Any]] = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "required": ["file"],
            "properties": {"file": {"type": "string", "format": "binary"}},
        }
    }
}


class FileAnswer(msgspec.Struct, frozen=True, kw_only=True):
    file_id: UUID
    digest: str
    size: int
    media_type: str


def operations(files: Files) -> Sequence[Operation]:
    uploads = asyncio.Semaphore(_UPLOADS_MAX)

    async def store(request: Request) -> Answer:
        async with uploads:
            media_type, content = await read_upload(
                request.headers.get(b"content-type", b""), request.chunks()
            )
            file_id = new_id()
            digest = await asyncio.to_thread(files.digest, content)
            body = StoreFile(file_id=file_id, digest=digest, size=len(content), media_type=media_type)
            # The id is the server's, so it is no part of what a repeated key is compared by.
            sent = sent_with(request, msgspec.structs.replace(body, file_id=UUID(int=0)))
            stored = await files.store(sent, file_id, body, content)
        event = stored.event
        told = FileAnswer(
            file_id=stored.file_id, digest=event.digest, size=event.size, media_type=event.media_type
        )
        return json_answer(told, 201)

    async def read(request: Request) -> Answer:
        file_id = request.id("file_id")
        event, content = await files.read(file_id, request.actor)
        headers = (
            (b"content-disposition", b'attachment; filename="%b"' % str(file_id).encode()),
            (b"cache-control", b"no-store"),
        )
        return Answer(200, content, headers, event.media_type.encode())

    return (
        Operation(
            method="POST",
            path="/v1/files",
            name="store-file",
            summary="Store a file, sealed.",
            tag="beside cases",
            handler=store,
            streams_body=True,
            body_media=_MULTIPART,
            answers={201: FileAnswer},
            problems=(400, 413, *COMMAND_PROBLEMS),
            headers=("Idempotency-Key", "?Anjie-Import", "?Accept-Language"),
        ),
        Operation(
            method="GET",
            path="/v1/files/{file_id}",
            name="read-file",
            summary="A file, for those who see a case that names it in the clear.",
            tag="beside cases",
            handler=read,
            answers={200: "*/*"},
            problems=(403,),
        ),
    )
