"""Logins in parallel, beside the load of `farhand bench api`. Run as a module, by the bench.

Each of so many browsers logs in once; who is told to come again does, as soon as it may. Prints
one JSON line.
"""

import asyncio
import json
import os
import sys
import time

import httpx

from farhand.kits.bench.api_records import PASSWORD, USER
from farhand.kits.bench.common import percentile

_NICENESS = 10
"""The load that is measured comes first."""
_TOO_MANY = 429


async def _log_in(client: httpx.AsyncClient, began: float) -> tuple[float, int]:
    """Return when it was in, in seconds from the beginning, and how often it was sent away."""
    sent_away = 0
    while True:
        answer = await client.post("/v1/login", json={"name": USER, "password": PASSWORD})
        client.cookies.clear()
        if answer.status_code != _TOO_MANY:
            answer.raise_for_status()
            return time.perf_counter() - began, sent_away
        sent_away += 1
        await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))


async def _all(port: int, count: int) -> dict[str, float]:
    limits = httpx.Limits(max_connections=count)
    url = f"http://127.0.0.1:{port}"
    began = time.perf_counter()
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=120) as client:
        found = await asyncio.gather(*(_log_in(client, began) for _ in range(count)))
    times = [seconds for seconds, _ in found]
    return {
        "login_p50_s": percentile(times, 50),
        "login_last_s": max(times),
        "sent_away": float(sum(times for _, times in found)),
    }


def main() -> None:
    """Log in ``COUNT`` times at ``PORT``."""
    os.nice(_NICENESS)
    port, count = map(int, sys.argv[1:3])
    print(json.dumps(asyncio.run(_all(port, count))))  # noqa: T201 - for the bench to read


if __name__ == "__main__":
    main()
