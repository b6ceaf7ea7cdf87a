"""The robot's key and enrolment: kept safe, never half believed."""

import stat
from pathlib import Path

import pytest

from farhand.agent.identity import (
    ENROLMENT_FILE,
    KEY_FILE,
    Enrolment,
    Identity,
    read_enrolment,
    remove_enrolment,
    write_enrolment,
)
from farhand.errors import Code, ConfigError, NotAllowed
from farhand.keys.signing import GRANT, ROBOT, load_key, new_key, verify
from farhand.protocol.ids import RobotId, ServiceId

SERVER = new_key()
HOME = Enrolment(RobotId("rover"), ServiceId("site-a"), "https://gw.example", SERVER.public)
NOW_S = 1_800_000_000.0


def test_an_enrolment_is_read_as_it_was_written_by_this_user_alone(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert read_enrolment(state) is None
    write_enrolment(state, HOME)
    assert read_enrolment(state) == HOME
    assert stat.S_IMODE((state / ENROLMENT_FILE).stat().st_mode) == 0o600
    load_key(state / KEY_FILE)
    assert stat.S_IMODE((state / KEY_FILE).stat().st_mode) == 0o600
    write_enrolment(state, HOME)
    assert [file.name for file in state.glob("*.new")] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        '{"robotId":"rover","serviceId":"a","server":"x","serverKey":"short"}',
        '{"robotId":"no id!","serviceId":"a","server":"x","serverKey":"' + SERVER.public + '"}',
    ],
)
def test_a_damaged_enrolment_is_an_error_and_never_means_that_anybody_may_drive(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / ENROLMENT_FILE).write_text(text)
    with pytest.raises(ConfigError) as refused:
        read_enrolment(tmp_path)
    assert refused.value.code is Code.CONFIG_INVALID


def test_leaving_forgets_the_server_and_keeps_the_key(tmp_path: Path) -> None:
    key = load_key(tmp_path / KEY_FILE)
    write_enrolment(tmp_path, HOME)
    assert remove_enrolment(tmp_path)
    assert not remove_enrolment(tmp_path)
    assert read_enrolment(tmp_path) is None
    assert load_key(tmp_path / KEY_FILE).id == key.id


def test_each_hello_gets_a_token_of_its_own_for_this_server_and_nothing_else() -> None:
    key = new_key()
    identity = Identity(key, HOME, wall_s=lambda: NOW_S)

    def claims(token: str, *, typ: str = ROBOT, audience: str = SERVER.id) -> dict[str, object]:
        public = {key.id: key.public}
        return verify(token, typ=typ, key_of=public.get, audience=audience, now_s=NOW_S)

    first, second = identity.token(), identity.token()
    assert claims(first)["sub"] == "rover"
    assert claims(first)["jti"] != claims(second)["jti"]
    with pytest.raises(NotAllowed):
        claims(first, typ=GRANT)
    with pytest.raises(NotAllowed):
        claims(first, audience=new_key().id)


def test_a_robot_whose_clock_is_hours_off_goes_by_the_servers() -> None:
    key = new_key()
    identity = Identity(key, HOME, wall_s=lambda: NOW_S - 7 * 3600)
    public = {key.id: key.public}
    with pytest.raises(NotAllowed):
        verify(identity.token(), typ=ROBOT, key_of=public.get, audience=SERVER.id, now_s=NOW_S)
    identity.set_clock(NOW_S)
    verify(identity.token(), typ=ROBOT, key_of=public.get, audience=SERVER.id, now_s=NOW_S)
