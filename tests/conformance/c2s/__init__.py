"""RFC 6120 over TCP and TLS seen from outside."""
