"""Logs: every line of the process has the same form, whoever writes it."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from shared.runtime.logs import configure_logs


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_fields_context_and_level_stand_in_one_object() -> None:
    stream = io.StringIO()
    configure_logs("json", stream)
    structlog.contextvars.bind_contextvars(request_id="r1")
    structlog.get_logger().info("append_stored", position=7, unit_name="城东村")
    (line,) = lines(stream)
    assert line.pop("at").endswith("Z")
    assert line == {
        "event": "append_stored", "level": "info", "position": 7, "unit_name": "城东村", "request_id": "r1"
    }  # fmt: skip


def test_a_library_has_its_logger_as_the_name() -> None:
    stream = io.StringIO()
    configure_logs("json", stream)
    logging.getLogger("uvicorn.error").error("Exception in ASGI application %d", 42)
    logging.getLogger("uvicorn.access").info("GET /v1/cases")
    (line,) = lines(stream)
    assert (line["event"], line["detail"]) == ("uvicorn.error", "Exception in ASGI application 42")


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_has_no_local_variables(form: Any) -> None:
    stream = io.StringIO()
    configure_logs(form, stream)
    try:
        name = "".join(["can", "ary"])
        raise ValueError(len(name))
    except ValueError:
        structlog.get_logger().exception("request_failed")
    assert "request_failed" in stream.getvalue()
    assert "ValueError" in stream.getvalue()
    assert "canary" not in stream.getvalue()
