"""What the configuration resources share: the store, the audit log, and who has seen which version.

Theory of lost updates. Clients of the original send no precondition: they read an object, let somebody edit it, and
write it back. So the server remembers which version each administrator was last shown, and refuses his change with 409
when somebody else has changed the object since. `If-Match` with the ETag of an answer says the same explicitly and wins
over what is remembered. Who writes without ever having read means to overwrite; the audit log shows what he overwrote.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from poise.contact.states import Deployment
from poise.finesse.api_errors import ApiException, Code
from poise.server.storage.configuration import Configuration
from poise.server.storage.records import ReasonCodeRecord

SEEN_MAX = 20_000
"""Versions remembered over all administrators; whose memory is gone writes unconditionally, as if he had not read."""


class Audit(Protocol):
    """Where changes are written down."""

    def changed(
        self,
        *,
        user: str,
        address: str,
        method: str,
        uri: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> None:
        """Somebody changed something; secrets are masked already."""


class ConfigurationService:
    """Lives on the event loop's thread."""

    def __init__(
        self,
        configuration: Configuration,
        audit: Audit,
        deployment: Deployment,
        *,
        on_reasons: Callable[[Sequence[ReasonCodeRecord]], None] = lambda _: None,
        secondary: bool = False,
    ) -> None:
        """`on_reasons` hears the reason codes whenever they have changed. `secondary`: this node only reads (UCCX), or
        not even that (UCCE), as the guide has it for the second node of a cluster."""
        self.configuration = configuration
        self.audit = audit
        self.deployment = deployment
        self.secondary = secondary
        self._on_reasons = on_reasons
        self._seen: OrderedDict[tuple[str, str], int] = OrderedDict()

    def saw(self, user: str, uri: str, version: int) -> None:
        """A user was shown an object."""
        self._seen[user, uri] = version
        self._seen.move_to_end((user, uri))
        if len(self._seen) > SEEN_MAX:
            self._seen.popitem(last=False)

    def expected(self, user: str, uri: str, if_match: str | None) -> int | None:
        """The version that a change is meant for; None: whatever there is. Raises ApiException."""
        if if_match is None:
            return self._seen.get((user, uri))
        tag = if_match.strip().removeprefix("W/").strip('"')
        if tag == "*":
            return None
        if not (tag.isascii() and tag.isdigit() and len(tag) <= 10):
            raise ApiException(Code.CHANGED_MEANWHILE, uri)
        return int(tag)

    async def reasons_changed(self) -> None:
        """Tell the agent model; events and answers have the new labels from now on."""
        self._on_reasons(await self.configuration.reason_codes())

    def may(self, method: str) -> bool:
        """Whether this node serves the method: a secondary one of UCCX reads, of UCCE nothing."""
        return not self.secondary or (self.deployment is Deployment.UCCX and method in ("GET", "HEAD"))
