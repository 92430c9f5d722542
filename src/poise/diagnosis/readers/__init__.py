"""Readers: one file a format. Each takes lines or bytes and adds events to the evidence; none stops at damage."""
