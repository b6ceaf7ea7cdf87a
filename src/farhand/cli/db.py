"""`farhand db`: the server's records, without the server."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from farhand.cli.remote import noun
from farhand.config import load
from farhand.store import upkeep
from farhand.store.address import address_of
from farhand.store.backup import backup as write_backup
from farhand.store.backup import restore as read_backup
from farhand.store.verify import Verified, verify

FILE = "farhand.db"
"""The records in a server's state folder."""

app = noun("The server's records: upgrade, backup, restore.")

Config = Annotated[Path | None, typer.Option(help="Read this, not ./farhand.toml.")]
State = Annotated[
    Path | None, typer.Option(help="The server's state folder; else as configured for it.")
]


def target(state: Path | None, config: Path | None = None) -> str | Path:
    """Return where the records of a server are.

    Args:
        state: Its state folder, if that was named.
        config: Its file of settings.

    Raises:
        ConfigError: As of `config.load`.

    """
    if state is not None:
        return state / FILE
    section = load(None, config).server
    return section.database or section.state / FILE


def verified(state: Path) -> Verified:
    """Check the audit trail in a state folder; its server may be running.

    Raises:
        StoreError: FH-8001 there is none or it is out of reach, FH-8002, FH-8003 not our schema.

    """
    return asyncio.run(verify(target(state)))


@app.command()
def current(*, config: Config = None, state: State = None) -> None:
    """Print the schema of the records, and what this farhand needs.

    Example: farhand db current --config /etc/farhand/config.toml
    """
    place = target(state, config)
    found = asyncio.run(upkeep.current(place))
    print(f"{address_of(place)}: schema {found.revision or 'none'}; needed: {found.wanted}")


@app.command()
def upgrade(*, config: Config = None, state: State = None) -> None:
    """Bring the records up to this farhand; the server must not be running.

    A SQLite file is copied before. Of PostgreSQL make a backup first.

    Example: farhand db upgrade --config /etc/farhand/config.toml
    """
    place = target(state, config)
    found = asyncio.run(upkeep.upgrade(place))
    print(f"{address_of(place)}: schema {found.wanted}; it was {found.revision or 'empty'}")


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where to; it must not be there yet.")],
    *,
    config: Config = None,
    state: State = None,
) -> None:
    """Copy all records of one moment to a file; the server may be running.

    Example: farhand db backup farhand-monday.db
    """
    asyncio.run(write_backup(target(state, config), file))
    print(file)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What `farhand db backup` has written.")],
    *,
    config: Config = None,
    state: State = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also if the audit trail in it is broken.")
    ] = False,
) -> None:
    """Put a backup in the place of all records; the server must not be running.

    Example: farhand db restore farhand-monday.db
    """
    verified = asyncio.run(read_backup(file, target(state, config), force=force))
    print(f"restored; {verified.entries} entries of the audit trail are what they were")
