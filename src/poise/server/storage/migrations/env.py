"""Alembic's entry point: runs the revisions on the connection that the store hands in. There is no offline mode."""

from __future__ import annotations

from alembic import context

from poise.server.storage.tables import metadata


def _run() -> None:
    connection = context.config.attributes["connection"]
    # SQLite cannot alter most things in place; batch mode copies the table there and is plain ALTER elsewhere
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


_run()
