"""Faults made on purpose, with their evidence and the truth: what the diagnosis is measured with."""
