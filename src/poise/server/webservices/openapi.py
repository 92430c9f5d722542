"""The OpenAPI 3.1 document of the whole API, and a page to read it: both made from the tables that serve the requests.

Nothing here is written by hand but the words that are true of every resource. The page is plain HTML from this server:
no script, no other site.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from poise import __version__
from poise.finesse import nodes
from poise.finesse.api_errors import CATALOGUE
from poise.finesse.configuration.fields import schema
from poise.finesse.configuration.table import ROWS
from poise.server.webservices.configuration.endpoints import Endpoint
from poise.server.webservices.configuration.routes import ENDPOINTS
from poise.server.webservices.routes import RESOURCES

Json = dict[str, Any]

USUAL = {"GET": (200, 401, 404), "POST": (202, 400, 401, 404), "PUT": (202, 400, 401, 404)}
"""Statuses of run-time resources, by method; results of PUT and POST come as events."""
ALWAYS = (500, 503)
MEANINGS: Mapping[int, str] = {
    200: "Done.",
    202: "Accepted; run-time results come as an event.",
    206: "Some of the objects; Content-Range says which.",
}
DOCUMENT_PATH, PAGE_PATH = "/openapi.json", "/docs"
HEADERS = {"cache-control": "no-cache", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
PAGE_HEADERS = {
    **HEADERS,
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
}


@cache
def document() -> Json:
    """The document."""
    told = {(endpoint.path, endpoint.method): endpoint for endpoint in ENDPOINTS}
    paths: Json = {f"{nodes.ROOT}/SystemInfo": {"get": _system_info()}}
    for resource in RESOURCES:
        item: Json = {}
        for method, handler in resource.handlers.items():
            endpoint = told.get((resource.path, method))
            doc = " ".join((handler.__doc__ or "").split())
            item[method.lower()] = _operation(endpoint) if endpoint is not None else _usual(resource.path, method, doc)
        item["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            for name in re.findall(r"{(\w+)}", resource.path)
        ]
        paths[nodes.ROOT + resource.path] = item
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Poise",
            "version": __version__,
            "description": "Finesse-compatible web services. Answers are XML; with `Accept: application/json` the same "
            "objects come as JSON. Every refusal has a stable code in the header `poise-code`, which `poise explain` "
            "explains.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
            "schemas": {**_schemas(), "ApiErrors": _errors()},
        },
        "security": [{"basic": []}],
    }


def _schemas() -> Json:
    found: Json = {}
    for row in ROWS:
        found[row.name] = {**schema(row.fields), "description": row.doc}
        found[f"{row.name}ToMake"] = schema(row.fields, making=True)
        if row.plural:
            found[row.plural] = {"type": "array", "items": {"$ref": f"#/components/schemas/{row.name}"}}
    return found


def _errors() -> Json:
    words = {"type": "string"}
    error = {"type": "object", "properties": {"ErrorType": words, "ErrorMessage": words, "ErrorData": words}}
    return {"type": "array", "items": error}


def _operation(endpoint: Endpoint) -> Json:
    row = endpoint.row
    who = "those whom it concerns" if endpoint.readers is None else endpoint.readers.value
    found: Json = {
        "summary": endpoint.doc,
        "description": f"{row.doc} Who may: {who}. {row.products.value}. No event.",
        "tags": [row.name],
        "operationId": _name(endpoint.method, endpoint.path),
        "responses": _responses(endpoint.statuses, endpoint.gives),
    }
    if endpoint.takes:
        making = endpoint.method == "POST" and endpoint.takes == row.name
        shown = f"{endpoint.takes}ToMake" if making else endpoint.takes
        found["requestBody"] = {"required": True, "content": _content(shown)}
    parameters = list(_parameters(endpoint))
    return found | ({"parameters": parameters} if parameters else {})


def _parameters(endpoint: Endpoint) -> Iterator[Json]:
    category = {"type": "string", "enum": ["NOT_READY", "LOGOUT", "ALL"]}
    if endpoint.row.name == "ReasonCode" and endpoint.path.endswith("ReasonCodes"):
        yield {"name": "category", "in": "query", "required": True, "schema": category}
    if 206 in endpoint.statuses:
        yield {"name": "Range", "in": "header", "schema": {"type": "string"}, "description": "objects=1-6000"}
    if 409 in endpoint.statuses and endpoint.method in ("PUT", "DELETE"):
        yield {"name": "If-Match", "in": "header", "schema": {"type": "string"}, "description": "ETag of an answer"}


def _usual(path: str, method: str, doc: str) -> Json:
    tag = path.removeprefix("/").partition("/")[0]
    found: Json = {
        "summary": doc,
        "tags": [tag],
        "operationId": _name(method, path),
        "responses": _responses(USUAL.get(method, (200, 400, 401, 404)), ""),
    }
    if method in ("PUT", "POST"):
        found["requestBody"] = {"required": True, "content": {"application/xml": {"schema": {"type": "object"}}}}
    return found


def _system_info() -> Json:
    return {
        "summary": "State and addresses of the server; for everyone, also while it is out of service.",
        "tags": ["SystemInfo"],
        "operationId": "getSystemInfo",
        "security": [],
        "responses": _responses((200, 500), ""),
    }


def _responses(statuses: tuple[int, ...], gives: str) -> Json:
    found: Json = {}
    for status in sorted({*statuses, *ALWAYS}):
        if status < 400:
            found[str(status)] = {"description": MEANINGS[status]} | ({"content": _content(gives)} if gives else {})
        else:
            types = sorted({error.type for error in CATALOGUE.values() if error.status == status})
            found[str(status)] = {"description": ", ".join(types) + ".", "content": _content("ApiErrors")}
    return found


def _content(name: str) -> Json:
    if "/" in name:
        shape: Json = {"type": "string"}
        if name.startswith("multipart"):
            shape = {"type": "object", "properties": {"datafile": {"type": "string", "format": "binary"}}}
        return {name: {"schema": shape}}
    kinds = ("application/xml",) if name.endswith("ToMake") else ("application/xml", "application/json")
    return {kind: {"schema": {"$ref": f"#/components/schemas/{name}"}} for kind in kinds}


def _name(method: str, path: str) -> str:
    words = [word.strip("{}") for word in path.split("/") if word]
    return method.lower() + "".join(word[:1].upper() + word[1:] for word in words)


# ---- the page


@cache
def page() -> str:
    """The document for people."""
    told = document()
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>Poise API</title><style>",
        "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1d2733}",
        "summary{cursor:pointer;padding:.25rem 0}code,b.m{font-family:ui-monospace,monospace}b.m{display:inline-block;",
        "min-width:4.5rem}table{border-collapse:collapse}td,th{text-align:left;padding:.15rem 1rem .15rem 0;",
        "vertical-align:top}",
        "h2{border-bottom:1px solid #cdd5df;margin-top:2rem}@media(prefers-color-scheme:dark){body{background:#11161d;",
        "color:#dbe3ec}a{color:#8ab8ff}}</style>",
        f"<h1>Poise API {_text(told['info']['version'])}</h1><p>{_text(told['info']['description'])}</p>",
        f'<p>For programs: <a href="{DOCUMENT_PATH}">openapi.json</a>.</p>',
    ]
    by_tag: dict[str, list[tuple[str, str, Json]]] = {}
    for path, item in told["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                by_tag.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    for tag, operations in by_tag.items():
        parts.append(f"<h2>{_text(tag)}</h2>")
        for method, path, operation in operations:
            parts.append(
                f"<details><summary><b class=m>{method}</b> <code>{_text(path)}</code></summary>"
                f"<p>{_text(operation['summary'])} {_text(operation.get('description', ''))}</p><table>"
            )
            for status, response in operation["responses"].items():
                parts.append(f"<tr><td>{status}<td>{_text(response['description'])}")
            parts.append("</table></details>")
        shape = told["components"]["schemas"].get(tag)
        if shape is not None:
            parts += ["<table><tr><th>element<th>kind<th>bounds", *_fields(shape), "</table>"]
    return "".join(parts)


def _fields(shape: Json, within: str = "") -> Iterator[str]:
    for name, field in shape["properties"].items():
        bounds = [f"{word} {field[word]}" for word in ("minimum", "maximum", "maxLength", "maxItems") if word in field]
        bounds += [" | ".join(field["enum"])] if "enum" in field else []
        bounds += [word for word in ("readOnly", "writeOnly") if field.get(word)]
        yield f"<tr><td><code>{_text(within + name)}</code><td>{field['type']}<td>{_text(', '.join(bounds))}"
        inner = field.get("items", field)
        if "properties" in inner:
            yield from _fields(inner, f"{within}{name}/")


def _text(text: str) -> str:
    return html.escape(str(text))


def documentation() -> list[Route]:
    """Routes of both, for everyone."""

    async def give_document(_: Request) -> Response:
        body = json.dumps(document(), ensure_ascii=False).encode()
        return Response(body, media_type="application/json", headers={**HEADERS, "access-control-allow-origin": "*"})

    async def give_page(_: Request) -> Response:
        return Response(page(), media_type="text/html", headers=PAGE_HEADERS)

    return [Route(DOCUMENT_PATH, give_document), Route(PAGE_PATH, give_page)]
