"""Made-up requests against the OpenAPI schema: no answer is a server error, and each is one that the schema names."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from interfaces.serving.conftest import Start

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SMALL = {"steps": 2, "images": 2, "queue": 2, "prompt_length": 60}
KEY = "a-key-of-some-length"
RELAXED = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True, "database": None}


@pytest.fixture(scope="module")
def url(start_server: Start) -> Iterator[str]:
    with start_server(limits=SMALL, api_key=KEY) as live:
        yield live.url


@pytest.fixture
def quick_schema(url: str) -> schemathesis.BaseSchema:
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    schema.config.phases.coverage.enabled = False
    return schema


@pytest.fixture
def whole_schema(url: str) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{url}/openapi.json")


quick = schemathesis.pytest.from_fixture("quick_schema")
whole = schemathesis.pytest.from_fixture("whole_schema")
pytestmark = pytest.mark.filterwarnings("ignore::semguide.adapters.SemguideWarning")


@quick.parametrize()
@settings(max_examples=4, **RELAXED)  # type: ignore[arg-type]
def test_no_request_makes_a_server_error(case: schemathesis.Case):
    case.call_and_validate(headers={"Authorization": f"Bearer {KEY}"}, checks=CHECKS)


@pytest.mark.slow
@whole.parametrize()
@settings(max_examples=60, **RELAXED)  # type: ignore[arg-type]
def test_no_request_of_many_makes_a_server_error(case: schemathesis.Case):
    case.call_and_validate(headers={"Authorization": f"Bearer {KEY}"}, checks=CHECKS)


@pytest.mark.slow
@whole.parametrize()
@settings(max_examples=10, **RELAXED)  # type: ignore[arg-type]
def test_no_request_without_a_key_makes_a_server_error(case: schemathesis.Case):
    case.call_and_validate(checks=CHECKS)
