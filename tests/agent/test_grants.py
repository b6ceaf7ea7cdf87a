"""The robot's judgement of grants: what is not exactly the server's word for this session is no."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farhand.agent.grants import (
    MAX_USED,
    Granted,
    GrantJudge,
    check_fingerprint,
    normal_fingerprint,
)
from farhand.errors import Code, NotAllowed
from farhand.keys.signing import GRANT, ROBOT, new_key
from farhand.protocol import messages as m
from farhand.protocol.ids import MemberId, RobotId, SessionId

SERVER = new_key()
NOW_S = 1_800_000_000
FINGERPRINT = "sha-256 " + ":".join(["AB"] * 32)
OTHER = "sha-256 " + ":".join(["CD"] * 32)
SCOPES = ["view", "control", "reset"]


def claims(**changed: Any) -> dict[str, Any]:
    found = {
        "iss": SERVER.id,
        "sub": "u-1",
        "aud": "rover",
        "jti": "one",
        "iat": NOW_S,
        "exp": NOW_S + 60,
        "sid": "s-1",
        "member": "m-1",
        "role": "operator",
        "name": "Ana",
        "fp": FINGERPRINT,
        "scopes": SCOPES,
    } | changed
    return {name: value for name, value in found.items() if value is not ...}


def start(grant: str | None) -> m.SessionStart:
    member = m.Member(MemberId("m-1"), "supervisor", "Impostor")
    return m.SessionStart(SessionId("s-1"), member, ("view",), grant=grant)


def judge() -> GrantJudge:
    return GrantJudge(SERVER.public, RobotId("rover"))


def signed(**changed: Any) -> str:
    return SERVER.sign(GRANT, claims(**changed))


def test_who_and_what_are_taken_from_the_grant_and_not_from_the_order() -> None:
    granted = judge().judge(start(signed()), NOW_S)
    assert granted == Granted(
        m.Member(MemberId("m-1"), "operator", "Ana"), ("view", "control", "reset"), FINGERPRINT
    )


@pytest.mark.parametrize(
    ("name", "grant"),
    [
        ("none", lambda: None),
        ("empty", lambda: ""),
        ("another server's", lambda: new_key().sign(GRANT, claims())),
        ("of another kind", lambda: SERVER.sign(ROBOT, claims())),
        ("for another robot", lambda: signed(aud="scout")),
        ("for another session", lambda: signed(sid="s-2")),
        ("for another member", lambda: signed(member="m-2")),
        ("without a session", lambda: signed(sid=...)),
        ("without a member", lambda: signed(member=...)),
        ("expired", lambda: signed(iat=NOW_S - 120, exp=NOW_S - 60)),
        ("not yet", lambda: signed(iat=NOW_S + 60, exp=NOW_S + 120)),
        ("without an end", lambda: signed(exp=...)),
        ("without a certificate", lambda: signed(fp=None)),
        ("with a weak fingerprint", lambda: signed(fp="sha-1 " + ":".join(["AB"] * 20))),
        ("with no role", lambda: signed(role=...)),
        ("with an unknown role", lambda: signed(role="root")),
        ("with a role that is none", lambda: signed(role=["operator"])),
        ("of a robot", lambda: signed(role="robot", scopes=[])),
        ("with more than the role", lambda: signed(role="viewer")),
        ("with an unknown scope", lambda: signed(scopes=["view", "fly"])),
        ("with scopes in one string", lambda: signed(scopes="view")),
        ("with a scope that is none", lambda: signed(scopes=[["view"]])),
        ("without a name", lambda: signed(name=7)),
        ("from the robot itself", lambda: signed(iss="somebody")),
    ],
)
def test_a_grant_is_refused_that_is(name: str, grant: Callable[[], str | None]) -> None:
    with pytest.raises(NotAllowed) as refused:
        judge().judge(start(grant()), NOW_S)
    assert refused.value.code is Code.GRANT_REFUSED, name


def test_a_grant_counts_once() -> None:
    judged = judge()
    grant = signed()
    judged.judge(start(grant), NOW_S)
    with pytest.raises(NotAllowed, match="used"):
        judged.judge(start(grant), NOW_S + 1)


def test_a_refused_grant_is_not_used_up_by_it() -> None:
    judged = judge()
    with pytest.raises(NotAllowed):
        judged.judge(start(signed(scopes=["fly"])), NOW_S)
    assert judged.judge(start(signed()), NOW_S).member.name == "Ana"


def test_used_grants_are_forgotten_when_they_could_not_count_anyway() -> None:
    judged = judge()
    for n in range(MAX_USED):
        judged.judge(start(signed(jti=f"n{n}")), NOW_S)
    with pytest.raises(NotAllowed, match="Too many"):
        judged.judge(start(signed(jti="more")), NOW_S)
    later = signed(jti="later", iat=NOW_S + 90, exp=NOW_S + 150)
    assert judged.judge(start(later), NOW_S + 90).scopes


def answer(*fingerprints: str, end: str = "\r\n") -> str:
    lines = ["v=0", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"]
    lines += [f"a=fingerprint:{one}" for one in fingerprints]
    return end.join([*lines, "a=setup:active", ""])


@pytest.mark.parametrize("end", ["\r\n", "\n", "\x0b", "\x85", "\u2028"])
def test_every_named_certificate_must_be_the_granted_one(end: str) -> None:
    check_fingerprint(answer(FINGERPRINT, end=end), FINGERPRINT)
    check_fingerprint(answer(FINGERPRINT.lower(), FINGERPRINT, end=end), FINGERPRINT)
    for wrong in (
        answer(end=end),
        answer(OTHER, end=end),
        answer(FINGERPRINT, OTHER, end=end),
        answer(OTHER, FINGERPRINT, end=end),
        answer(FINGERPRINT, "sha-512 " + ":".join(["AB"] * 64), end=end),
        answer("sha-1 " + ":".join(["AB"] * 20), end=end),
        answer("", end=end),
    ):
        with pytest.raises(NotAllowed) as refused:
            check_fingerprint(wrong, FINGERPRINT)
        assert refused.value.code is Code.FINGERPRINT_MISMATCH


@given(st.text(max_size=200))
def test_no_text_whatever_passes_for_the_granted_certificate(text: str) -> None:
    assert normal_fingerprint(text) != FINGERPRINT
    with pytest.raises(NotAllowed):
        check_fingerprint(answer(text), FINGERPRINT)
