"""The TCP client to the CTI servers of side A and B: sockets and clock around `poise.protocols.cti.link`."""
