"""The peer of `farhand bench api`: a bare FastAPI application that returns the same bytes.

Nobody is asked who they are, nothing is looked up, nothing encoded. Prints its port. Run as a
module, by the bench, with a folder that holds ``SIZE.json`` for each size of a page.
"""

import socket
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.responses import Response

BACKLOG = 4096


def make_app(folder: Path) -> FastAPI:
    """Return the application."""
    bodies = {int(file.stem): file.read_bytes() for file in folder.glob("*.json")}
    app = FastAPI()

    @app.get("/v1/robot")
    async def robots(limit: int) -> Response:
        headers = {"Cache-Control": "no-store"}
        return Response(bodies[limit], headers=headers, media_type="application/json")

    return app


def main(folder: Path) -> None:
    """Serve on any free port until SIGTERM."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen(BACKLOG)
    config = uvicorn.Config(
        make_app(folder),
        http="httptools",
        loop="auto",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    sys.stdout.write(f"{sock.getsockname()[1]}\n")
    sys.stdout.flush()
    uvicorn.Server(config).run(sockets=[sock])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
