"""XEP-0060 seen from outside."""
