"""Tells each viewer what the sender does for them, and everybody whose picture stands still.

Ten times a second it reads the figures that the connections keep anyway; no frame costs anything.
"""

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

import structlog

from farhand.agent.freeze import Freeze, FreezeNews, Why
from farhand.agent.people import People, Person
from farhand.agent.session_host import SessionHost
from farhand.agent.video_state import make_video_state
from farhand.protocol import codec, control
from farhand.protocol import messages as m
from farhand.protocol.ids import MemberId

log = structlog.get_logger(__name__)

TICK_S = 0.1
REPORT_EVERY_US = 500_000
HUNG_US = 300_000
"""After a pause of our own so long, silence may be ours: it counts only if it goes on."""
MAX_AGE_MS = 2**32 - 1


class _Viewer:
    """What one person has been told, and what is known of their picture."""

    def __init__(self, now_us: int) -> None:
        self.freeze = Freeze(now_us)
        self.number: int | None = None
        self.told: tuple[object, ...] = ()
        self.due_us = 0
        self.is_broken = False


class VideoReports:
    """The reports of all sessions.

    Args:
        people: Whom to tell.
        announce: Tells everybody of an event.
        driver: Says who drives by what the pictures show, if somebody does.
        clock_us: The robot's clock.

    """

    def __init__(
        self,
        people: People,
        *,
        announce: Callable[[m.Event], None],
        driver: Callable[[], MemberId | None],
        clock_us: Callable[[], int],
    ) -> None:
        self._people = people
        self._announce = announce
        self._driver = driver
        self._clock_us = clock_us
        self._viewers: WeakKeyDictionary[Person, _Viewer] = WeakKeyDictionary()
        self._tick_us: int | None = None

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            self.tick()
            await asyncio.sleep(TICK_S)

    def picture_age_us(self) -> int | None:
        """Return the age of the picture that the driver steers by, by the driver's own word.

        ``None``: nobody drives by the pictures, or no picture is known to be on their screen.
        """
        person = self._people.get(self._driver())
        return None if person is None else person.shown.age_us(self._clock_us())

    def tick(self) -> None:
        """Send what is due, and look for pictures that stand still."""
        now_us = self._clock_us()
        was_hung = self._tick_us is not None and now_us - self._tick_us > HUNG_US
        self._tick_us = now_us
        driver = self._driver()
        for person in self._people:
            if person.host is None or not person.host.is_connected:
                continue
            viewer = self._viewers.get(person)
            if viewer is None:
                viewer = self._viewers[person] = _Viewer(now_us)
            if viewer.is_broken:
                continue
            try:
                self._visit(person, viewer, now_us, driver, was_hung=was_hung)
            except Exception:
                # Figures are no reason to end a session, and still less the agent.
                log.exception("no more figures for this member", member=person.member.id)
                viewer.is_broken = True

    def _visit(
        self,
        person: Person,
        viewer: _Viewer,
        now_us: int,
        driver: MemberId | None,
        *,
        was_hung: bool,
    ) -> None:
        host = person.host
        stats = host.stats() if host is not None else None
        if host is None or stats is None or "view" not in host.scopes:
            return
        self._report(host, viewer, make_video_state(stats, host.cameras, now_us))
        if not host.cameras:
            viewer.freeze.clear()
            return
        is_driver = person.member.id == driver
        why: Why | None = None
        if stats.is_silent:
            why = "silence"
        elif is_driver and person.shown.is_still(now_us):
            why = "not-shown"
        elif viewer.freeze.why == "not-shown" and not is_driver:
            # Whether it is back only the driver's frames could tell.
            viewer.freeze.clear()
        if was_hung and why is not None and viewer.freeze.why is None:
            return
        age_us = person.shown.age_us(now_us) if is_driver else None
        news = viewer.freeze.update(why, age_us, now_us)
        if news is not None:
            self._tell(person.member, host, news)

    def _tell(self, member: m.Member, host: SessionHost, news: FreezeNews) -> None:
        age_ms = None if news.age_us is None else min(news.age_us // 1000, MAX_AGE_MS)
        log.warning(news.kind, member=member.id, why=news.why, age_ms=age_ms)
        self._announce(
            m.Event(
                news.kind,
                member=member,
                camera=host.cameras[0] if len(host.cameras) == 1 else None,
                text=news.why if news.kind == "video-frozen" else "",
                age_ms=age_ms,
            )
        )

    def _report(self, host: SessionHost, viewer: _Viewer, state: m.VideoState) -> None:
        news = (state.reason, *((c.camera, c.width, c.height) for c in state.cameras))
        is_same = viewer.number == host.number and viewer.told == news
        if is_same and state.stamp_us < viewer.due_us:
            return
        if host.send(control.TELEMETRY, codec.encode(state).decode()):
            viewer.number, viewer.told = host.number, news
            viewer.due_us = state.stamp_us + REPORT_EVERY_US
