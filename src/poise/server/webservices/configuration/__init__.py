"""The configuration resources over HTTP: one handler for every row of `poise.finesse.configuration.table`."""
