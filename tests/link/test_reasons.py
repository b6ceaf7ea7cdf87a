"""What a newcomer reads when the server is not where they think."""

import socket
from email.message import Message
from http.client import BadStatusLine
from urllib.error import HTTPError, URLError

import msgspec
import pytest
from websockets.datastructures import Headers
from websockets.exceptions import InvalidMessage, InvalidStatus
from websockets.http11 import Response

from farhand.errors import Code
from farhand.link.reasons import unreachable

URL = "ws://user:secret@robots.example:8080/v1/service/default/ws"


def status(code: int) -> InvalidStatus:
    return InvalidStatus(Response(code, "", Headers()))


@pytest.mark.parametrize(
    ("exc", "words"),
    [
        (ConnectionRefusedError(), "farhand serve"),
        (socket.gaierror(), "name"),
        (TimeoutError(), "firewall"),
        (status(404), "no such address"),
        (status(502), "answered 502"),
        (InvalidMessage(), "no farhand server"),
        (ConnectionResetError(), "ConnectionResetError"),
        (URLError(ConnectionRefusedError()), "farhand serve"),
        (HTTPError(URL, 404, "", Message(), None), "no such address"),
        (HTTPError(URL, 502, "", Message(), None), "answered 502"),
        (BadStatusLine("SSH-2.0"), "no farhand server"),
        (msgspec.DecodeError(), "no farhand server"),
    ],
)
def test_each_reason_names_the_place_and_what_to_look_at(exc: Exception, words: str) -> None:
    error = unreachable(URL, exc)
    assert error.code is Code.SERVER_UNREACHABLE
    assert "robots.example:8080" in error.text
    assert words in error.text
    assert "secret" not in error.text
