"""Members that want to drive, ask, answer and vanish, in any order."""

from dataclasses import replace
from itertools import product
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from farhand.core.lease import RANK, AskOver, Denied, Driver, Lease, LeaseRules, Question, Revoked
from farhand.errors import Code
from farhand.protocol.ids import MemberId
from tests.proofs.lease_model import LeaseModel

DRIVERS = [
    Driver(MemberId("ana"), "Ana", "operator"),
    Driver(MemberId("ben"), "Ben", "operator", "blind"),
    Driver(MemberId("policy"), "policy", "program", "blind"),
    Driver(MemberId("sue"), "Sue", "supervisor"),
    Driver(MemberId("vera"), "Vera", "viewer"),
]
drivers = st.sampled_from(DRIVERS)
able = st.sampled_from(DRIVERS[:4])
WHY = "fire"
IDLE_TIMES = (44_999, 45_000, 59_999, 60_000)
ENDINGS = (
    *("yes", "no", "cancel", "silence", "release", "vanish", "leave", "asker leaves"),
    *("stopped", "reset", "gate-lost", "to asker", "to third", "force", "asker forces"),
    *(
        "holder returns",
        "asker returns",
        "asker renamed",
        "third asks",
        "asker asks",
        "wrong answer",
        "expire",
    ),
)


class LeaseMachine(LeaseModel):
    """The lease under all that people do."""

    @initialize(grants=st.booleans())
    def owner(self, grants: bool) -> None:
        """Let the robot's owner decide what silence means."""
        self.terms = LeaseRules(on_silence="grant" if grants else "refuse")
        self.lease = self.lease_class(epoch=0, rules=self.terms)

    # --- what people do; each after what is over has ended ---

    @rule(driver=drivers)
    def request(self, driver: Driver) -> None:
        self._settle()
        before, question = self.holder, self.question
        may = driver.role in RANK and (before is None or driver.member == before.member)
        effects = self.lease.request(driver, self.now, WHY)
        self._carry_out(effects, allowed=driver if may else None)
        if may:
            assert self.holder == driver, "I11 a free robot was refused"
            return
        assert self.holder == before, "I1 taken by asking"
        asker = self.question.asker.member if self.question else None
        if driver.role in RANK:
            first = question.asker.member if question else driver.member
            assert asker == first, "not asked, or the first one forgotten"

    @rule(driver=drivers, accept=st.booleans(), back=st.integers(0, 1))
    def answer(self, driver: Driver, accept: bool, back: int) -> None:
        self._settle()
        before, question = self.holder, self.question
        ask = self.asks - back
        is_theirs = before is not None and before.member == driver.member
        counts = is_theirs and question is not None and question.ask == ask
        effects = self.lease.answer(driver.member, ask, accept=accept, now_us=self.now)
        self._carry_out(effects)
        if not counts or question is None:
            assert (self.holder, self.question) == (before, question), "a word that is not theirs"
        else:
            assert self.question is None, "answered and still open"
            assert self.holder == (question.asker if accept else before), "not as the holder said"

    @rule(driver=drivers)
    def cancel(self, driver: Driver) -> None:
        self._settle()
        question = self.question
        is_theirs = question is not None and question.asker.member == driver.member
        self._carry_out(self.lease.cancel(driver.member, self.now))
        assert self.question == (None if is_theirs else question), "cancelled by somebody else"

    @rule(driver=drivers, back=st.integers(0, 2), is_input=st.booleans())
    def renew(self, driver: Driver, back: int, is_input: bool) -> None:
        self._settle()
        effects = self.lease.renew(driver.member, self.granted - back, self.now, is_input=is_input)
        if self.holder is not None and driver.member == self.holder.member and not back:
            self.heard_us = self.now
            if is_input:
                self.input_us = self.now
        self._carry_out(effects)

    @rule(driver=drivers, back=st.integers(0, 1))
    def release(self, driver: Driver, back: int) -> None:
        self._settle()
        before, question = self.holder, self.question
        counts = before is not None and (before.member, back) == (driver.member, 0)
        self._carry_out(self.lease.release(driver.member, self.granted - back, self.now))
        self._freed(before, question, is_freed=counts)

    @rule(driver=drivers)
    def left(self, driver: Driver) -> None:
        self._settle()
        before, question = self.holder, self.question
        if self.lost and self.lost[0].member == driver.member:
            self.lost = None
        if question is not None and question.asker.member == driver.member:
            question = None
        self._carry_out(self.lease.left(driver.member, self.now))
        is_freed = before is not None and before.member == driver.member
        self._freed(before, question, is_freed=is_freed)
        assert self.question is None or self.question.asker != driver, "asks although gone"

    def _freed(self, before: Driver | None, question: Question | None, *, is_freed: bool) -> None:
        if not is_freed:
            assert self.holder == before, "I1 taken from somebody else"
        else:
            expected = question.asker if question else None
            assert self.holder == expected, "the freed lease is not the asker's"

    @rule(driver=drivers, to=drivers, back=st.integers(0, 1))
    def transfer(self, driver: Driver, to: Driver, back: int) -> None:
        self._settle()
        before = self.holder
        counts = before is not None and (before.member, back) == (driver.member, 0)
        counts = counts and to.role in RANK
        effects = self.lease.transfer(driver.member, self.granted - back, to, self.now)
        self._carry_out(effects, allowed=to if counts else None)
        assert self.holder == (to if counts else before), "not as the holder said"

    @rule(driver=drivers, reason=st.sampled_from([WHY, WHY, WHY, "", "  "]))
    def force(self, driver: Driver, reason: str) -> None:
        self._settle()
        before, rank = self.holder, RANK.get(driver.role, 0)
        may = rank and (
            before is None or before.member == driver.member or rank > RANK[before.role]
        )
        may = may and bool(reason.strip())
        effects = self.lease.force(driver, self.now, reason)
        self._carry_out(effects, allowed=driver if may else None)
        assert self.holder == (driver if may else before), "force is for higher ranks with a reason"

    @rule(driver=drivers, renamed=st.booleans())
    def returned(self, driver: Driver, renamed: bool) -> None:
        self._settle()
        again = replace(driver, steer_by="video")
        if renamed:
            again = replace(again, member=MemberId(driver.member + "'"))
        was = self.holder or (self.lost[0] if self.lost and self.now < self.lost[1] else None)
        before, question = self.holder, self.question
        is_it = was is not None and was.member == driver.member and driver.role in RANK
        expected = replace(again, steer_by=was.steer_by) if is_it and was else before
        effects = self.lease.returned(again, self.now, driver.member if renamed else None)
        self._carry_out(effects, allowed=expected if is_it else None, how="returned")
        assert self.holder == expected, "I11 who returned did not get it back, or not as it was"
        is_asker = question is not None and question.asker.member == driver.member
        if question is not None:
            assert self.question is not None, "who returned lost a question"
            asker = question.asker
            kept = replace(again, steer_by=asker.steer_by) if is_asker else asker
            assert self.question.asker == kept, "the asker is not who returned"
        if renamed:  # under the old id nobody is there any more
            self.left(again)

    @rule(driver=drivers)
    def demoted(self, driver: Driver) -> None:
        """Somebody is back and may only watch now."""
        self._settle()
        if self.lost and self.lost[0].member == driver.member:
            self.lost = None
        self._carry_out(self.lease.returned(replace(driver, role="viewer"), self.now))
        assert self.holder is None or self.holder.member != driver.member, "I1 a viewer drives"
        asker = self.question.asker.member if self.question else None
        assert asker != driver.member, "a viewer asks"

    @rule(reason=st.sampled_from(["stopped", "reset", "gate-lost"]))
    def revoke(self, reason: Any) -> None:
        self.lost = None
        effects = self.lease.revoke(reason)
        if self.question is not None:
            code = Code.GATE_LOST if reason == "gate-lost" else Code.LATCHED
            assert Denied(self.question.asker.member, code) in effects, "asker left in the dark"
        self._carry_out(effects)
        assert self.holder is None, "drives although it must not"

    @rule(code=st.sampled_from([Code.INTERNAL, Code.GATE_LOST]))
    def broken(self, code: Code) -> None:
        """The newest grant could not be carried out."""
        self.lost = None
        effects = self.lease.undo(code)
        before, question = self.holder, self.question
        known = [e for e in effects if isinstance(e, Revoked)]
        assert len(known) <= 1
        told = {e.member for e in effects if isinstance(e, Denied)}
        assert before is None or before.member in told, "not told"
        assert question is None or question.asker.member in told, "not told"
        self.holder, self.question, self.is_standing, self.is_warned = None, None, True, False
        self._check("broken")

    @rule(ms=st.sampled_from([20, 500, 1_999, 2_000, 4_999, 5_000, 7_000, 15_000]))
    def wait(self, ms: int) -> None:
        question = self.question
        self.now += ms * 1000
        effects = self.lease.tick(self.now)
        self._carry_out(effects)
        ended = {effect.outcome for effect in effects if isinstance(effect, AskOver)}
        assert ended <= {"silence", "free"}, "time alone does not do this"
        is_refused = "silence" in ended
        if question is not None and self.holder is None:
            assert is_refused, "the freed lease is not the asker's"

    @rule()
    def restart(self) -> None:
        """The agent dies: nothing but the epoch on disk survives."""
        self.lease = self.lease_class(epoch=self.disk, rules=self.terms)
        self.holder, self.lost, self.question = None, None, None
        self.is_standing, self.is_warned, self.asks = True, False, 0

    # --- scenes that chance would seldom play ---

    def _stay(self, driver: Driver, ms: int, *, is_input: bool = False) -> None:
        """Let the holder send neutral (or move) for so long."""
        for _ in range(ms // 1_900):
            self.renew(driver, 0, is_input)
            self.wait(1_900)
        self.renew(driver, 0, is_input)
        self.wait(ms % 1_900)

    @rule(driver=able, pause=st.sampled_from([2_000, 6_999, 7_000]))
    def vanish(self, driver: Driver, pause: int) -> None:
        """Somebody drives, is silent, and comes back."""
        self.revoke("stopped")
        self.request(driver)
        self.wait(pause)
        self.returned(driver, renamed=False)

    @rule(driver=able, until=st.sampled_from(IDLE_TIMES), end=st.integers(0, 4))
    def idle(self, driver: Driver, until: int, end: int) -> None:
        """Somebody drives, and then only holds on."""
        self.revoke("stopped")
        self.request(driver)
        self._stay(driver, until)
        if end == 0:
            self.renew(driver, 0, True)
            self._stay(driver, 45_000)
        elif end == 1:
            self.request(driver)
            self.wait(1)
        elif end == 2:
            self.returned(driver, renamed=True)
        elif end == 3:
            self.request(DRIVERS[0])
            self.wait(1)
            self.returned(driver, renamed=False)
        else:
            self.wait(1)
            self.returned(driver, renamed=False)

    @rule(first=able, second=able, third=able, end=st.sampled_from(ENDINGS))
    def scene(self, first: Driver, second: Driver, third: Driver, end: str) -> None:
        """One drives, another asks, and it ends in one way or another."""
        self.revoke("stopped")
        self.request(first)
        self.wait(500)
        self.request(second)
        scenes: dict[str, list[tuple[Any, ...]]] = {
            "yes": [(self.answer, first, True, 0)],
            "no": [(self.answer, first, False, 0), (self.request, second)],
            "wrong answer": [(self.answer, second, True, 0), (self.answer, first, True, 1)],
            "cancel": [(self.cancel, third), (self.cancel, second)],
            "silence": [(self._stay, first, 14_999), (self.wait, 1)],
            "release": [(self.release, first, 0)],
            "vanish": [(self.wait, 2_000), (self.returned, first, False)],
            "expire": [(self.wait, 15_000)],
            "leave": [(self.left, first)],
            "asker leaves": [(self.left, second), (self.release, first, 0)],
            "to asker": [(self.transfer, first, second, 0)],
            "to third": [(self.transfer, first, third, 0)],
            "force": [(self.force, third, ""), (self.force, third, WHY)],
            "asker forces": [(self.force, second, WHY)],
            "holder returns": [(self.returned, first, False), (self.answer, first, True, 0)],
            "asker renamed": [(self.returned, second, True)],
            "asker returns": [(self.returned, second, False), (self.release, first, 0)],
            "third asks": [(self.request, third), (self.answer, first, True, 0)],
            "asker asks": [(self.wait, 500), (self.request, second), (self.release, first, 0)],
        }
        for step, *arguments in scenes.get(end, [(self.revoke, end)]):
            step(*arguments)


def play_every_scene(lease_class: type[Lease]) -> int:
    """Play each scene with everybody in every part; return how many that were."""
    machine = type("Scenes", (LeaseMachine,), {"lease_class": lease_class})
    played = 0
    for grants in (False, True):
        for first, second, third in product(DRIVERS[:4], repeat=3):
            for end in ENDINGS:
                stage = machine()
                stage.owner(grants=grants)
                stage.scene(first, second, third, end)
                played += 1
    for driver, until, then in product(DRIVERS[:4], IDLE_TIMES, range(5)):
        stage = machine()
        stage.idle(driver, until, then)
        played += 1
    return played
