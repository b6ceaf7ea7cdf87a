"""Settings as TOML: a commented file of all of them, and those in force."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, get_args, get_origin

import msgspec
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from farhand.cli.settings_in_force import Setting
from farhand.config import Settings

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_EXAMPLES = {"agent.limits": '"linear.x"'}
"""A key for tables whose keys are the reader's."""
_WIDTH = 44
"""Column in which origins stand."""


def toml_value(value: object) -> str:
    """Return plain data as a TOML value; what JSON and TOML write alike is written as JSON."""
    if isinstance(value, Mapping):
        entries = (f"{_key(k)} = {toml_value(v)}" for k, v in value.items() if v is not None)
        return f"{{{', '.join(entries)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    # JSON leaves DEL as it is, TOML forbids it.
    return msgspec.json.encode(value, enc_hook=str).decode().replace("\x7f", "\\u007f")


def in_force(settings: Sequence[Setting], *, origins: bool) -> Iterator[str]:
    """Return the lines that say what is in force; they are a configuration again."""
    for number, (table, found) in enumerate(groupby(settings, key=lambda s: s.path[:-1])):
        if number:
            yield ""
        yield f"[{'.'.join(map(_key, table))}]"
        for setting in found:
            key = _key(setting.path[-1])
            none = setting.value is None
            line = f"# {key} is not set" if none else f"{key} = {toml_value(setting.value)}"
            yield f"{line:<{_WIDTH}} # {setting.origin}" if origins else line


def commented(given: Mapping[str, Any]) -> Iterator[str]:
    """Return the lines of a file with every setting, its meaning and its default.

    Args:
        given: Settings by name (``server.port``); all others are commented out.

    """
    yield "# Configuration of farhand. What is commented out is the default."
    yield "# Check it: farhand config check FILE. See it in force: farhand config show."
    for name, field in Settings.model_fields.items():
        yield from _table(name, _model(field), given, "[{}]", mark="")


def _table(
    name: str, model: type[BaseModel], given: Mapping[str, Any], head: str, mark: str
) -> Iterator[str]:
    yield ""
    if model.__doc__:
        yield f"# {model.__doc__.strip().splitlines()[0]}"
    yield mark + head.format(name)
    below: list[tuple[str, FieldInfo]] = []
    for key, field in model.model_fields.items():
        path = f"{name}.{key}"
        if _model_or_none(field) is not None:
            below.append((path, field))
            continue
        yield f"# {field.description}"
        if path in given:
            yield f"{key} = {toml_value(given[path])}"
        elif field.is_required():
            yield f'# {key} = ""'
        elif field.default is None:
            yield f"# {key} ="
        else:
            yield f"# {key} = {toml_value(field.default)}"
    for path, field in below:
        yield from _below(path, field, given)


def _below(path: str, field: FieldInfo, given: Mapping[str, Any]) -> Iterator[str]:
    kind = get_origin(field.annotation)
    if kind is tuple:
        yield from _table(path, _model(field), given, "[[{}]]", mark="# ")
    elif kind is dict:
        name = f"{path}.{_EXAMPLES.get(path, 'NAME')}"
        yield from _table(name, _model(field), given, "[{}]", mark="# ")
    else:
        yield from _table(path, _model(field), given, "[{}]", mark="")


def _model(field: FieldInfo) -> type[BaseModel]:
    model = _model_or_none(field)
    if model is None:
        raise TypeError(f"{field} is no table")
    return model


def _model_or_none(field: FieldInfo) -> type[BaseModel] | None:
    """Return the table that a setting is, or is a list or a dict of."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else msgspec.json.encode(name).decode()
