"""RFC 7395 seen from outside."""
