"""The OpenAPI document and the application agree: nothing it doesn't say, and never a server error."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.conftest import Database
from tests.e2e.conftest import Town, build_town, serving
from tests.e2e.reading import projecting

_CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    ignored_auth,
    unsupported_method,
]
_EXAMPLES: Final = 6
_NOBODYS: Final = "01932f4a-8a00-7000-8000-000000000037"
_ENDLESS: Final = r"^/v1/(streams/|events)"
"""Answers that go on until the client leaves; their own tests read them."""


@schemathesis.serializer("application/x-ndjson")
def ndjson(context: Any, value: Any) -> bytes:
    return value.encode("utf-8", "replace") if isinstance(value, str) else json.dumps(value).encode()


@pytest.fixture(scope="module")
def api(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The document of a running application in which there is something to hit upon."""
    with serving(module_database, tmp_path_factory.mktemp("data")) as anjie, projecting(module_database):
        town = build_town(anjie)
        ids, dice = _ids(town), Random("what to hit upon")
        schema = schemathesis.openapi.from_url(f"{anjie.base_url}/openapi.json")

        @schema.auth()
        class Tokens:
            def get(self, case: Any, context: Any) -> str:
                people = (town.leader, town.village_officer, town.township_officer, town.supervisor)
                return dice.choice((*people, town.operator)).token

            def set(self, case: Any, data: str, context: Any) -> None:
                case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}

        @schema.hook
        def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> Any:
            return {
                name: dice.choice(ids[name]) if name in ids and dice.random() < 0.7 else value
                for name, value in (path_parameters or {}).items()
            }

        @schema.hook
        def map_query(context: Any, query: dict[str, Any] | None) -> Any:
            # Waiting for what isn't there yet ends in 503 by contract, after a while.
            return {name: value for name, value in (query or {}).items() if name != "min_position"}

        yield schema.exclude(path_regex=_ENDLESS)


def _ids(town: Town) -> dict[str, list[str]]:
    opened = [town.open_case() for _ in range(3)]
    figure = {"measure": "backlog", "parameters": {}, "position": opened[-1]["position"]}
    for case in opened[1:]:
        town.leader.done(f"/v1/cases/{case['case_id']}/accept-case", version=1)
    return {
        "case_id": [case["case_id"] for case in opened],
        "unit_id": [town.village, town.other_group],
        "publication_id": [town.village_officer.done("/v1/publications", figure)["publication_id"]],
        "import_id": [town.operator.done("/v1/imports", {"unit": town.village, "note": "x"})["import_id"]],
    }


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_is_as_documented(api: Any, mode: GenerationMode) -> None:
    failures: list[str] = []
    operations = 0
    for result in api.get_all_operations():
        operation = result.ok()
        operations += 1

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=_EXAMPLES,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def fits(case: Any) -> None:
            case.call_and_validate(checks=_CHECKS)

        try:
            fits()
        except (FailureGroup, Failure) as failure:
            failures.append(f"{operation.label}: {failure}")
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, "nothing can be wrong with a request that has no parts"
    assert not failures, "\n\n".join(failures)
    assert operations > 80


def test_every_example_of_a_body_is_one(api: Any) -> None:
    """Whatever the rules then say of it: every refusal but that of its shape."""
    examples = 0
    for result in api.get_all_operations():
        operation = result.ok()
        content = (operation.definition.raw.get("requestBody") or {}).get("content", {})
        media = content.get("application/json")
        if media is None:
            continue
        examples += 1
        headers = {"Idempotency-Key": operation.label, "If-Match": '"1"'}
        in_path = {parameter.name: _NOBODYS for parameter in operation.path_parameters}
        case = operation.Case(
            path_parameters=in_path,
            headers=headers,
            body=media["example"],
            media_type="application/json",
        )
        answer = case.call()
        assert answer.json().get("type") != "/problems/invalid", (operation.label, answer.text)
    assert examples > 60
