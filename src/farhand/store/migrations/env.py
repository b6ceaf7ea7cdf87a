"""What Alembic runs for each command; the connection is given by `store/schema.py`."""

from alembic import context

from farhand.store.tables import METADATA


def run() -> None:
    """Run the revisions that are asked for, in the connection's own transaction."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=METADATA,
        version_table=context.config.attributes["version_table"],
    )
    with context.begin_transaction():
        context.run_migrations()


if not __name__.startswith("farhand."):  # run by Alembic, not imported
    run()
