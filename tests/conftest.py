"""What holds for every test of the suite."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says something about the machine's other work, nothing about the code.
settings.register_profile("poise", deadline=None)
settings.load_profile("poise")
