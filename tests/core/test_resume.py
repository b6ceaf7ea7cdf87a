import pytest

from farhand.core.resume import MAX_TOKEN_LENGTH, Claims, ResumeSigner
from farhand.errors import Code, NotAllowed
from farhand.protocol.ids import MemberId, RobotId, ServiceId

CLAIMS = Claims(MemberId("m1"), ServiceId("default"), "robot", RobotId("rover"))
SIGNER = ResumeSigner(b"s" * 32)


def test_a_token_of_one_server_is_valid_at_another_with_the_same_secret() -> None:
    assert ResumeSigner(b"s" * 32).verify(SIGNER.sign(CLAIMS)) == CLAIMS


def refuses(token: str, signer: ResumeSigner = SIGNER) -> None:
    with pytest.raises(NotAllowed) as caught:
        signer.verify(token)
    assert caught.value.code is Code.RESUME_REFUSED


def test_another_secret_refuses_it() -> None:
    refuses(SIGNER.sign(CLAIMS), ResumeSigner(b"t" * 32))


def test_a_changed_token_is_refused_wherever_it_was_changed() -> None:
    token = SIGNER.sign(CLAIMS)
    for place in range(0, len(token) - 4, 3):
        refuses(token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :])


def test_rubbish_is_refused() -> None:
    for token in ("", "x", "€", "A" * 44, "A" * (MAX_TOKEN_LENGTH + 4), "====", "\x00"):
        refuses(token)


def test_a_short_secret_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        ResumeSigner(b"short")
