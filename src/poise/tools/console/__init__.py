"""An XMPP console: signs in to any server, shows what goes over the wire both ways, and sends what is typed.

`address` says where to; `carriers` are the sockets under `poise.protocols.xmpp.client`; `words` turns what is typed
into stanzas; `showing` makes stanzas readable; `console` ties them together; `lines` is the console without a screen,
`screen` the one with.
"""
