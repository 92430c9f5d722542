"""RFC 7395 seen from outside: the checklist WS01-WS25, its tests, and what is known of Poise, Prosody and ejabberd."""
