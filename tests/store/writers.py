"""A process to be killed: 1 000 writers at once; each says what it was told is on disk."""

import asyncio
import os
import sys
from pathlib import Path

from farhand.store.base import Deed, Put
from farhand.store.records import User
from farhand.store.sql import SqlStore

WRITERS = 1000
WRITES = 20


async def main(where: str | Path) -> None:
    """Write until killed."""
    store = SqlStore(where)
    await store.open()

    async def write(writer: int) -> None:
        for i in range(WRITES):
            name = f"{writer}-{i}"
            deed = Deed("user:u", "Ana", "user.create", target=f"user:{name}")
            await store.write(Put(User(id=name, name=name)), deed=deed)
            os.write(1, f"{name}\n".encode())

    await asyncio.gather(*(write(i) for i in range(WRITERS)))
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
