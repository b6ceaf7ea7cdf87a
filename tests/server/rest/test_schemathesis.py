"""Generated requests against the whole interface: never a 5xx, always an answer as described."""

import asyncio
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from farhand.server.composing import build
from farhand.server.settings import Rates, ServerSettings
from tests.server.rest.harness import place, somebody

URL = "http://testserver"
ENDLESS = "1000000/second"
PLENTY = Rates(*[ENDLESS] * 6)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
FEW = settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)


def tried(app: Any) -> int:
    """Send generated requests to each operation; return how many operations there were."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    count = 0
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @FEW
        @given(case=operation.as_strategy())
        def sent(case: Any) -> None:
            case.call_and_validate(checks=CHECKS)

        sent()
        count += 1
    return count


@pytest.mark.slow
def test_an_admin_never_breaks_it() -> None:
    built = build(ServerSettings(public_url=URL, rates=PLENTY), lambda _: None)
    assert tried(built.app) > 60


@pytest.mark.slow
async def test_an_operator_never_breaks_it() -> None:
    known = {"": somebody("driver", "operator", "default")}
    async with place(known, public_url=URL) as here:
        # The requests are sent from a thread with a loop of its own: nothing here waits meanwhile.
        assert await asyncio.to_thread(tried, here.app) > 40
