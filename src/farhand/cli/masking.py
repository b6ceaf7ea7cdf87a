"""Takes secrets out of a line before it is written. The last resort: none should get so far."""

import re

MASK = "***"
_NAMES = "|".join(
    (
        r"(?:proxy-)?authorization",
        r"(?:set-)?cookie",
        "x-auth-token",
        r"(?:client_|webhook_)?secret",
        "passwd",
        "password",
        "credential",
        r"ice[-_]pwd",
        r"(?:access_|refresh_|id_)?token",
        r"api[-_]?key",
        "resume",
        "ticket",
        "guest",
    )
)
# Each rule reads a line once: none may begin anew at each character of what it has just read.
_COLOUR = r"(?:\x1b\[\d+m)*"
_RULES = (
    # Ours: API tokens, enrolment keys, webhook secrets. The prefix stays: one sees what it was.
    (r"\b(fhk?_|whsec_)[A-Za-z0-9_-]{8,}", rf"\1{MASK}"),
    # JWTs, and what follows a scheme: in a header, or in the subprotocol `bearer.…`.
    (r"(?<![\w.-])eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?|(?<=bearer\.)[\w.-]+", MASK),
    (r"\b(bearer|basic)([ .]+)[A-Za-z0-9._~+/=-]{4,}", rf"\1\2{MASK}"),
    (r"\b(a=ice-pwd:)[^\s\\\"']+", rf"\1{MASK}"),
    # A header as text: everything to the end of the line or of the quoted string.
    (r"\b((?:proxy-)?authorization|(?:set-)?cookie)(:\s*)[^\r\n\\\"']+", rf"\1\2{MASK}"),
    # user:password@ in a URL.
    (r"(\b[a-z][a-z0-9+.-]{0,20}://[^\s/:@\"']*:)[^\s/@\"']+@", rf"\1{MASK}@"),
    # In a query, a fragment or a form; in a cookie.
    (rf"([?&#;](?:{_NAMES}|state|setup|code)=)[^&\s\"'#;]+", rf"\1{MASK}"),
    (r"(\bfarhand_session=)[^;\s\"',]+", rf"\1{MASK}"),
    # A member of JSON, also of JSON in a string, or of a dict.
    (rf"(\b(?:{_NAMES})\\?[\"']\s*:\s*\\?[\"'])(?:[^\"'\\]|\\.)+", rf"\1{MASK}"),
    # name=value, as a terminal shows it: each in its colour.
    (
        rf"((?:(?<![\w?&#;-])|(?<=\x1b\[\d\dm))(?:{_NAMES}){_COLOUR}={_COLOUR}[\"']?)"
        r"(?!\x1b)[^\s\"',;&\x1b]+",
        rf"\1{MASK}",
    ),
)
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), by) for pattern, by in _RULES)


def masked(line: str) -> str:
    """Return ``line`` with ``***`` in place of whatever looks like a secret."""
    for pattern, replacement in _COMPILED:
        line = pattern.sub(replacement, line)
    return line
