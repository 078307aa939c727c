"""Logs: structured, one static name per event, ids as fields, never personal data."""

import logging
import sys
from typing import Final, TextIO

import msgspec
import structlog
from structlog.contextvars import merge_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

from shared.runtime.settings import LogForm

_QUIET: Final = ("uvicorn.access", "uvicorn.error", "asyncio", "httpx", "psycopg.pool")
"""Loggers of which only warnings are of interest; the product itself logs its start, requests and end."""


def configure_logs(form: LogForm | None, stream: TextIO = sys.stderr) -> None:
    """Sends every log line of the process to `stream`, as lines for a terminal or as JSON objects."""
    if form is None:
        form = "console" if stream.isatty() else "json"
    shared: list[Processor] = [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    rendering: list[Processor]
    # Local variables of a frame may be personal data, so a traceback goes without them in either form.
    if form == "console":
        rendering = [
            structlog.dev.ConsoleRenderer(
                colors=stream.isatty(), timestamp_key="at", exception_formatter=structlog.dev.plain_traceback
            )
        ]
    else:
        transformer = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        renderer = structlog.processors.ExceptionRenderer(transformer)
        rendering = [renderer, structlog.processors.JSONRenderer(serializer=_json)]
    # Our own lines go straight to the stream: by way of the standard loggers each would cost five times more.
    structlog.configure(
        processors=[*shared, *rendering],
        logger_factory=structlog.WriteLoggerFactory(stream),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_name_foreign, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # It tells every attempt to reach a broker that is away; who uses it says once that it waits.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)


def _json(event: EventDict, **_: object) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


def _name_foreign(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A library's line has its logger as the static name and its text as a field."""
    record = event["_record"]
    event["detail"] = event["event"]
    event["event"] = record.name
    return event
