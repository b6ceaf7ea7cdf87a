"""docs/operations.md says what the code says."""

import re
import time
from pathlib import Path
from typing import Any, get_args

from farhand.server.journal import LOW_PERCENT, REARM_PERCENT
from farhand.server.metrics import Metrics
from farhand.server.webhooks.delivery import MAX_AGE_S, MAX_TRIES, MAX_WAITING
from farhand.server.webhooks.news import Subscription
from farhand.server.webhooks.posting import TIMEOUT_S
from farhand.server.webhooks.signing import sign

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "operations.md").read_text("utf-8")
WORDS = " ".join(PAGE.split())


def test_every_figure_is_in_the_table_and_no_other() -> None:
    registry = Metrics().registry
    expected = set()
    for family in registry.collect():
        suffix = {"counter": "_total", "info": "_info"}.get(family.type, "")
        expected.add(family.name + suffix)
    rows = re.findall(r"^\| `(farhand_\w+)(?:\{[\w,]+\})?` \|", PAGE, re.MULTILINE)
    assert set(rows) == expected
    assert len(rows) == len(expected)


def test_every_event_of_webhooks_is_in_the_table_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z]+\.[a-z]+)` \|", PAGE, re.MULTILINE)
    assert set(rows) == set(get_args(Subscription))


def test_the_receivers_code_takes_our_signatures_and_no_others() -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    is_ours, now, body = names["is_ours"], int(time.time()), b'{"event":"robot.stopped"}'
    assert is_ours("whsec_x", sign("whsec_x", now, body), body)
    assert not is_ours("whsec_y", sign("whsec_x", now, body), body)
    assert not is_ours("whsec_x", sign("whsec_x", now, body), body + b" ")
    assert not is_ours("whsec_x", sign("whsec_x", now - 400, body), body)


def test_the_numbers_are_true() -> None:
    for words in (
        f"Answer 2xx within {TIMEOUT_S:g} s",
        f"for {MAX_TRIES} tries or {MAX_AGE_S / 3600:g} h",
        f"At most {MAX_WAITING} events wait",
        f"falls below {LOW_PERCENT:g} %, again only after it was above {REARM_PERCENT:g} %",
    ):
        assert words in WORDS, words
