"""The network of `farhand demo`, which can be made bad: packets late, packets lost, both ways.

UDP between the robots and everybody: at the sockets of each agent (`media.aiortc_.late`). TCP
between the robots and the server: through a proxy in this process. All of it as an ordinary user.
"""

import shutil
import tempfile
from pathlib import Path

from farhand.kits.late_proxy import HOST, LateProxy
from farhand.media import bad_network
from farhand.media.bad_network import FILE_VARIABLE, BadNetwork, Counts


class DemoNetwork:
    """The file that says how bad it is, and the proxy. A context manager.

    Args:
        port: Of the demo's server.
        network: To begin with.

    """

    def __init__(self, port: int, network: BadNetwork) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="farhand-network-"))
        self.file = self.folder / "network.json"
        bad_network.write(self.file, network)
        self.proxy = LateProxy(port, self.file)
        self.proxy.start()

    @property
    def environment(self) -> dict[str, str]:
        """What the server and the agents are told."""
        return {FILE_VARIABLE: str(self.file)}

    @property
    def agent_arguments(self) -> list[str]:
        """What leads the agents to the server by the proxy."""
        return ["--server", f"http://{HOST}:{self.proxy.port}"]

    @property
    def now(self) -> BadNetwork:
        """How bad it is."""
        return bad_network.read(self.file)

    def become(self, network: BadNetwork) -> None:
        """Change it for all programs, within 100 ms."""
        bad_network.write(self.file, network)

    def counts(self) -> Counts:
        """Return what became of the datagrams of all agents."""
        return bad_network.all_counts(self.file)

    def line(self) -> str:
        """Return a line for people: what is on, and what it has cost; empty: nothing is."""
        now = self.now
        if now.is_good:
            return ""
        lost = f"{now.loss_percent:g} % lost ({self.counts().dropped} datagrams)"
        return f"bad network: {now.delay_ms} ms each way, {lost}"

    def close(self) -> None:
        """End the proxy and remove the file. Idempotent."""
        self.proxy.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "DemoNetwork":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
