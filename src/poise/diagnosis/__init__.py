"""Why was this agent disconnected? Evidence in, one timeline, findings out.

The room reads only streams it is given; folders, terminals and processes belong to `poise.tools` and `poise.cli`.
"""
