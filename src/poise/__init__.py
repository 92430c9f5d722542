"""Poise: an open contact-centre desktop server that speaks Finesse, and a toolkit that explains disconnections."""

__version__ = "0.1.0"
