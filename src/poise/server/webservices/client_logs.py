"""POST ClientLog and CompressedClientLog (finesse-api.md 4.4): stored, then confirmed by an event on the node."""

from __future__ import annotations

from poise.contact.snapshots import Agent
from poise.finesse.api_errors import ApiException, Code
from poise.finesse.client_logs import BODY_MAX, LOG_MAX, client_log_publication
from poise.finesse.permissions import Api, relation
from poise.server.webservices.multipart import FormError, first_file
from poise.server.webservices.resources import Answer, Call, Resource
from poise.server.webservices.services import ClientLogFolder

ZIP_TYPES = frozenset(
    ("application/zip", "application/x-zip-compressed", "application/octet-stream", "multipart/form-data")
)
"""Content types of a compressed log; the guide does not print one."""
FORM_MAX = LOG_MAX + 16_384
"""Most bytes of a compressed log with the form around it."""


async def send_log(call: Call) -> Answer:
    """POST ClientLog: the own one only. 202 when it is stored, which the event says as well."""
    target, folder = _own(call)
    with folder.slot(target.agent_id):
        await folder.keep_text(target.agent_id, await call.body(BODY_MAX))
    return _stored(call, target)


async def send_compressed_log(call: Call) -> Answer:
    """POST CompressedClientLog: a zip archive as the body, or as the first file of a form."""
    target, folder = _own(call)
    content_type = call.request.headers.get("content-type", "application/zip")
    origin = call.request.headers.get("origin")
    if (
        content_type.lower().startswith("multipart/")
        and origin is not None
        and origin not in call.services.allowed_origins
        and origin != str(call.request.base_url).rstrip("/")
    ):
        raise ApiException(Code.FORBIDDEN, "Origin")  # browsers send forms across origins without asking first
    with folder.slot(target.agent_id):
        data = await call.body(FORM_MAX, ZIP_TYPES, default="application/zip")
        if content_type.lower().startswith("multipart/"):
            try:
                data = first_file(data, content_type)
            except FormError as error:
                raise ApiException(Code.INVALID_INPUT, str(error)) from None
        if not data:
            raise ApiException(Code.PARAMETER_MISSING, "logData")
        await folder.keep_zip(target.agent_id, data)
    return _stored(call, target)


def _own(call: Call) -> tuple[Agent, ClientLogFolder]:
    target = call.target()
    relation(call.caller, target, Api.SEND_CLIENT_LOG)
    folder = call.services.client_logs
    if folder is None:
        raise ApiException(Code.NOT_IMPLEMENTED)
    return target, folder


def _stored(call: Call, target: Agent) -> Answer:
    call.services.agents.tell("a client log", client_log_publication(target.agent_id, call.request_id))
    return Answer(202)


CLIENT_LOGS = (
    Resource("/User/{user}/ClientLog", {"POST": send_log}),
    Resource("/User/{user}/CompressedClientLog", {"POST": send_compressed_log}),
)
"""Resources of client logs."""
