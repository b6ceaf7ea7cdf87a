"""The OpenAPI document of a whole server says what the server does, with examples that are true."""

from typing import Any

import httpx
import msgspec
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from farhand.server.composing import build
from farhand.server.rest.operation import Operation
from farhand.server.rest.routes import api_operations
from farhand.server.settings import ServerSettings
from tests.server.rest.harness import place


def whole() -> FastAPI:
    app = build(ServerSettings(), lambda _: None).app
    assert isinstance(app, FastAPI)
    return app


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return whole().openapi()


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_has_an_example_of_what_goes_in_and_out(document: dict[str, Any]) -> None:
    found = operations(document)
    assert len(found) > 60
    for name, operation in found:
        body = operation.get("requestBody", {}).get("content", {})
        assert all("example" in media for media in body.values()), name
        answers = [a for status, a in operation["responses"].items() if status[0] in "23"]
        assert answers, name
        media = answers[0].get("content", {}).get("application/json")
        assert media is None or "example" in media, name
        assert operation["summary"], name


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))


def test_nothing_below_v1_is_left_out(document: dict[str, Any]) -> None:
    described = {name for name, _ in operations(document)}
    aliases = {"/v1/service/{service_id}/rooms", "/v1/service/{service_id}/rooms/{room_id}"}
    routes = [route for route in _routes(whole()) if route.path.startswith("/v1/")]
    assert len(routes) > 60
    for route in routes:
        for method in route.methods or ():
            assert f"{method} {route.path}" in described or route.path in aliases


def _routes(app: Any) -> list[APIRoute]:
    found: list[APIRoute] = []
    for route in app.routes:
        inner = getattr(route, "original_router", None)
        found += _routes(inner) if inner is not None else [route]
    return [route for route in found if isinstance(route, APIRoute)]


async def test_the_examples_are_of_the_types_that_are_decoded() -> None:
    async with place() as here:
        own: list[Operation] = api_operations(here.context).all
    for one in own:
        for kind, example in ((one.body, one.body_example), (one.answer, one.example)):
            if example is not None:
                assert msgspec.convert(msgspec.to_builtins(example), kind) == example


@pytest.mark.parametrize("prefix", ["", "/robots"])
async def test_the_page_at_docs_needs_nothing_from_elsewhere(prefix: str) -> None:
    async with place(root_path=prefix) as here:
        page = await here.http.get("/docs")
        assert page.status_code == 200
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in page.text
        assert "<style" not in page.text
        base = httpx.URL(f"http://farhand.test{prefix}/docs")
        for link in ("docs/docs.css", "docs/docs.js", "openapi.json"):
            assert link in page.text
            got = base.join(link)
            assert got.path == f"{prefix}/{link}"
            answer = await here.http.get(got.path.removeprefix(prefix))
            assert answer.status_code == 200
            assert b"http://" not in answer.content
