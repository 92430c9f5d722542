"""Documents that users keep at the server: their vCard (XEP-0054) and private storage (XEP-0049).

The server reads none of them; it bounds them, for each document, each user and all together.
"""

from __future__ import annotations

from typing import Final

from poise.protocols.xmpp.records import DocumentRecord, Removed
from poise.protocols.xmpp.shared import Shared
from poise.protocols.xmpp.stanzas import StanzaRefused

VCARD: Final = "vcard"


class Documents:
    """All users' documents by name."""

    def __init__(self, shared: Shared) -> None:
        self._policy = shared.policy
        self._journal = shared.journal
        self._of_user: dict[str, dict[str, bytes]] = {}
        self._sizes: dict[str, int] = {}
        self._total = 0

    def get(self, bare: str, name: str) -> bytes | None:
        """A user's document of that name, serialised."""
        return self._of_user.get(bare, {}).get(name)

    def put(self, bare: str, documents: dict[str, bytes]) -> None:
        """Store documents of a user by name, all or none; empty ones are forgotten. Raises StanzaRefused when one is
        too big or there is no room."""
        policy = self._policy
        mine = self._of_user.get(bare, {})
        if any(len(xml) > policy.document_bytes for xml in documents.values()):
            raise StanzaRefused("policy-violation", text=f"a document has at most {policy.document_bytes} bytes")
        after = {name: xml for name, xml in {**mine, **documents}.items() if xml}
        size = sum(map(_size, after, after.values()))
        if len(after) > policy.documents_per_user or size > policy.document_bytes_per_user:
            raise StanzaRefused("policy-violation", text="too many documents, or too big ones together")
        before = self._sizes.get(bare, 0)
        if size > before and self._total - before + size > policy.document_bytes_total:
            raise StanzaRefused("resource-constraint", text="the server stores as much as it can")
        self._set(bare, after, size)
        for name, xml in documents.items():
            if xml:
                self._journal.note(DocumentRecord(bare, name, xml))
            elif name in mine:
                self._journal.note(Removed(DocumentRecord, (bare, name)))

    def forget(self, bare: str) -> None:
        """The user is no more."""
        self._set(bare, {}, 0)
        self._journal.note(Removed(DocumentRecord, (bare,)))

    def restore(self, record: DocumentRecord) -> None:
        """Put back what was stored."""
        after = {**self._of_user.get(record.user, {}), record.name: record.xml}
        self._set(record.user, after, sum(map(_size, after, after.values())))

    def _set(self, bare: str, documents: dict[str, bytes], size: int) -> None:
        self._total += size - self._sizes.pop(bare, 0)
        self._of_user.pop(bare, None)
        if documents:
            self._of_user[bare] = documents
            self._sizes[bare] = size


def _size(name: str, xml: bytes) -> int:
    return len(name) + len(xml)
