"""Why there is no connection to the server, in words that say what to look at."""

import socket
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

import msgspec
from websockets.exceptions import InvalidMessage, InvalidStatus

from farhand.errors import Code, ConnectionClosed

_NOT_FOUND = 404


def unreachable(url: str, exc: Exception) -> ConnectionClosed:
    """Return the error for a server at ``url`` that did not let us in because of ``exc``."""
    place = urlsplit(url).netloc.rpartition("@")[2]
    return ConnectionClosed(Code.SERVER_UNREACHABLE, _words(place, exc))


def _words(place: str, exc: Exception) -> str:
    match exc:
        case ConnectionRefusedError():
            words = f"Nothing listens at {place}. Is `farhand serve` running there?"
        case socket.gaierror():
            words = f"The name in {place} is not known here."
        case TimeoutError():
            words = f"{place} does not answer. Does a firewall let us dial out?"
        case InvalidStatus():
            words = _answered(place, exc.response.status_code)
        case HTTPError():
            words = _answered(place, exc.code)
        case URLError(reason=Exception() as reason):  # urllib's wrapper of what happened
            words = _words(place, reason)
        case InvalidMessage() | HTTPException() | msgspec.DecodeError():
            words = f"What answers at {place} is no farhand server."
        case _:
            words = f"No connection to {place}: {type(exc).__name__}."
    return words


def _answered(place: str, status: int) -> str:
    if status == _NOT_FOUND:
        return f"{place} has no such address or service."
    return f"{place} answered {status}. Is it a farhand server?"
