"""RFC 6121 and the small extensions seen from outside."""
