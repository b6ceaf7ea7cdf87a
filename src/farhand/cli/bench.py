"""`farhand bench`."""

from typing import Annotated

import typer

from farhand.kits.bench import runner


def bench(
    name: Annotated[str, typer.Argument(help=", ".join(runner.BENCHES))],
    quick: Annotated[bool, typer.Option("--quick", help="End within 50 s.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line on stdout.")] = False,
    rounds: Annotated[int | None, typer.Option(min=1, help="Interleaved rounds (or runs).")] = None,
) -> None:
    """Measure farhand beside its peers in the same run.

    Example: farhand bench relay --quick
    """
    runner.main(name, quick=quick, as_json=as_json, rounds=rounds)
