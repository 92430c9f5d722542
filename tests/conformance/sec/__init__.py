"""Attacks that belong to no binding alone."""
