"""The REST web services under /finesse/api: HTTP around `poise.finesse`, which knows the words and the rules."""
