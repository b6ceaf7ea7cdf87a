"""The report: for people, and as JUnit for machines. Pure: it returns text."""

import io
import re
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.table import Table
from rich.text import Text

from farhand.kits.conform.model import CATALOGUE, Case, Report, Result

WIDTH = 100
_STYLES = {"pass": "green", "fail": "bold red", "error": "red", "skip": "yellow"}
_MARKS = {"pass": "✓ pass", "fail": "✗ FAIL", "error": "! error", "skip": "– skip"}
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot hold, escaped or not."""


def line(result: Result, *, color: bool = False) -> str:
    """Return what is said of a case as soon as it is over."""
    text = Text(f"{_MARKS[result.outcome]:<8}", _STYLES[result.outcome])
    text.append(f" {result.id:<21} ", "bold")
    text.append(_plain(result.text))
    if result.attempts > 1:
        text.append(f" ({result.attempts} attempts)")
    return _print(text, color=color, width=10_000).rstrip("\n")


def table(report: Report, *, color: bool = False) -> str:
    """Return all cases as a table of 100 columns, with a line of figures below."""
    found = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", width=WIDTH)
    for title in ("", "case", "rule", "result"):
        found.add_column(title, overflow="fold")
    found.columns[0].no_wrap = found.columns[1].no_wrap = True
    for result in report.cases:
        found.add_row(
            Text(_MARKS[result.outcome], _STYLES[result.outcome]),
            result.id,
            result.rule,
            Text(_plain(_words(result))),
        )
    return _print(found, color=color, width=WIDTH) + "\n" + summary(report) + "\n"


def summary(report: Report) -> str:
    """Return one line of figures: no outcome is left out."""
    counts = report.counts
    words = [f"{counts[outcome]} {outcome}" for outcome in ("pass", "fail", "error", "skip")]
    where = f"{_plain(report.robot)}, observed by {_plain(report.observer)}"
    return f"{', '.join(words)}: {where}, {report.duration_s:.0f} s"


def listing(cases: list[Case], *, color: bool = False) -> str:
    """Return what the cases are: what goes wrong, what is demanded, which bugs were like that."""
    found = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", width=WIDTH)
    for title in ("case", "rule", "what goes wrong, and what is demanded"):
        found.add_column(title, overflow="fold")
    found.columns[0].no_wrap = True
    for case in cases:
        bugs = f"\n  as in {', '.join(case.bugs)}" if case.bugs else ""
        needs = f"\n  needs: {', '.join(case.needs)}" if case.needs else ""
        found.add_row(case.id, case.rule, Text(f"{case.title}\n→ {case.bound}{needs}{bugs}"))
    return _print(found, color=color, width=WIDTH)


def junit(report: Report) -> str:
    """Return the report as JUnit XML."""
    counts = report.counts
    figures = {
        "tests": str(len(report.cases)),
        "failures": str(counts["fail"]),
        "errors": str(counts["error"]),
        "skipped": str(counts["skip"]),
        "time": f"{report.duration_s:.3f}",
    }
    root = ET.Element("testsuites", {"name": "farhand conform", **figures})
    name = _xml(f"farhand conform {report.robot}")
    suite = ET.SubElement(root, "testsuite", {"name": name, **figures})
    suite.set("timestamp", report.started_at.split("+")[0])
    properties = ET.SubElement(suite, "properties")
    for key in ("server", "robot", "model", "software", "observer", "speed", "max_age_ms"):
        value = _xml(str(getattr(report, key)))
        ET.SubElement(properties, "property", {"name": key, "value": value})
    for result in report.cases:
        _junit_case(suite, result)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _junit_case(suite: ET.Element, result: Result) -> None:
    element = ET.SubElement(
        suite,
        "testcase",
        {
            "name": result.id,
            "classname": f"farhand.conform.{result.rule.replace(' ', '-')}",
            "time": f"{result.duration_s:.3f}",
        },
    )
    tag = {"fail": "failure", "error": "error", "skip": "skipped"}.get(result.outcome)
    if tag is not None:
        ET.SubElement(element, tag, {"message": _xml(result.text)})
    out = ET.SubElement(element, "system-out")
    bugs = f"\nas in: {', '.join(result.bugs)}" if result.bugs else ""
    out.text = _xml(f"{result.title}\ndemanded: {result.bound_text}\n{_words(result)}{bugs}")


def _words(result: Result) -> str:
    words = result.text
    if result.bound is not None and result.unit.startswith("ms"):
        words += f" (bound {result.bound:.0f} {result.unit})"
    if result.attempts > 1:
        words += f"; {result.attempts} attempts, held up {result.held_up_ms:.0f} ms in the last"
    return words


def _plain(text: str) -> str:
    # What a robot calls itself, or says, may hold what moves a terminal.
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _xml(text: str) -> str:
    return _NO_XML.sub("?", text)


def _print(what: Table | Text, *, color: bool, width: int) -> str:
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        highlight=False,
        markup=False,
        emoji=False,
        force_terminal=color,
        color_system="standard" if color else None,
    )
    console.print(what, soft_wrap=isinstance(what, Text))
    return "\n".join(row.rstrip() for row in out.getvalue().splitlines()) + "\n"


def all_cases() -> list[Case]:
    """Return the catalogue."""
    return list(CATALOGUE.cases.values())
