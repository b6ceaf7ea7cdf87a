"""Members that bodies and queries have in common, and their bounds."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from farhand.core.access import TokenRole
from farhand.errors import Code
from farhand.protocol.ids import is_valid_id
from farhand.server.problems import Problem

_NO_CONTROLS = r"^(?![\s\S]*[\x00-\x1f\x7f])"
"""A database keeps no NUL, a screen shows no bell."""

Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", max_length=64)]
Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=_NO_CONTROLS)]
Text = Annotated[str, Meta(max_length=256, pattern=_NO_CONTROLS)]
Short = Annotated[str, Meta(max_length=64, pattern=_NO_CONTROLS)]
Label = Annotated[str, Meta(min_length=1, max_length=64, pattern=_NO_CONTROLS)]
Labels = Annotated[tuple[Label, ...], Meta(max_length=32)]
Secret = Annotated[str, Meta(max_length=8192, pattern=_NO_CONTROLS)]
Role = TokenRole

MAX_PAGE = 500


class Body(
    Struct,
    frozen=True,
    rename="camel",
    forbid_unknown_fields=True,
    omit_defaults=True,
    kw_only=True,
):
    """Base of what requests bring: a member that we do not know is refused by its name."""


class View(Struct, frozen=True, rename="camel", kw_only=True):
    """Base of what we show."""


class Nothing(Body, frozen=True):
    """No member at all."""


class NoQuery(Struct, frozen=True):
    """No parameters. Those that we do not know are ignored, as links gather them."""


class PageQuery(NoQuery, frozen=True, kw_only=True):
    """Which page of a list."""

    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE, description="Entries on a page.")] = MAX_PAGE
    cursor: Annotated[str, Meta(max_length=1024, description="`next` of the page before.")] = ""


def checked_id(text: str) -> str:
    """Return ``text`` if it may name a service, room or robot.

    Raises:
        Problem: 422 FH-3019.

    """
    if not is_valid_id(text):
        raise Problem(422, Code.INVALID_ID, f"{text!r} cannot be an id here.")
    return text


def is_like(needle: str, *texts: str) -> bool:
    """Say whether ``needle`` is in one of ``texts``, whatever the case."""
    folded = needle.casefold()
    return not folded or any(folded in text.casefold() for text in texts)


Json = dict[str, Any]
