"""Which revision a database has, and bringing it up to ours. Forward only."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy.dialects import postgresql, sqlite

from farhand import __version__
from farhand.errors import Code, StoreError
from farhand.store.tables import META, METADATA

FOLDER = Path(__file__).with_name("migrations")
VERSION_TABLE = "farhand_revision"
"""Not Alembic's own name: a PostgreSQL database may be shared with another program."""


def our_revision() -> str:
    """Return the revision that this farhand reads and writes."""
    return _script().get_current_head() or ""


def revision_of(connection: Connection) -> str:
    """Return the revision of a database; empty: it has none of our tables.

    Raises:
        StoreError: FH-8001 there are tables of our names, but not ours.

    """
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    revision = context.get_current_revision()
    if revision:
        return revision
    strange = sorted(set(inspect(connection).get_table_names()) & set(METADATA.tables))
    if strange:
        names = ", ".join(strange)
        raise StoreError(
            Code.STORE_UNREACHABLE,
            f"The database holds tables that farhand did not make: {names}.",
            retryable=False,
        )
    return ""


def known_revision(connection: Connection) -> str:
    """Return the revision of a database that we can read or upgrade; empty: it is empty.

    Raises:
        StoreError: FH-8001 not our tables, FH-8002 written by a newer farhand.

    """
    revision = revision_of(connection)
    must_be_known(connection, revision)
    return revision


def must_be_known(connection: Connection, revision: str) -> None:
    """Refuse a database that a newer farhand has written.

    Raises:
        StoreError: FH-8002.

    """
    if not revision or revision in {each.revision for each in _script().walk_revisions()}:
        return
    raise StoreError(
        Code.STORE_TOO_NEW,
        f"The database has schema {revision}{_written_by(connection)}; this is farhand "
        f"{__version__} with schema {our_revision()}. Use the newer farhand, or restore a backup.",
        retryable=False,
    )


def upgrade(connection: Connection) -> None:
    """Bring the database up to our revision, in the connection's transaction."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    note = {"name": "farhand", "value": __version__}
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(META).values(note)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=note))


def _written_by(connection: Connection) -> str:
    if not inspect(connection).has_table("meta"):
        return ""
    version = connection.execute(
        META.select().with_only_columns(META.c.value).where(META.c.name == "farhand")
    ).scalar()
    return f" of farhand {version}" if version else ""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["version_table"] = VERSION_TABLE
    return config


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
