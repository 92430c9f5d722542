"""The paths of configuration: made from the rows of the table, each with its method, readers and work.

Theory. An endpoint is a row as well. The order of refusals is the same everywhere: who is asking (401), whether he may
(403), whether the product has it (501), whether this node does it (403), and only then what is asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass

from poise.contact.states import Deployment
from poise.finesse.api_errors import ApiException, Code
from poise.finesse.configuration.table import Products, Readers, Row
from poise.server.webservices.configuration.service import ConfigurationService
from poise.server.webservices.resources import Answer, Call, Resource

Work = Callable[[Call, ConfigurationService, Row], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path."""

    method: str
    path: str
    row: Row
    work: Work
    gives: str
    """Element of the answer; empty: there is none."""
    takes: str = ""
    """Element of the body; empty: there is none."""
    readers: Readers | None = Readers.ADMINISTRATORS
    """Who may use it; None: the work decides, by the user or team concerned."""
    statuses: tuple[int, ...] = (200, 401, 403)
    """Statuses beside 500 and 503."""
    always: bool = True
    """Also while the server is out of service."""

    @property
    def doc(self) -> str:
        """What it does."""
        return (self.work.__doc__ or "").strip().splitlines()[0]


def service_of(call: Call) -> ConfigurationService:
    """The service. Raises ApiException when there is none in this server."""
    service = call.services.configuration
    if service is None:
        raise ApiException(Code.NOT_IMPLEMENTED, "configuration")
    return service


def _handler(endpoint: Endpoint) -> Callable[[Call], Awaitable[Answer]]:
    async def handle(call: Call) -> Answer:
        service = service_of(call)
        if endpoint.readers is Readers.ADMINISTRATORS and not call.caller.administrator:
            raise ApiException(Code.ADMINISTRATORS_ONLY, call.caller.user_id)
        if endpoint.row.products is Products.UCCE and service.deployment is not Deployment.UCCE:
            raise ApiException(Code.NOT_IMPLEMENTED, endpoint.row.name)
        if endpoint.readers is not None and not service.may(endpoint.method):
            raise ApiException(Code.FORBIDDEN, endpoint.row.name)
        return await endpoint.work(call, service, endpoint.row)

    handle.__doc__ = endpoint.doc
    return handle


def resources(endpoints: Iterable[Endpoint]) -> Iterator[Resource]:
    """Endpoints as rows of the gate: one for each path."""
    paths: dict[str, list[Endpoint]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, []).append(endpoint)
    for path, found in paths.items():
        always = all(one.always for one in found)
        yield Resource(path, {one.method: _handler(one) for one in found}, always)
