"""The client's side of XMPP: sign-in, and streams over TCP, WebSocket and BOSH. No I/O, no clock.

`sign_in` is what all bindings share, its states as tables in `states`; `tcp`, `websocket` and `bosh` carry it;
`outputs` are the values they give out; `stanzas` writes the requests that people make. The server's side is in the
folder above; both are checked against each other by property tests.
"""
