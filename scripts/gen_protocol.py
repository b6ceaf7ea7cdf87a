"""Write what follows from the wire structs: JSON Schema, TypeScript types, the messages' page.

The JSON Schema, the TypeScript types and docs/protocol.md are committed; ``--check`` says whether
they are still true and changes nothing.  Needs ``npm ci`` in ``web/``.
"""

import ast
import inspect
import json
import re
import subprocess
import sys
import textwrap
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import protocol_page

from farhand.errors import Code
from farhand.protocol import control, messages, version

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "docs" / "protocol.schema.json"
TYPES = ROOT / "web" / "sdk" / "src" / "protocol.gen.ts"
JSON2TS = ROOT / "web" / "node_modules" / ".bin" / "json2ts"

UNIONS = {
    "ClientMessage": (messages.ClientMessage, "What a robot or a program may send to the server."),
    "ServerMessage": (messages.ServerMessage, "What the server may send."),
    "ChannelMessage": (messages.ChannelMessage, "What may travel on the data channel `messages`."),
    "TelemetryMessage": (
        messages.TelemetryMessage,
        "What may travel on the data channel `telemetry`.",
    ),
}
"""Roots of the schema: every struct of the wire hangs on one of them or on ``FRAMES``."""


def as_markdown(doc: str | None) -> str:
    """Return a Python docstring as a reader of JSON wants it."""
    return inspect.cleandoc(doc or "").replace("``None``", "`null`").replace("``", "`")


def field_docs(struct: type) -> dict[str, str]:
    """Return the docstring under each attribute of ``struct``, by its name on the wire."""
    node = ast.parse(textwrap.dedent(inspect.getsource(struct))).body[0]
    body = node.body if isinstance(node, ast.ClassDef) else []
    wire = {f.name: f.encode_name for f in msgspec.structs.fields(struct)}
    docs: dict[str, str] = {}
    for field, text in pairwise(body):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(doc))),
            ):
                docs[wire[name]] = as_markdown(doc)
    return docs


def structs() -> dict[str, type]:
    """Return every wire struct by the name that the schema gives it."""
    modules = {f"farhand.protocol.{name}" for name in ("signaling", "authority", "telling")}
    modules |= {"farhand.protocol.types", "farhand.protocol.manifest"}
    return {
        name: thing
        for module in sorted(modules)
        for name, thing in vars(sys.modules[module]).items()
        if isinstance(thing, type) and issubclass(thing, msgspec.Struct)
    }


def make_schema() -> dict[str, Any]:
    """Return one JSON Schema document with every message under ``$defs``."""
    roots = [union for union, _ in UNIONS.values()] + [messages.Frames]
    refs, defs = msgspec.json.schema_components(roots, ref_template="#/$defs/{name}")
    for name, struct in structs().items():
        if name not in defs:
            continue
        defs[name]["description"] = as_markdown(struct.__doc__)
        for field, doc in field_docs(struct).items():
            defs[name]["properties"][field]["description"] = doc
    defs["Code"]["description"] = "Stable error codes; see docs/errors.md."
    for (name, (_, doc)), ref in zip(UNIONS.items(), refs, strict=False):
        defs[name] = {"title": name, "description": doc, "anyOf": ref["anyOf"]}
    names = [*UNIONS, "Frames"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "FarhandMessage",
        "description": f"Every JSON message of farhand's native protocol {version.PROTOCOL}.",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in names],
        "$defs": dict(sorted(defs.items())),
    }


def _constants() -> str:
    codes = "\n".join(f'  {code.name}: "{code.value}",' for code in Code)
    channels = "\n".join(
        f"  {c.label}: "
        + f'{{ id: {c.id}, label: "{c.label}", isReliable: {json.dumps(c.is_reliable)} }},'
        for c in control.CHANNELS
    )
    return f"""\
/** Stable error codes by name; `docs/errors.md` says what to do about each. */
export const CODES = {{
{codes}
}} as const satisfies Record<string, Code>;

/** Negotiated data channels: same id at both ends, no opening handshake. */
export const CHANNELS = {{
{channels}
}} as const;

export const PROTOCOL = "{version.PROTOCOL}";
export const PROTOCOL_MIN = "{version.PROTOCOL_MIN}";
export const SUBPROTOCOL = "{version.SUBPROTOCOL}";
export const MAX_AXES = {control.MAX_AXES};
"""


def make_types(schema: dict[str, Any]) -> str:
    """Return the TypeScript for ``schema``: types by json2ts, and the constants."""
    # json2ts reads `definitions`.
    text = json.dumps(schema).replace("#/$defs/", "#/definitions/")
    schema = json.loads(text)
    schema["definitions"] = schema.pop("$defs")
    done = subprocess.run(
        [
            str(JSON2TS),
            "--additionalProperties=false",
            "--ignoreMinAndMaxItems",
            "--unreachableDefinitions",
            "--bannerComment=",
            "--style.printWidth=100",
        ],
        input=json.dumps(schema),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"json2ts failed: {done.stderr}")
    types = re.sub(r"\n *\* This interface was referenced by[^/]*?(?=\n *\*/)", "", done.stdout)
    types = re.sub(r"\n \*(?=\n \*/)", "", types)
    head = "// Made by scripts/gen_protocol.py from src/farhand/protocol: edit, then `make gen`.\n"
    return f"{head}\n{types.strip()}\n\n{_constants()}"


def main() -> int:
    """Write the files, or with ``--check`` compare them."""
    schema = make_schema()
    wanted = {SCHEMA: json.dumps(schema, indent=2, ensure_ascii=False) + "\n"}
    wanted[TYPES] = make_types(schema)
    wanted[protocol_page.PAGE] = protocol_page.make_page(schema)
    stale = [p for p, text in wanted.items() if not p.exists() or p.read_text() != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is stale: run `make gen` and commit it.")
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path])
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
