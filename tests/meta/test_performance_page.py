"""The page of figures shows what `farhand bench api` prints."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from farhand.kits.bench import api

SCRIPT = Path(__file__).parents[2] / "scripts" / "performance_page.py"
ENV = {"python": "3.11.7", "cores": 2, "load": 0.1, "versions": {"farhand": "0.1.0"}}


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("performance_page", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_figures_of_api_come_as_a_table(script: ModuleType) -> None:
    rounds: dict[str, list[Mapping[str, float]]] = {
        "farhand": [
            {"list_50_per_s": 900.0 + n, "signaling_logins_p99": 3.0 + n, "sent_away": 40.0}
            for n in range(3)
        ],
        "fastapi_bare": [{"list_50_per_s": 2000.0 + n} for n in range(3)],
    }
    shown = script.section("api", {**api.report(rounds), "env": ENV})
    lines = shown.splitlines()
    assert lines[0] == "## api"
    assert "|  | farhand | fastapi_bare |" in lines
    assert "| list_50_per_s | 901.0 (900.0–902.0) | 2001.0 (2000.0–2002.0) |" in lines
    assert "| signaling_logins_p99 | 4.0 (3.0–5.0) | — |" in lines
    assert lines[-1] == "2 shared cores, Python 3.11.7, load 0.1; farhand 0.1.0."
    assert "200 people log" in shown


def test_the_page_has_a_part_for_api_once_there_are_figures(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "RAW", tmp_path)
    assert "## api" not in script.page()
    (tmp_path / "api.json").write_text(
        '{"farhand": {"list_50_per_s": 1.0}, "peers": {}, "spread": {}, "env": '
        '{"python": "3", "cores": 2, "load": 0, "versions": {}}}'
    )
    assert "| list_50_per_s | 1.0 |" in script.page()
