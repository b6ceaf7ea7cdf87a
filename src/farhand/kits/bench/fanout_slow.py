"""Seven viewers on the robot's own network and an eighth behind 500 kbit/s: do the seven notice?

Server, agent and the seven are at one end of the lab's link, the slow one's browser at the other.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from farhand.kits.bench.common import ages
from farhand.kits.bench.rig import CAMERA, Farhand, Rig, rig
from farhand.kits.lab.lab import Lab, Place
from farhand.kits.lab.line import Impairment

SEVEN = 7
NEAR = Impairment(delay_s=0.005)
SLOW = replace(NEAR, rate_bps=500_000, queue_s=0.2)
FIRST_FRAME_MS = 5000
SETTLE_MS = 3000


class FarPage:
    """A bench page in another namespace, with a thread of its own that is there too.

    Args:
        place: Where.

    """

    def __init__(self, place: Place) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._open = ExitStack()
        self.rig: Rig = self._thread.submit(self._start, place).result()

    def call(self, expression: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        return self._thread.submit(self.rig.call, expression).result()

    def close(self) -> None:
        """Close the browser."""
        self._thread.submit(self._open.close).result()
        self._thread.shutdown()

    def _start(self, place: Place) -> Rig:
        with ExitStack() as opened:
            opened.enter_context(place.entered())
            far = opened.enter_context(rig())
            self._open = opened.pop_all()
        return far


@dataclass(frozen=True, slots=True)
class SlowRig:
    """Both ends of the link."""

    near: Rig
    far: FarPage
    farhand: Farhand
    server: str
    """The server's address for the far end."""


@contextmanager
def slow_rig() -> Iterator[SlowRig]:
    """Start everything.

    Raises:
        FarhandError: There can be no lab on this machine.

    """
    with Lab(NEAR, SLOW) as lab, lab.operator.entered(), rig() as near, ExitStack() as opened:
        far = FarPage(lab.robot)
        opened.callback(far.close)
        # Listens for both ends; the private namespaces reach nothing else.
        reachable = ["--host", "0.0.0.0", "--insecure", "--origin", far.rig.host.url]  # noqa: S104 - a namespace's
        farhand = Farhand(near.host, (CAMERA,), reachable)
        opened.callback(farhand.close)
        yield SlowRig(near, far, farhand, lab.operator.address)


def measure(rig_: SlowRig, measure_ms: int) -> Mapping[str, float]:
    """Return what the seven see without and beside the slow one, and what that one sees."""
    near, far, connect = rig_.near, rig_.far, rig_.farhand.connect_expression()
    near.call(f"openViewers({SEVEN}, {near.host.clock_url!r})")
    far.call(f"openViewers(1, {far.rig.host.clock_url!r})")
    try:
        near.call(f"connectViewers((w) => w.{connect}, {FIRST_FRAME_MS})")
        near.call(f"sleep({SETTLE_MS})")
        without = near.call(f"measureViewers({measure_ms})")
        elsewhere = connect.replace("127.0.0.1", rig_.server)
        far.call(f"connectViewers((w) => w.{elsewhere}, {FIRST_FRAME_MS})")
        far.call(f"sleep({SETTLE_MS})")
        # Both pages measure at the same time: the far one has a thread of its own.
        far.call(f"void (window.measured = measureViewers({measure_ms}))")
        beside = near.call(f"measureViewers({measure_ms})")
        slow = far.call("window.measured")
    finally:
        near.call("closeViewers()")
        far.call("closeViewers()")
    return {**_figures("seven", without), **_figures("seven_beside_slow", beside), **_slow(slow)}


def _figures(name: str, tracks: list[dict[str, Any]]) -> dict[str, float]:
    seen = [age for track in tracks for age in track["ages"]]
    fps = [track["fps"] for track in tracks] if len(tracks) == SEVEN else [0.0]
    return {f"{name}_fps": min(fps), **ages(f"{name}_decoded", seen)}


def _slow(tracks: list[dict[str, Any]]) -> dict[str, float]:
    if not tracks:
        return {"slow_fps": 0.0}
    (track,) = tracks
    figures = {f"slow_{key}": track[key] for key in ("fps", "kbps", "width")}
    return {**figures, **ages("slow_decoded", track["ages"])}
