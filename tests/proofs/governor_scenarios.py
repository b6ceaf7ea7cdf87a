"""Scenarios of the governor and of position limits."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from farhand.core.gate_config import GateConfig
from farhand.errors import Code
from farhand.protocol.types import SteerBy
from tests.proofs.gate_model import MS
from tests.proofs.gate_parties import Parties, members
from tests.proofs.plant import REACH

LOOPS = st.sampled_from([120, 300, 450, 700, 1100])


class GovernorScenarios(Parties):
    """Honest drivers on slow links, and some who lie about them."""

    def _start_driving(self, member: int, steer_by: SteerBy) -> None:
        if self.latch == "stop" or (self.latch and not self.config.unlatch_on_grant):
            self.reset(wrong=False)
        self.grant(member, steer_by)
        self._beat(member)

    def _go_on(
        self,
        member: int,
        ms: int,
        *,
        view_ms: float = 80,
        told_ms: int = 100,
        x: float = 1.0,
        seen_us: int | None = None,
        late_ms: int = 0,
    ) -> Code | None:
        """Send a frame each 20 ms, neutral while the gate wants it; return the last verdict."""
        code: Code | None = None
        heard: list[int] = [self.heard] * (late_ms // 20 + 1)
        for _ in range(ms // 20):
            self._advance(20)
            beat = self.gate.beat(self.now)
            self.beats[beat.n] = self.now
            self.heard = beat.n
            heard.append(beat.n)
            seen = self.now - int(view_ms * MS) if seen_us is None else seen_us
            speed = (x, 0.0) if self.armed else (0.0, 0.0)
            frame = self._frame(
                *(member, speed), seen_us=seen, loop_ms=told_ms, heard=heard[-1 - late_ms // 20]
            )
            code = self._deliver(frame).code
        return code

    @rule(member=members, loop=LOOPS, lie=st.sampled_from(["", "view", "told", "unknown"]))
    def slow(self, member: int, loop: int, lie: str) -> None:
        """A slow loop; or somebody who says that it is not."""
        self._start_driving(member, "video")
        view_ms = 60 if lie == "view" else loop
        told_ms = {"told": 20, "unknown": 0}.get(lie, loop)
        code = self._go_on(member, 1600, view_ms=view_ms, told_ms=told_ms)
        if loop <= 1000 or (lie == "view" and told_ms <= 1000):
            assert code is None, f"I11 honest command refused: {code}"
            assert any(self.gate.shaper.output), "I11 does not move"

    @rule(member=members, told=st.sampled_from([1001, 5000, 65535]))
    def stuck(self, member: int, told: int) -> None:
        """A program whose figure grows while it waits for what a refused command would do."""
        self._start_driving(member, "video")
        self._go_on(member, 1900, told_ms=told)
        assert self._go_on(member, 2400, told_ms=told) is None, "I11 locked for ever"
        assert any(self.gate.shaper.output), "I11 does not move"

    @rule(member=members, before=st.sampled_from([100, 450]), after=LOOPS)
    def step(self, member: int, before: int, after: int) -> None:
        """The delay changes from one moment to the next."""
        self._start_driving(member, "video")
        self._go_on(member, 1400, view_ms=before, told_ms=before)
        self._go_on(member, 1100, view_ms=after, told_ms=after)

    @rule(member=members, loop=st.sampled_from([450, 1200]), better=st.sampled_from([700, 900]))
    def recover(self, member: int, loop: int, better: int) -> None:
        """Better for less than a second is not better yet; for longer it is."""
        self._start_driving(member, "video")
        self._go_on(member, 1200, view_ms=loop, told_ms=loop)
        self._go_on(member, better)
        self._go_on(member, 100, view_ms=loop, told_ms=loop)
        self._go_on(member, 600, view_ms=loop, told_ms=loop)
        assert self._go_on(member, 2400) is None, "I11 honest command refused"
        fastest = 0.95 * self.config.speed_cap
        assert self.gate.shaper.output[0] > fastest, "I11 the speed does not come back"

    @rule(member=members, frozen=st.sampled_from([400, 480, 700]), wait=st.sampled_from([0, 100]))
    def freeze_video(self, member: int, frozen: int, wait: int) -> None:
        """The picture stands still, the stick does not."""
        self._start_driving(member, "video")
        self._go_on(member, 400)
        code = self._go_on(member, frozen, seen_us=self.now - 80 * MS)
        if frozen > 500:
            assert code is Code.VIDEO_STALE, "I13 steered by an old picture"
        self._advance(wait)
        self._go_on(member, 1300)

    @rule(member=members)
    def never_shown(self, member: int) -> None:
        self._start_driving(member, "video")
        assert self._go_on(member, 100, seen_us=0) is Code.VIDEO_STALE, "I13 no picture at all"

    @rule(member=members, ahead=st.sampled_from([1, 10**12]))
    def clairvoyant(self, member: int, ahead: int) -> None:
        """Pictures of the future would be fresh for ever."""
        self._start_driving(member, "video")
        self._go_on(member, 400)
        self._go_on(member, 1300, view_ms=-ahead / MS)

    @rule(member=members, late=st.sampled_from([0, 60, 300]))
    def blind(self, member: int, late: int) -> None:
        """Without pictures the beats say how long the loop is."""
        self._start_driving(member, "blind")
        code = self._go_on(member, 1400, seen_us=0, told_ms=0, late_ms=late)
        assert code is None, f"I11 honest command refused: {code}"
        assert any(self.gate.shaper.output), "I11 does not move"

    @rule(member=members, late=st.sampled_from([240, 400]))
    def blind_by_leave(self, member: int, late: int) -> None:
        """An owner who lets blind drivers go fast: the loop still counts."""
        self._restart_with(blind_cap=1.0)
        self.blind(member, late)

    @rule(member=members)
    def on_board(self, member: int) -> None:
        """A program on the robot is not slowed."""
        self._start_driving(member, "local")
        assert self._go_on(member, 600, seen_us=0, told_ms=0) is None, "I11 refused"
        assert self.gate.shaper.output[0] > 0.95 * self.config.speed_cap, "I11 is slowed"

    def _restart_with(self, **governor: float) -> None:
        config = self.config.governor
        names = ("t_ref_ms", "t_stop_ms", "stale_video_ms", "blind_distance_m", "blind_cap")
        numbers = {name: getattr(config, name) for name in names} | governor
        self.config = GateConfig(
            self.config.max_age_us, self.config.unlatch_on_grant, type(config)(**numbers)
        )
        self._start()

    @rule(member=members, side=st.sampled_from([1.0, -1.0]), away=st.sampled_from([0, 260]))
    def push_the_limit(self, member: int, side: float, away: int) -> None:
        """Full speed to the end of an axis, and its sensor may fail on the way."""
        self._start_driving(member, "local")
        for n in range(45):
            self._advance(20)
            if n == 12 and away:
                self.plant.is_blind = True
            if n == 12 + away // 20:
                self.plant.is_blind = False
            self._beat(count=1, rtt_ms=0)
            axes = (0.0, side) if self.armed else (0.0, 0.0)
            judged = self._deliver(self._frame(member, axes))
            assert judged.code is None, f"I11 honest command refused: {judged.code}"
        if not away and self.config.speed_cap == 1:
            assert abs(self.plant.position - side * REACH) < 0.06, "I11 never reaches its limit"
        self._go_back(member, -side)

    def _go_back(self, member: int, x: float) -> None:
        for _ in range(20):
            self._advance(20)
            self._beat(count=1, rtt_ms=0)
            self._deliver(self._frame(member, (0.0, x if self.armed else 0.0)))
        assert self.gate.shaper.output[1] * x > 0, "I11 does not leave its limit"
