"""The checklists, black box over raw sockets: `pytest tests/conformance --target poise|prosody|ejabberd`."""
