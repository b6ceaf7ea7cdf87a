"""What a peer of the dialect may send, decoded; and how much of it."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from farhand.errors import Code, RemoteProtocolError

MAX_FRAME = 256 * 1024
MAX_DESCRIPTION = 128 * 1024
MAX_CANDIDATE = 1024
MAX_CANDIDATE_FRAME = 4 * MAX_CANDIDATE
"""With all members that nobody here knows: some hundred wait for their description."""
MAX_NAME = 128
"""Of names and ids, in characters."""
MAX_CANDIDATES = 200
"""Of one side in one negotiation, in its description or after it."""
MAX_IDS = 256
"""Members that one `call-ids` may name."""

SHORT = {
    "join": "join-room",
    "leave": "leave-room",
    "offer": "call-peer",
    "answer": "make-peer-call-answer",
    "candidate": "send-ice-candidate",
}
"""The words of the document for the events of its API page."""

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_CANDIDATE_LINE = re.compile(r"^a=candidate:", re.MULTILINE)
_MID_LINE = re.compile(r"^a=mid:([^\r\n]*)", re.MULTILINE)
_EMPTY_BUNDLE = re.compile(r"^a=group:BUNDLE[ \t]*\r?\n", re.MULTILINE)

T = TypeVar("T")
Text = str | int | float | bool | None
"""A member that should be a string: numbers pass, `null` and "" are nothing."""


class Frame(Struct, frozen=True):
    """Any message."""

    event: str
    data: Raw = Raw(b"null")
    ids: Raw = Raw(b"null")
    """Of `call-ids`, beside `event`."""


class JoinRoom(Struct, frozen=True):
    """Enter a room; `name` and `type` are all that the document names."""

    name: Text = None
    room: Text = None
    room_id: Text = msgspec.field(default=None, name="roomId")
    type: Text = None
    role: Text = None
    password: Text = None
    token: Text = None


class Description(Struct, frozen=True):
    """An offer or answer; browsers put more members in."""

    type: str
    sdp: str


class Candidate(Struct, frozen=True):
    """A candidate, as browsers write it."""

    candidate: str | None = None
    sdp_mid: Text = msgspec.field(default=None, name="sdpMid")
    sdp_m_line_index: Text = msgspec.field(default=None, name="sdpMLineIndex")


class Message(Struct, frozen=True):
    """A message of 3.8; only what kind it is matters here."""

    type: str


def frame(data: bytes) -> tuple[str, str, Frame]:
    """Return the event as the API page calls it, as the peer called it, and the frame.

    Raises:
        RemoteProtocolError: FH-3001.

    """
    found = decoded(data, Frame, "A frame is a JSON object with event and data.")
    if len(found.event) > MAX_NAME:
        raise malformed("No event has so long a name.")
    return SHORT.get(found.event, found.event), found.event, found


def decoded(data: bytes | Raw, kind: type[T], text: str) -> T:
    """Return ``data`` as a ``kind``.

    Raises:
        RemoteProtocolError: FH-3001, with ``text``.

    """
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise malformed(text) from exc


def members(found: Frame) -> dict[str, Raw]:
    """Return the members of a frame's data, each as it came.

    Raises:
        RemoteProtocolError: FH-3001.

    """
    given = decoded(found.data, dict[str, Raw] | None, "data is no object.")  # type: ignore[arg-type]
    return given or {}


def address(given: Mapping[str, Raw]) -> str:
    """Return who a message is for.

    Raises:
        RemoteProtocolError: FH-3001.

    """
    to = name(decoded(given.get("toId", Raw(b"null")), Text, "toId is no id."))  # type: ignore[arg-type]
    if not to:
        raise malformed("toId is missing.")
    return to


def ids(found: Frame) -> list[str]:
    """Return whom `call-ids` names: beside `event`, or in its data.

    Raises:
        RemoteProtocolError: FH-3001.

    """
    raw = found.ids if bytes(found.ids) != b"null" else found.data
    named = decoded(raw, list[str | int] | None, "ids are a list of ids.")  # type: ignore[arg-type]
    if named is not None and len(named) > MAX_IDS:
        raise malformed(f"A call names at most {MAX_IDS} members.")
    return [str(one) for one in named or ()]


def description(given: Mapping[str, Raw], kind: str) -> Description | None:
    """Return the offer or answer of a message; ``None``: there is none.

    Raises:
        RemoteProtocolError: FH-3001, FH-3002.

    """
    text = f"{kind} is no description."
    found = decoded(given.get(kind, Raw(b"null")), Description | None, text)  # type: ignore[arg-type]
    if found is None:
        return None
    if found.type != kind:
        raise malformed(f"A description of type {kind} belongs here.")
    if len(found.sdp.encode()) > MAX_DESCRIPTION:
        raise RemoteProtocolError(Code.TOO_LARGE, f"An SDP may have {MAX_DESCRIPTION} bytes.")
    if len(_CANDIDATE_LINE.findall(found.sdp)) > MAX_CANDIDATES:
        raise RemoteProtocolError(
            Code.TOO_LARGE, f"A description has at most {MAX_CANDIDATES} candidates."
        )
    return found


def candidate(given: Mapping[str, Raw]) -> Candidate | None:
    """Return the candidate of a message; ``None``: that was the last one.

    Raises:
        RemoteProtocolError: FH-3001, FH-3002.

    """
    raw = given.get("candidate", Raw(b"null"))
    given_as: Candidate | str | None = decoded(
        raw,
        Candidate | str | None,  # type: ignore[arg-type]
        "candidate is no candidate.",
    )
    found = Candidate(given_as) if isinstance(given_as, str) else given_as
    if found is None or not found.candidate:
        return None
    if len(found.candidate.encode()) > MAX_CANDIDATE:
        raise RemoteProtocolError(Code.TOO_LARGE, f"A candidate may have {MAX_CANDIDATE} bytes.")
    return found


def repaired(sdp: str) -> str:
    """Return an SDP that browsers take: without an empty BUNDLE group, as aiortc writes one."""
    return _EMPTY_BUNDLE.sub("", sdp)


def mids(sdp: str) -> tuple[str, ...]:
    """Return the mids of a description, in order."""
    return tuple(mid[:MAX_NAME] for mid in _MID_LINE.findall(sdp)[:256])


def name(given: Text) -> str:
    """Return a name or id as a string; empty for nothing.

    Raises:
        RemoteProtocolError: FH-3001, FH-3002.

    """
    if given is None or isinstance(given, bool):
        return ""
    text = str(given).strip()
    if len(text) > MAX_NAME:
        raise RemoteProtocolError(Code.TOO_LARGE, f"A name may have {MAX_NAME} characters.")
    if _UNPRINTABLE.search(text):
        raise malformed("A name has no control characters.")
    return text


def encoded(event: str, **members: Any) -> bytes:
    """Return a frame; without ``data`` it has none."""
    return msgspec.json.encode({"event": event, **members})


def malformed(text: str) -> RemoteProtocolError:
    """Return the refusal of what cannot be read."""
    return RemoteProtocolError(Code.MALFORMED, text)
