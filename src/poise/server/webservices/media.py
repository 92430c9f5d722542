"""Non-voice media in REST (finesse-api.md 4.6): this server has none.

The CTI server's messages about tasks have bodies that no public text prints, so no task can reach an agent here.
Clients that ask for their media get what a centre without any gives: an empty list, and nothing behind it.
"""

from __future__ import annotations

from poise.finesse.api_errors import ApiException, Code
from poise.finesse.markup import branch, render
from poise.finesse.permissions import Api, relation
from poise.server.webservices.resources import Answer, Call, Resource


async def list_media(call: Call) -> Answer:
    """GET User/Media."""
    relation(call.caller, call.target(), Api.READ_MEDIA)
    return Answer(200, render(branch("MediaList", ())).encode())


async def no_medium(call: Call) -> Answer:
    """GET, PUT User/Media/<id> and its dialogs: there is no such medium."""
    relation(call.caller, call.target(), Api.READ_MEDIA)
    raise ApiException(Code.NOT_FOUND, call.parts["media"][:64])


MEDIA = (
    Resource("/User/{user}/Media", {"GET": list_media}),
    Resource("/User/{user}/Media/{media}", {"GET": no_medium, "PUT": no_medium}),
    Resource("/User/{user}/Media/{media}/Dialogs", {"GET": no_medium}),
)
"""Resources of media."""
