"""A fast server on loopback that is a receiver of every kind, for measuring and for the soak.

Run as ``python -m benchmarks.webhook_receivers PORT [LOG]``. What is called is ``/KIND/SECRET-OR-NAME``; each call
becomes a line of JSON in LOG: kind, webhook-id, and whether its signature is right by the package of the specification.
What Apprise posts has neither: its name and title stand for the id.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from pathlib import Path
from urllib.parse import unquote

from standardwebhooks import Webhook

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_GIGABYTE = 1_000_000_000
_TEN_YEARS = 10 * 365 * 24 * 3600


class Receivers:
    """Answers by the first part of the path."""

    def __init__(self, log: Path | None) -> None:
        self.log = log.open("a", buffering=1) if log else None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await _request(reader):
                if not await self._answer(*request, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _answer(self, path: str, headers: dict[str, str], content: bytes, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether the connection goes on."""
        _, kind, name = path.split("/", 2)
        if self.log:
            self._note(kind, unquote(name), headers, content)
        if kind in ("good", "apprise") or (kind == "flaky" and random.random() < 0.6):
            writer.write(_OK)
            await writer.drain()
            return True
        return await _misbehave(kind, writer)

    def _note(self, kind: str, secret: str, headers: dict[str, str], content: bytes) -> None:
        assert self.log is not None
        try:
            Webhook(secret).verify(content, headers)
            right = True
        except Exception:
            right = False
        line = {"kind": kind, "id": headers.get("webhook-id"), "right": right, "at": time.time()}
        if kind == "apprise":
            line |= {"id": f"{secret} {json.loads(content)['title']}", "right": True}
        self.log.write(json.dumps(line) + "\n")


async def _misbehave(kind: str, writer: asyncio.StreamWriter) -> bool:
    if kind == "hang":
        await asyncio.sleep(60)
    elif kind == "slow":
        await asyncio.sleep(random.uniform(0.5, 3))
        writer.write(_OK)
    elif kind == "drip":
        writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(60):
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(1)
    elif kind == "endless":
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {_GIGABYTE}\r\n\r\n".encode())
        for _ in range(_GIGABYTE // 65536):
            writer.write(b"x" * 65536)
            await writer.drain()
    elif kind == "gone":
        writer.write(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")
    elif kind == "busy":
        writer.write(f"HTTP/1.1 429 Busy\r\nRetry-After: {_TEN_YEARS}\r\nContent-Length: 0\r\n\r\n".encode())
    elif kind == "redirect":
        writer.write(b"HTTP/1.1 307 Away\r\nLocation: /good/x\r\nContent-Length: 0\r\n\r\n")
    elif kind != "close":
        writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno")
    await writer.drain()
    return kind not in ("hang", "drip", "endless", "close")


async def _request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes] | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    content = await reader.readexactly(int(headers.get("content-length", 0)))
    return head[0].split(" ")[1], headers, content


async def main(port: int, log: Path | None) -> None:
    """Serve until killed."""
    server = await asyncio.start_server(Receivers(log).serve, "127.0.0.1", port, limit=2**20)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None))
