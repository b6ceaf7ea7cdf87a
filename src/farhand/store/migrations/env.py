"""What Alembic runs for each command; the connection is given by `store/schema.py`."""

from alembic import context

from farhand.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=context.config.attributes["version_table"],
)
with context.begin_transaction():
    context.run_migrations()
