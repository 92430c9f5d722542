"""Configuration resources: a table of what they hold, and how it is read, checked and written (finesse-api.md 4.7)."""
