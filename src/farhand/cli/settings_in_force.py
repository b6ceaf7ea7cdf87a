"""Every setting as it is in force: its value, where it came from, what it means."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from farhand import config
from farhand.config import Tree

DEFAULT = "default"
"""Origin of a setting that nobody gave."""
_USER_INFO = re.compile(r"(?<=://)([^/?#\s@:]*):[^/?#\s@]*(?=@)")
_QUERY = re.compile(r"(?i)([?&](?:password|secret|token|key)=)[^&#\s]*")


class Setting(NamedTuple):
    """One setting."""

    path: tuple[str, ...]
    """Its tables and its name: ``server``, ``port``."""
    value: Any
    """Plain data; passwords in URLs are masked."""
    origin: str
    """The place that it came from."""
    help: str

    @property
    def name(self) -> str:
        """With its tables: ``server.port``."""
        return ".".join(self.path)


def settings_in_force(
    flags: Mapping[str, Mapping[str, Any]] | None = None, file: Path | None = None
) -> list[Setting]:
    """Return every setting with the place that it came from; arguments as of `config.load`.

    Raises:
        ConfigError: As of `config.load`.

    """
    places = config.sources(flags, file)
    return list(_walk(config.merged_from(places), (), places))


def _walk(
    table: BaseModel, path: tuple[str, ...], places: Sequence[tuple[str, Tree]]
) -> Iterator[Setting]:
    for key, field in type(table).model_fields.items():
        value, at = getattr(table, key), (*path, key)
        if isinstance(value, BaseModel):
            yield from _walk(value, at, places)
            continue
        plain = table.model_dump(mode="json", include={key}, exclude_none=False)[key]
        origin = config.origin_of(at, places) or DEFAULT
        yield Setting(at, masked(plain), origin, field.description or "")


def masked(value: Any) -> Any:
    """Return plain data with the passwords in its URLs masked."""
    if isinstance(value, dict):
        return {key: masked(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [masked(entry) for entry in value]
    if isinstance(value, str):
        return _QUERY.sub(r"\1***", _USER_INFO.sub(r"\1:***", value))
    return value
