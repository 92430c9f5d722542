"""Clients we did not write, over TCP: libraries in their own processes, and word for word what old ones send."""
