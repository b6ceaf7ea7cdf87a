"""`farhand bench api`: lists of robots over REST, and signaling while two hundred people log in.

A thousand robots are in the store (SQLite), accounts are on. The peer is a bare FastAPI application
that returns the same bytes to anybody, without looking anything up. The servers are pinned to one
core, the load to another.
"""

import functools
import importlib.metadata
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from farhand.errors import Code, FarhandError
from farhand.kits.bench import api_load, api_records
from farhand.kits.bench import relay_load as load
from farhand.kits.bench.api_records import Records
from farhand.kits.bench.common import interleave, medians, percentile, spreads
from farhand.kits.bench.relay import MESSAGE_BYTES, padded, pinned, serving

PAGES = (500, 50)
"""Robots on a page: as many as there may be, and a screenful."""
IN_FLIGHT = 8
PAIRS = 20
RATE = 500.0
"""Relayed messages a second."""
LOGINS = 200
PACKAGES = ("fastapi", "sqlalchemy", "argon2-cffi")
_WARM_S = 0.5


@dataclass(frozen=True, slots=True)
class Extent:
    """How long and how much to measure."""

    list_s: float
    quiet_s: float
    logins: int


def run(*, quick: bool = False, rounds: int | None = None) -> dict[str, Any]:
    """Measure and return ``{"farhand": ..., "peers": ...}``; delays in ms.

    In full it takes some four minutes on two cores, most of them for the logins.
    """
    extent = Extent(1.0, 2.0, 20) if quick else Extent(2.0, 6.0, LOGINS)
    with tempfile.TemporaryDirectory(prefix="farhand-bench-") as folder, pinned():
        root = Path(folder)
        records = api_records.fill(root / "state", PAIRS)
        _keep_pages(root, records)
        parties: dict[str, Callable[[], Mapping[str, float]]] = {
            "farhand": functools.partial(_farhand, root / "state", records, extent),
            "fastapi_bare": functools.partial(_peer, root, records, extent),
        }
        # No round to warm up: each server is a new one, and each measurement has its own warming.
        results = interleave(parties, rounds or (1 if quick else 3), warm_up=False)
    return report(results)


def report(results: Mapping[str, list[Mapping[str, float]]]) -> dict[str, Any]:
    """Return what is printed of the rounds of farhand and its peers."""
    figures = {name: medians(found, 3) for name, found in results.items()}
    mine = figures.pop("farhand")
    return {
        "farhand": mine,
        "peers": figures,
        "spread": {name: spreads(found, 3) for name, found in results.items()},
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def _keep_pages(root: Path, records: Records) -> None:
    """Write what farhand answers, for the peer to return."""
    with serving(_argv("api_server", root / "state")) as (port, _):
        for size in PAGES:
            body = api_load.fetch(port, _request(size, records))
            found = len(msgspec.json.decode(body)["robots"])
            if found != size:
                raise ValueError(f"a page of {found} robots, not {size}")
            (root / f"{size}.json").write_bytes(body)


def _argv(module: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", f"farhand.kits.bench.{module}", *map(str, arguments)]


def _request(size: int, records: Records) -> bytes:
    return api_load.get(f"/v1/robot?limit={size}", records.token)


# --- lists ---------------------------------------------------------------------------------------


def _lists(port: int, records: Records, extent: Extent) -> dict[str, float]:
    figures: dict[str, float] = {}
    for size in PAGES:
        request = _request(size, records)
        api_load.saturate(port, request, IN_FLIGHT, _WARM_S)
        busy = api_load.saturate(port, request, IN_FLIGHT, extent.list_s)
        alone = api_load.saturate(port, request, 1, extent.list_s)
        figures |= {
            f"list_{size}_per_s": busy.per_second,
            f"list_{size}_p99": percentile(busy.delays_ms, 99),
            f"list_{size}_alone_p50": percentile(alone.delays_ms, 50),
            f"list_{size}_alone_p99": percentile(alone.delays_ms, 99),
        }
    return figures


def _peer(root: Path, records: Records, extent: Extent) -> dict[str, float]:
    with serving(_argv("api_peer", root)) as (port, _):
        return _lists(port, records, extent)


def _farhand(state: Path, records: Records, extent: Extent) -> dict[str, float]:
    with serving(_argv("api_server", state)) as (port, _):
        return {**_lists(port, records, extent), **_signaling(port, records, extent)}


# --- signaling while people log in ---------------------------------------------------------------


def _signaling(port: int, records: Records, extent: Extent) -> dict[str, float]:
    sockets, _ = load.connect_all(
        port, 2 * PAIRS, lambda _: "/v1/service/default/ws", functools.partial(_hello, records)
    )
    try:
        size = _pair(sockets)
        load.pace(sockets, size, RATE, _WARM_S)
        quiet = load.pace(sockets, size, RATE, extent.quiet_s)
        busy, logins = _while_logging_in(port, sockets, size, extent.logins)
    finally:
        for connection in sockets:
            connection.sock.close()
    return {
        "signaling_quiet_p50": percentile(quiet, 50),
        "signaling_quiet_p99": percentile(quiet, 99),
        "signaling_logins_p50": percentile(busy, 50),
        "signaling_logins_p99": percentile(busy, 99),
        **logins,
    }


def _while_logging_in(
    port: int, sockets: list[load.Socket], size: int, count: int
) -> tuple[list[float], dict[str, float]]:
    """Return the delays for as long as it takes ``count`` people to log in, and how they fared."""
    with subprocess.Popen(_argv("api_logins", port, count), stdout=subprocess.PIPE) as logins:
        said: list[bytes] = []
        reader = threading.Thread(target=lambda: said.append(_line_of(logins)))
        reader.start()
        delays: list[float] = []
        while reader.is_alive():
            delays += load.pace(sockets, size, RATE, 0.25)
        reader.join()
    if not said[0]:
        raise FarhandError(Code.INTERNAL, "The logins beside the load have failed.")
    found: dict[str, float] = json.loads(said[0])
    return delays, found


def _line_of(process: "subprocess.Popen[bytes]") -> bytes:
    assert process.stdout is not None  # noqa: S101 - asked for
    return process.stdout.readline()


def _hello(records: Records, number: int) -> bytes:
    """A robot in its own room, or the person who drives it: each proves who they are."""
    robot = api_records.robot_id(number // 2)
    if number % 2:
        hello = _json(type="hello", role="operator", name=f"person {number}", token=records.token)
    else:
        manifest = {"robotId": robot, "name": robot}
        hello = _json(
            type="hello",
            role="robot",
            name=robot,
            robotId=robot,
            manifest=manifest,
            token=records.robot_token(number // 2),
        )
    return hello + _json(type="join", room=robot, media=not number % 2)


def _pair(sockets: list[load.Socket]) -> int:
    """Give each its partner and its frame; return the size of a frame as it arrives."""
    for number, (robot, person) in enumerate(zip(sockets[::2], sockets[1::2], strict=True)):
        robot.partner, person.partner = person, robot
        person.sock.send(_json(type="join", room=api_records.robot_id(number)))
        session = person.expect("session-start")["sessionId"]
        robot.expect("session-start")
        robot.sock.send(_json(type="offer", sessionId=session, sdp="v=0"))
        person.expect("offer")
        person.sock.send(_json(type="answer", sessionId=session, sdp="v=0"))
        robot.expect("answer")
        message = {"type": "candidate", "sessionId": session, "candidate": {"candidate": ""}}
        robot.frame = person.frame = load.client_frame(padded(message))
    return MESSAGE_BYTES + 4


def _json(**message: object) -> bytes:
    return load.client_frame(msgspec.json.encode(message))
