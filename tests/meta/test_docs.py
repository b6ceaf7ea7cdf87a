"""The documents say what the code says."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from farhand.errors import Code
from farhand.protocol import codec, control
from tests.protocol.test_conformance import DECODERS, UNIONS, types_of

DOCS = Path(__file__).resolve().parents[2] / "docs"
ERRORS = (DOCS / "errors.md").read_text("utf-8")
PROTOCOL = (DOCS / "protocol.md").read_text("utf-8")
EXAMPLES = re.findall(r"```json\n(.*?)```", PROTOCOL, re.DOTALL)


def test_every_code_says_what_it_means_and_what_to_do() -> None:
    entry = re.compile(r"^### (FH-\d{4})\n\n`(\w+)`: \S.*\n\n\*What to do:\* \S", re.MULTILINE)
    assert dict(entry.findall(ERRORS)) == {c.value: c.name for c in Code}


def test_codes_are_in_order() -> None:
    numbers = re.findall(r"^### (FH-\d{4})", ERRORS, re.MULTILINE)
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("kind", UNIONS)
def test_every_message_is_documented_with_every_member(kind: str) -> None:
    for tag, struct in types_of(kind).items():
        section = re.search(rf"^### {tag}\n(.*?)(?=^##)", PROTOCOL, re.MULTILINE | re.DOTALL)
        assert section, f"{tag} is not in docs/protocol.md"
        for field in msgspec.structs.fields(struct):
            assert f"| `{field.encode_name}` |" in section[1], f"{tag}.{field.name}"


@pytest.mark.parametrize("text", EXAMPLES)
def test_example_decodes(text: str) -> None:
    tag = json.loads(text)["type"]
    kinds = [kind for kind in UNIONS if tag in types_of(kind)]
    assert kinds
    for kind in kinds:
        DECODERS[kind](text)


def test_every_message_has_an_example() -> None:
    tags = {tag for kind in UNIONS for tag in types_of(kind)}
    assert {json.loads(text)["type"] for text in EXAMPLES} == tags


def test_the_sizes_of_the_binary_frames_are_true() -> None:
    assert f"| {control.CONTROL_HEAD_BYTES} + 4 for each axis |" in PROTOCOL
    for frame, size in (
        (control.Verdict(1, 1, 1, 1, None), 20),
        (control.Beat(1, 1), 13),
        (control.BeatAnswer(1, 1), 13),
        (control.StopPress(1), 5),
        (control.StopPressAck(1, 1), 9),
    ):
        assert len(frame.pack()) == size
        assert f"| {size} |" in PROTOCOL


def test_the_limits_are_true() -> None:
    for words in (
        f"a message {codec.MAX_MESSAGE_BYTES // 1024} KiB",
        f"an SDP {codec.MAX_SDP_BYTES // 1024} KiB",
        f"a candidate {codec.MAX_CANDIDATE_BYTES} bytes",
        f"{codec.MAX_CANDIDATES} candidates",
        f"a message on a data channel {codec.MAX_CHANNEL_MESSAGE_BYTES // 1024} KiB",
    ):
        assert words in " ".join(PROTOCOL.split())


def test_every_data_channel_is_documented() -> None:
    for channel in control.CHANNELS:
        delivery = "ordered, reliable" if channel.is_reliable else "unordered, no retransmission"
        assert f"| {channel.id} `{channel.label}` | {delivery} |" in PROTOCOL


@pytest.mark.parametrize(
    "name",
    ["README.md", "CONTRIBUTING.md", "SECURITY.md", *(f"docs/{p.name}" for p in DOCS.glob("*.md"))],
)
def test_links_lead_somewhere(name: str) -> None:
    page = DOCS.parent / name
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{name}: {target}"


def test_the_readme_is_short() -> None:
    assert len((DOCS.parent / "README.md").read_text("utf-8").splitlines()) < 120


def test_the_make_targets_of_the_documents_exist() -> None:
    rules = set(re.findall(r"^([a-z-]+):", (DOCS.parent / "Makefile").read_text(), re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md"):
        text = (DOCS.parent / name).read_text("utf-8")
        assert set(re.findall(r"`make ([a-z-]+)", text)) <= rules, name
