"""RFC 6120 over TCP, seen from outside: the checklist, its tests, and what is known of Poise, Prosody and ejabberd."""
