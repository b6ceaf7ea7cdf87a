"""What looks like a secret does not leave in a log line."""

import io
import json
import logging
import time
from collections.abc import Iterator

import pytest
import structlog

from farhand.cli.log import levels_of, logging_to
from farhand.cli.masking import masked
from farhand.errors import Code, ConfigError

CANARY = "Zx9CanaryQ7w8E5r2T1y6U3i4O0pLkJhGfDsAzXcVbNm"
JWT = f"eyJhbGciOiJFZERTQSJ9.{CANARY}.{CANARY}"
LINES = [
    f"token fh_{CANARY} refused",
    f"key fhk_{CANARY}",
    f"secret whsec_{CANARY}",
    f"grant {JWT} sent",
    f"a=ice-ufrag:abcd\r\na=ice-pwd:{CANARY}\r\na=fingerprint",
    json.dumps({"sdp": f"a=ice-pwd:{CANARY}\r\nm=video"}),
    f"Authorization: Bearer {CANARY}",
    f"authorization: Basic {CANARY}==",
    json.dumps({"authorization": f"Bearer {CANARY}"}),
    repr({"X-Auth-Token": CANARY}),
    f"Cookie: farhand_session={CANARY}; other=1",
    f"set-cookie: farhand_session={CANARY}; HttpOnly",
    json.dumps({"cookie": f"farhand_session={CANARY}"}),
    f"farhand.v1, bearer.{CANARY}",
    json.dumps({"name": "ana", "password": CANARY}),
    json.dumps({"event": json.dumps({"password": CANARY})}),
    json.dumps({"iceServers": [{"urls": ["turn:x"], "credential": CANARY}]}),
    f"password={CANARY} tried",
    f"\x1b[36mpassword\x1b[0m=\x1b[35m{CANARY}\x1b[0m",
    f"GET /default?x-auth-token={CANARY}&a=1",
    f"/v1/login/oidc/x/callback?code={CANARY}&state={CANARY}",
    f"http://localhost:8080/login#setup={CANARY}",
    f"jwt={JWT}",
    f"https://robots.example/drive/r1?view=1#guest={CANARY}",
    f"postgresql+asyncpg://farhand:{CANARY}@db.example/farhand",
]


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("farhand")
    before = root.handlers, root.level, ours.level, logging.raiseExceptions
    yield
    root.handlers, level, our_level, logging.raiseExceptions = before
    root.setLevel(level)
    ours.setLevel(our_level)
    structlog.reset_defaults()


@pytest.mark.parametrize("line", LINES)
def test_a_secret_is_masked(line: str) -> None:
    assert CANARY in line
    assert CANARY not in masked(line)


@pytest.mark.parametrize(
    "line",
    [
        json.dumps({"event": "refused", "code": "FH-2004", "host": "localhost", "port": 8080}),
        "listening                      host=localhost port=8080",
        "webhook refused  url=https://hooks.example/a/b  robot=r1",
        "the state folder is /var/lib/farhand; the token of t-7 was revoked",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert masked(line) == line


def test_a_masked_json_line_is_still_json() -> None:
    line = json.dumps({"password": CANARY, "sdp": f"a=ice-pwd:{CANARY}\r\n", "n": 1})
    assert json.loads(masked(line))["n"] == 1


@pytest.mark.parametrize(
    "part",
    ["a.", "eyJ-", "eyJa.", "a://", "fh_a-", "bearer ", "cookie:", '"token":"\\\\', "\x1b[1m"],
)
def test_a_hostile_line_takes_no_longer_than_its_length(part: str) -> None:
    """One that is read anew from each of its characters would take minutes."""
    line = part * (200_000 // len(part))
    started = time.process_time()
    masked(line)
    assert time.process_time() - started < 5


@pytest.mark.parametrize("is_terminal", [False, True])
def test_the_log_masks_arguments_tracebacks_and_libraries(is_terminal: bool) -> None:
    stream = io.StringIO()
    stream.isatty = lambda: is_terminal  # type: ignore[method-assign]
    log = structlog.get_logger("farhand.server")
    with logging_to(stream):
        log.info("refused", token=CANARY, header={"authorization": f"Bearer {CANARY}"})
        logging.getLogger("httpx").warning("GET /x?token=%s", CANARY)
        try:
            raise ValueError(f"fh_{CANARY}")
        except ValueError:
            log.exception("failed")
    assert "failed" in stream.getvalue()
    assert CANARY not in stream.getvalue()


def test_levels_are_set_for_each_logger() -> None:
    stream = io.StringIO()
    with logging_to(stream, levels_of(["warning", "farhand.server=debug", "aioice=info"])):
        structlog.get_logger("farhand.server.hub").debug("one")
        structlog.get_logger("farhand.agent").info("no")
        logging.getLogger("aioice").info("two")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["one", "two"]
    assert [line["logger"] for line in lines] == ["farhand.server.hub", "aioice"]
    assert logging.getLogger("aioice").level == logging.NOTSET


@pytest.mark.parametrize("option", ["loud", "farhand=", "=info=x", "a b=info"])
def test_a_level_that_is_none_is_refused(option: str) -> None:
    with pytest.raises(ConfigError) as caught:
        levels_of([option])
    assert caught.value.code is Code.CONFIG_INVALID
