"""The messages of docs/protocol.md: fields from the schema, examples from the vectors."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "protocol.md"
MARK = "<!-- made by `make gen` from here on -->\n"

SENDERS = {
    "ClientMessage": "client to server",
    "ServerMessage": "server to client",
    "ChannelMessage": "channel `messages`",
    "TelemetryMessage": "channel `telemetry`, from the robot",
}


def type_words(schema: dict[str, Any]) -> str:
    """Return the type of one member in words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return "error code" if name == "Code" else f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(type_words(option) for option in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {type_words(schema['items'])}"
    if schema.get("type") == "object":
        return f"map to {type_words(schema.get('additionalProperties', {}))}"
    return str(schema.get("type", "anything"))


def limits(schema: dict[str, Any]) -> str:
    """Return the limits of one member, or nothing."""
    words = []
    if "maximum" in schema:
        words.append(f"{schema.get('minimum', 0)} to {schema['maximum']}")
    for key, what in (("maxLength", "characters"), ("maxItems", "entries")):
        if key in schema:
            words.append(f"at most {schema[key]} {what}")
    return f" ({', '.join(words)})" if words else ""


def table(struct: dict[str, Any]) -> list[str]:
    """Return the members of ``struct`` as a table, without the type."""
    required = set(struct.get("required", ()))
    rows = []
    for name, schema in struct["properties"].items():
        if name == "type":
            continue
        need = "required" if name in required else f"`{json.dumps(schema.get('default'))}`"
        words = " ".join(schema.get("description", "").split())
        rows.append(f"| `{name}` | {type_words(schema)}{limits(schema)} | {need} | {words} |")
    if not rows:
        return []
    return ["| member | type | default | |", "|---|---|---|---|", *rows, ""]


def examples() -> dict[str, Any]:
    """Return the vector with all fields of each message type."""
    found: dict[str, Any] = {}
    for path in sorted((ROOT / "conformance" / "messages").glob("*.json")):
        for vector in json.loads(path.read_text("utf-8")):
            if vector["name"] == f"{vector['type']}: all fields":
                found[vector["type"]] = json.loads(vector["wire"])
    return found


def directions(name: str, defs: dict[str, Any]) -> str:
    """Say who may send the message ``name``."""
    ref = {"$ref": f"#/$defs/{name}"}
    words = [words for union, words in SENDERS.items() if ref in defs[union]["anyOf"]]
    return "; ".join(words) or f"channel `{name.lower()}`, from the robot"


def make_page(schema: dict[str, Any]) -> str:
    """Return docs/protocol.md: its written part as it is, the messages made anew."""
    defs, shown = schema["$defs"], examples()
    written = PAGE.read_text("utf-8").split(MARK)[0]
    messages = {
        struct["properties"]["type"]["enum"][0]: name
        for name, struct in defs.items()
        if "type" in struct.get("properties", {})
    }
    lines = []
    for tag, name in sorted(messages.items()):
        example = json.dumps(shown[tag], indent=2, ensure_ascii=False)
        lines += [f"### {tag}", "", f"*{directions(name, defs)}*", ""]
        lines += [defs[name]["description"], "", *table(defs[name])]
        lines += ["```json", example, "```", ""]
    lines += ["## Parts of messages", ""]
    for name, struct in defs.items():
        if "properties" in struct and name not in messages.values():
            lines += [f"### {name}", "", struct["description"], "", *table(struct)]
    return f"{written}{MARK}\n" + "\n".join(lines).rstrip() + "\n"
