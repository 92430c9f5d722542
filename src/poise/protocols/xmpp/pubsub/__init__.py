"""Publish-subscribe (XEP-0060): leaf nodes, transient items, notifications serialised once."""
