"""The whole folder: no made-up request is a server error, and each answer is one that the OpenAPI schema names."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from server.conftest import Start

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SMALL = {"steps": 2, "images": 2, "queue": 2, "prompt_length": 60}
KEY = "a-key-of-some-length"
AUTHORIZED = {"Authorization": f"Bearer {KEY}"}
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
OPERATIONS = 15
EVERY_CHECK: Any = list(HealthCheck)
pytestmark = pytest.mark.filterwarnings("ignore::semguide.errors.SemguideWarning")


@pytest.fixture(scope="module")
def schema(start_server: Start) -> Iterator[schemathesis.BaseSchema]:
    with start_server(limits=SMALL, api_key=KEY) as live:
        yield schemathesis.openapi.from_url(f"{live.url}/openapi.json")


def makeable(case: schemathesis.Case) -> schemathesis.Case:
    """Name model, methods, steps and size that there are, so that the request gets as far as its images."""
    body: Any = case.body
    if isinstance(body, dict):
        known = {"method": "sgt", "compare": [], "parameters": {}, "steps": 2, "seeds": None}
        options = body.get("semguide")
        mended = {**options, **known} if isinstance(options, dict) else options
        case.body = {**body, "model": None, "n": 1, "size": "auto", "semguide": mended}
    return case


def try_out(schema: schemathesis.BaseSchema, examples: int, headers: dict[str, str]) -> int:
    """Send made-up requests to every operation, half of them against the schema; return the number of operations."""
    operations: list[Any] = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
    for operation in operations:
        positive, negative = (operation.as_strategy(generation_mode=mode) for mode in MODES)
        for strategy in (positive, negative, positive.map(makeable)):

            @settings(
                max_examples=examples,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=EVERY_CHECK,
            )
            @given(case=strategy)
            def check(case: schemathesis.Case) -> None:
                case.call_and_validate(headers=headers, checks=CHECKS)

            with contextlib.suppress(Unsatisfiable):  # nothing to get wrong where nothing is sent
                check()
    return len(operations)


def test_no_request_makes_a_server_error(schema: schemathesis.BaseSchema):
    assert try_out(schema, 3, AUTHORIZED) == OPERATIONS


@pytest.mark.slow
@pytest.mark.parametrize("headers", [AUTHORIZED, {}], ids=["with the key", "without"])
def test_no_request_of_many_makes_a_server_error(schema: schemathesis.BaseSchema, headers: dict[str, str]):
    assert try_out(schema, 60, headers) == OPERATIONS
