"""`farhand demo`."""

from typing import Annotated

import typer

from farhand.kits import demo as kit
from farhand.media.bad_network import parse


def demo(  # noqa: PLR0917 - typer's parameters are options
    port: Annotated[int, typer.Option(help="Port; the next free one when taken.")] = 8080,
    robots: Annotated[int, typer.Option(min=1, max=20, help="How many simulated robots.")] = 1,
    browser: Annotated[bool, typer.Option(help="Open a browser when there is a display.")] = True,
    lan: Annotated[
        bool,
        typer.Option("--lan", help="Let others on this network in, by a one-time code."),
    ] = False,
    bad_network: Annotated[
        str,
        typer.Option(
            metavar="DELAY,LOSS",
            help="Delay each packet one way and lose some: 100ms,5%; the page has a switch too.",
        ),
    ] = "0ms,0%",
    stamp: Annotated[bool, typer.Option(help="Burn the clock into the pictures.")] = True,
) -> None:
    """Start a server, simulated robots and the console on this machine.

    Example: farhand demo --robots 2 --no-browser
    """
    network = parse(bad_network)
    kit.run(
        kit.DemoOptions(
            port=port, robots=robots, browser=browser, stamp=stamp, lan=lan, network=network
        )
    )
