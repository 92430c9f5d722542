"""The OpenAPI document and its page: complete, consistent, and free of other people's servers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

from starlette.applications import Starlette

from poise.finesse import nodes
from poise.server.webservices.openapi import document, documentation, page
from poise.server.webservices.routes import RESOURCES
from tests.support.asgi import get


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield path, method, operation


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for child in value.values():
            yield from references(child)
    elif isinstance(value, list):
        for child in value:
            yield from references(child)


def test_every_method_of_every_resource_is_there() -> None:
    told = {(path, method.upper()) for path, method, _ in operations()}
    served = {(nodes.ROOT + resource.path, method) for resource in RESOURCES for method in resource.handlers}
    assert told == served | {(f"{nodes.ROOT}/SystemInfo", "GET")}


def test_every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own() -> None:
    schemas = document()["components"]["schemas"]
    for reference in references(document()):
        assert reference.removeprefix("#/components/schemas/") in schemas
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))


def test_every_variable_of_a_path_is_a_parameter_and_everything_is_said_in_words() -> None:
    for path, _, operation in operations():
        item = document()["paths"][path]
        named = [parameter["name"] for parameter in item.get("parameters", ())]
        assert named == re.findall(r"{(\w+)}", path)
        assert operation["summary"]
        assert {"500"} <= set(operation["responses"])


async def _served(path: str) -> tuple[int, dict[str, str], str]:
    return await get(Starlette(routes=documentation()), path)


def test_both_are_served_and_the_page_needs_no_other_site() -> None:
    status, headers, body = asyncio.run(_served("/openapi.json"))
    assert (status, headers["content-type"]) == (200, "application/json")
    assert '"openapi": "3.1.0"' in body
    status, headers, body = asyncio.run(_served("/docs"))
    assert status == 200
    assert "default-src 'none'" in headers["content-security-policy"]
    assert body == page()
    assert "<script" not in body
    assert not re.search(r"(src|href)=.?https?:", body)
    assert "/finesse/api/ReasonCode/{number}" in body
