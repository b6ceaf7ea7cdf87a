"""`farhand bench relay`: what a message between two members costs, beside Node's `ws`.

Both servers relay the same 400-byte candidates between 200 connections, pinned to one core; the
load comes from another. farhand does its whole job: hello, rooms, sessions, limits, keepalive.
"""

import contextlib
import functools
import gc
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import platformdirs

from farhand.kits.bench import relay_load as load
from farhand.kits.bench.common import interleave, medians, percentile, spreads

WS_VERSION = "8.23.0"
BUFFERUTIL_VERSION = "4.1.0"
TALKERS = 200
RATE = 2000.0
MESSAGE_BYTES = 400
_PEER = Path(__file__).parent / "peers" / "relay_ws.cjs"
_WARM_S = 0.5


@dataclass(frozen=True, slots=True)
class Extent:
    """How long and how much to measure."""

    idle: int
    saturate_s: float
    pace_s: float


def run(*, quick: bool = False, rounds: int | None = None) -> dict[str, Any]:
    """Measure and return ``{"farhand": ..., "peers": ...}``; delays in ms."""
    _allow_files()
    extent = Extent(1000, 2.0, 1.5) if quick else Extent(4000, 5.0, 4.0)
    parties: dict[str, Callable[[], Mapping[str, float]]] = {
        "farhand": functools.partial(_measure, _farhand, extent)
    }
    absent: dict[str, Any] = {"socketio": "absent: no dialect speaks it yet"}
    node = _node_command()
    if isinstance(node, str):
        absent["node_ws"] = node
    else:
        parties["node_ws"] = functools.partial(_measure, functools.partial(_node, node), extent)
    with pinned():
        results = interleave(parties, rounds or 3, warm_up=not quick)
    figures: dict[str, Any] = {name: medians(found, 3) for name, found in results.items()}
    spread = {name: spreads(found, 3) for name, found in results.items()}
    mine = figures.pop("farhand")
    if "node_ws" in figures:
        mine = {**mine, "us_per_msg_x_node": _ratio(mine, figures["node_ws"], "us_per_msg")}
    return {"farhand": mine, "peers": {**figures, **absent}, "spread": spread}


def _ratio(mine: Mapping[str, float], theirs: Mapping[str, float], key: str) -> float:
    return round(mine[key] / theirs[key], 3)


# --- one party, one round ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Party:
    """A server under test and how to talk to it."""

    argv: list[str]
    path: Callable[[int], str]
    greet: Callable[[int], bytes]
    introduce: Callable[[list[load.Socket]], int]
    """Pair the sockets, give each its frame, and return the size of a frame as it arrives."""
    cwd: Path | None = None


def _measure(make: Callable[[], Party], extent: Extent) -> dict[str, float]:
    party = make()
    with serving(party.argv, party.cwd) as (port, pid):
        gc.collect()
        gc.disable()
        try:
            figures = _idle(party, port, pid, extent.idle)
            sockets, _ = load.connect_all(port, TALKERS, party.path, party.greet)
            size = party.introduce(sockets)
            figures |= _saturated(sockets, size, pid, extent.saturate_s)
            load.settle(sockets, 0.2)
            load.pace(sockets, size, RATE, _WARM_S)
            delays = load.pace(sockets, size, RATE, extent.pace_s)
            figures["p50_at_2k"] = percentile(delays, 50)
            figures["p99_at_2k"] = percentile(delays, 99)
            for connection in sockets:
                connection.sock.close()
        finally:
            gc.enable()
    return figures


def _idle(party: Party, port: int, pid: int, count: int) -> dict[str, float]:
    # All of them robots, each in a room of its own.
    def greet(number: int) -> bytes:
        return party.greet(2 * number)

    warm, _ = load.connect_all(port, 100, party.path, greet)
    for connection in warm:
        connection.sock.close()
    time.sleep(0.3)
    before = _memory_kb(pid)
    sockets, took = load.connect_all(port, count, party.path, greet)
    time.sleep(0.5)
    after = _memory_kb(pid)
    for connection in sockets:
        connection.sock.close()
    time.sleep(0.3)
    return {"kb_per_idle_conn": (after - before) / count, "connects_per_s": count / took}


def _saturated(sockets: list[load.Socket], size: int, pid: int, seconds: float) -> dict[str, float]:
    for connection in sockets:
        connection.sock.send(connection.frame)
    load.saturate(sockets, size, _WARM_S)
    cpu, wall, own = _cpu_s(pid), time.perf_counter(), time.process_time()
    arrived = load.saturate(sockets, size, seconds)
    took = time.perf_counter() - wall
    return {
        "us_per_msg": (_cpu_s(pid) - cpu) / arrived * 1e6,
        "msgs_per_s": arrived / took,
        "load_busy": (time.process_time() - own) / took,
    }


# --- the parties ---------------------------------------------------------------------------------


def _farhand() -> Party:
    return Party(
        [sys.executable, "-m", "farhand.kits.bench.relay_server"],
        path=lambda _: "/v1/service/default/ws",
        greet=_hello,
        introduce=_pair_farhand,
    )


def _json(**message: object) -> bytes:
    return load.client_frame(msgspec.json.encode(message))


def _hello(number: int) -> bytes:
    """A robot with a camera and two axes in its own room, or the person who drives it."""
    robot_id = f"bench-{number // 2:06d}"
    if number % 2:
        hello = _json(type="hello", role="operator", name=f"person {number}")
    else:
        axis = {"label": "speed", "unit": "m/s", "minimum": -1.0, "maximum": 1.0}
        manifest = {
            "robotId": robot_id,
            "name": robot_id,
            "cameras": [
                {"id": "front", "label": "Front", "width": 1280, "height": 720, "fps": 30.0}
            ],
            "axes": [{"id": "linear.x", **axis}, {"id": "angular.z", **axis}],
        }
        hello = _json(
            type="hello", role="robot", name=robot_id, robotId=robot_id, manifest=manifest
        )
    return hello + _json(type="join", room=robot_id, media=not number % 2)


def _pair_farhand(sockets: list[load.Socket]) -> int:
    for robot, person in zip(sockets[::2], sockets[1::2], strict=True):
        robot.partner, person.partner = person, robot
        person.sock.send(_json(type="join", room=f"bench-{robot.number // 2:06d}"))
        session = person.expect("session-start")["sessionId"]
        robot.expect("session-start")
        robot.sock.send(_json(type="offer", sessionId=session, sdp="v=0"))
        person.expect("offer")
        person.sock.send(_json(type="answer", sessionId=session, sdp="v=0"))
        robot.expect("answer")
        payload = padded(
            {"type": "candidate", "sessionId": session, "candidate": {"candidate": ""}}
        )
        robot.frame = person.frame = load.client_frame(payload)
    return MESSAGE_BYTES + 4


def padded(message: dict[str, Any]) -> bytes:
    """Return a candidate of the size that is measured."""
    line = (
        "candidate:842163049 1 udp 1677729535 192.0.2.17 40000 typ srflx raddr 10.0.0.17 rport 3 "
    )
    init = {"sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": "EsAw"}
    message["candidate"] = {"candidate": line, **init}
    missing = MESSAGE_BYTES - len(msgspec.json.encode(message))
    message["candidate"]["candidate"] = line + "x" * missing
    return msgspec.json.encode(message)


def _node(command: list[str]) -> Party:
    return Party(
        command,
        path=lambda number: f"/p{number:06d}",
        greet=lambda _: b"",
        introduce=_pair_node,
        cwd=_node_folder(),
    )


def _pair_node(sockets: list[load.Socket]) -> int:
    for one, other in zip(sockets[::2], sockets[1::2], strict=True):
        for sender, receiver in ((one, other), (other, one)):
            sender.partner = receiver
            message = {"to": f"p{receiver.number:06d}", "type": "candidate", "candidate": {}}
            sender.frame = load.client_frame(padded(message))
    # `from` is two letters longer than `to`.
    return MESSAGE_BYTES + 2 + 4


# --- processes -----------------------------------------------------------------------------------


@contextlib.contextmanager
def serving(argv: list[str], cwd: Path | None = None) -> Iterator[tuple[int, int]]:
    """Run a server that prints its port on our last core; hand out the port and its process id."""
    ours = os.sched_getaffinity(0)
    # Inherited by the child and every thread that it starts.
    os.sched_setaffinity(0, {max(range(os.cpu_count() or 1))})
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=cwd)
    os.sched_setaffinity(0, ours)
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        port = int(process.stdout.readline())
        yield port, process.pid
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


@contextlib.contextmanager
def pinned() -> Iterator[None]:
    """Put the load on our first core; the servers go on our last one."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _cpu_s(pid: int) -> float:
    """CPU seconds of all threads of a process, in nanoseconds' resolution."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def _memory_kb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return float(line.split()[1])
    raise OSError("no Pss")


def _allow_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _node_folder() -> Path:
    return Path(platformdirs.user_cache_dir("farhand")) / f"bench-node-ws-{WS_VERSION}"


def _node_command() -> list[str] | str:
    """Return how to start the peer, installing it once; or why it is absent."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "absent: no node or npm on this machine"
    folder = _node_folder()
    script = folder / _PEER.name
    if not (folder / "node_modules" / "bufferutil").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        packages = {"ws": WS_VERSION, "bufferutil": BUFFERUTIL_VERSION}
        (folder / "package.json").write_bytes(
            msgspec.json.encode({"private": True, "dependencies": packages})
        )
        install = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(install, cwd=folder, capture_output=True, check=False, timeout=120)
        if done.returncode:
            return f"absent: npm install failed ({done.returncode})"
    shutil.copyfile(_PEER, script)
    return [node, str(script)]
