from typing import get_args

import msgspec
import pytest

from farhand.protocol import authority, messages, signaling, telling, types
from farhand.protocol import messages as m

EVERY = {
    *get_args(m.ClientMessage),
    *get_args(m.ServerMessage),
    *get_args(m.ChannelMessage),
    *get_args(m.TelemetryMessage),
    m.Frames,
}


def structs(module: object) -> set[type]:
    return {
        thing
        for thing in vars(module).values()
        if isinstance(thing, type)
        and issubclass(thing, msgspec.Struct)
        and thing.__module__ == getattr(module, "__name__", "")
    }


@pytest.mark.parametrize("module", [signaling, authority, telling, types])
def test_messages_reexports_what_its_parts_define(module: object) -> None:
    assert {struct.__name__ for struct in structs(module)} <= set(messages.__all__)


@pytest.mark.parametrize("module", [signaling, authority, telling])
def test_every_tagged_struct_belongs_to_a_direction(module: object) -> None:
    tagged = {s for s in structs(module) if s.__struct_config__.tag}  # type: ignore[attr-defined]
    assert tagged <= EVERY


def test_types_are_lower_case_and_unique() -> None:
    tags = [s.__struct_config__.tag for s in EVERY]
    assert len(set(tags)) == len(tags)
    assert all(tag == tag.lower() and "_" not in tag for tag in tags)


def test_every_addressed_message_has_to_and_from() -> None:
    for struct in get_args(m.Addressed):
        names = {f.encode_name for f in msgspec.structs.fields(struct)}
        assert {"to", "from"} <= names, struct


def test_no_message_of_one_sender_can_name_another() -> None:
    # `from` is the server's word: what a client writes there is replaced, so it must be optional.
    for struct in EVERY:
        for field in msgspec.structs.fields(struct):
            if field.encode_name == "from":
                assert field.default is None, struct


@pytest.mark.parametrize("struct", sorted(EVERY, key=str))
def test_structs_are_frozen_and_camel_case(struct: type[msgspec.Struct]) -> None:
    assert struct.__struct_config__.frozen
    for field in msgspec.structs.fields(struct):
        assert "_" not in field.encode_name
