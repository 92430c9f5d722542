"""BOSH (XEP-0124, XEP-0206): one client's stream over pairs of HTTP requests and responses, as a core without I/O.

`wire` reads and writes bodies, `creation` negotiates a session, `session` is the machine, `states` its table,
`timing` its numbers. Nothing here knows HTTP beyond a status number, nor what stanzas mean.
"""

from poise.protocols.xmpp.bosh.creation import Refused
from poise.protocols.xmpp.bosh.effects import Answer, Effect, Ended, Overactive, Payload, Restart
from poise.protocols.xmpp.bosh.session import BoshSession
from poise.protocols.xmpp.bosh.states import State
from poise.protocols.xmpp.bosh.timing import BoshPolicy, Inactivity, Overactivity
from poise.protocols.xmpp.bosh.wire import EMPTY, Body, BodyError, match_poll, parse_body, terminate

__all__ = [
    "EMPTY",
    "Answer",
    "Body",
    "BodyError",
    "BoshPolicy",
    "BoshSession",
    "Effect",
    "Ended",
    "Inactivity",
    "Overactive",
    "Overactivity",
    "Payload",
    "Refused",
    "Restart",
    "State",
    "match_poll",
    "parse_body",
    "terminate",
]
