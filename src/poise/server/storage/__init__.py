"""What Poise remembers between two starts: accounts, reason codes, last presence.

SQLAlchemy Core over SQLite (WAL) by default; the URL is a setting and every query is plain SQL of both engines. Only
`store` talks to the database, and only from its own thread.
"""
