"""From the table of settings to what a server is told: files read, values checked."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from farhand.cli.settings_in_force import Setting
from farhand.config import OidcTable, ServerSection
from farhand.errors import Code, ConfigError
from farhand.media.bad_network import FILE_VARIABLE
from farhand.server.settings import OidcProvider, Rates, ServerSettings

LAN_CODE_FILE = "FARHAND_LAN_CODE_FILE"
"""Environment variable: where the one-time code of `farhand demo --lan` is; never an argument."""
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\sA-Z]+")
_NOT_IN_ID = re.compile(r"[^a-z0-9]+")


def server_settings(section: ServerSection) -> ServerSettings:
    """Return what a server is told.

    Raises:
        ConfigError: FH-1001 a value that cannot be, FH-1003 there is no console.

    """
    check_origins(section.origins)
    folder = section.console_dir
    if folder is not None and not (folder / "index.html").is_file():
        text = f"console-dir: there is no index.html in {folder}."
        raise ConfigError(Code.CONSOLE_MISSING, text, "Give the folder of a built console.")
    limits, code_file = section.limits, os.environ.get(LAN_CODE_FILE)
    bad_network = os.environ.get(FILE_VARIABLE)
    return ServerSettings(
        host=section.host,
        port=section.port,
        state=section.state,
        origins=section.origins,
        console=folder,
        root_path=root_path_of(section.root_path),
        strangers_per_address=limits.strangers_per_address,
        auth=section.auth,
        insecure=section.insecure,
        database=section.database,
        tls_cert=section.tls_cert,
        tls_key=section.tls_key,
        trusted_proxies=section.trusted_proxies,
        public_url=public_url_of(section.public_url),
        login_ttl_s=section.login_ttl_s,
        webhook_networks=section.webhook_networks,
        status_keep_s=section.status_keep_s,
        event_keep_s=section.event_keep_s,
        ice_servers=section.ice_servers,
        connections=limits.connections,
        oidc=providers_of(section.oidc),
        rates=Rates(
            api_per_address=limits.api_per_address,
            api_per_account=limits.api_per_account,
            login_per_address=limits.login_per_address,
            login_per_account=limits.login_per_account,
            login_anywhere=limits.login_anywhere,
            enrol_per_address=limits.enrol_per_address,
        ),
        lan_code_file=Path(code_file) if code_file else None,
        bad_network_file=Path(bad_network) if bad_network else None,
    )


def shown(settings: Sequence[Setting]) -> dict[str, Mapping[str, Any]]:
    """Return the server's settings as an admin may see them."""
    return {
        ".".join(one.path[1:]): {"value": one.value, "origin": one.origin}
        for one in settings
        if one.path[0] == "server"
    }


def check_origins(origins: Sequence[str]) -> None:
    """Refuse what no browser would ever send as its origin.

    Raises:
        ConfigError: FH-1001.

    """
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            text = f"origins: {origin!r} is no origin."
            fix = "Write https://HOST or https://HOST:PORT, in lower case and without a path."
            raise ConfigError(Code.CONFIG_INVALID, text, fix)


def check_arguments(database: str | None) -> None:
    """Refuse a password on the command line: every user of the machine can read it there.

    Raises:
        ConfigError: FH-1001.

    """
    if database and urlsplit(database).password:
        text = "database: a password does not belong on the command line."
        fix = "Put the URL into farhand.toml or FARHAND_SERVER__DATABASE, or set PGPASSWORD."
        raise ConfigError(Code.CONFIG_INVALID, text, fix)


def root_path_of(prefix: str) -> str:
    """Return ``prefix`` with a slash before it and none behind; empty: none."""
    bare = prefix.strip("/")
    return f"/{bare}" if bare else ""


def public_url_of(url: str) -> str:
    """Return ``url`` without a slash at its end.

    Raises:
        ConfigError: FH-1001.

    """
    parts = urlsplit(url)
    is_url = parts.scheme in {"http", "https"} and parts.hostname and not parts.username
    if url and (not is_url or parts.query or parts.fragment):
        text = f"public_url: {url!r} is no address of a server."
        raise ConfigError(Code.CONFIG_INVALID, text, "Write https://HOST, with the prefix if any.")
    return url.rstrip("/")


def providers_of(tables: Sequence[OidcTable]) -> tuple[OidcProvider, ...]:
    """Return the OpenID providers; their ids are made of their names.

    Raises:
        ConfigError: FH-1001.

    """
    found: dict[str, OidcProvider] = {}
    for table in tables:
        identity = _NOT_IN_ID.sub("-", table.name.lower()).strip("-")
        if not identity or identity in found:
            text = f"oidc.name = {table.name!r}: each provider needs a name of its own."
            raise ConfigError(Code.CONFIG_INVALID, text)
        found[identity] = OidcProvider(
            id=identity,
            name=table.name,
            issuer=_issuer(table.issuer),
            client_id=table.client_id,
            client_secret=_secret(table.client_secret_file),
            role=table.role,
        )
    return tuple(found.values())


def _issuer(url: str) -> str:
    parts = urlsplit(url)
    is_here = parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if parts.scheme != "https" and not is_here:
        text = f"oidc.issuer = {url!r} is no https address."
        raise ConfigError(Code.CONFIG_INVALID, text)
    return url


def _secret(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeError) as exc:
        text = f"oidc.client_secret_file: {file} cannot be read."
        raise ConfigError(Code.CONFIG_INVALID, text) from exc
