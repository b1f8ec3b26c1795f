"""The conflated feed over QUIC: `feed/quic/SPEC.md`. Needs `aioquic`."""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import AsyncGenerator, Sequence

from aioquic.asyncio.client import connect
from aioquic.quic.configuration import QuicConfiguration

from rialto.conflated import Books, Update
from rialto.orders import Refused

PATIENCE_S = 30.0
"""The server speaks at least once a second."""


def _login(user: str, password: str, depth: int, interval_ns: int, symbols: Sequence[str]) -> bytes:
    def text(value: str, width: int) -> bytes:
        encoded = value.encode("ascii")
        if len(encoded) > width:
            raise ValueError(f"{value!r} has more than {width} characters")
        return encoded.ljust(width)

    body = b"L" + text(user, 40) + text(password, 40) + struct.pack(">cHcQ", b"C", depth, b"I", interval_ns)
    body += b"S" + bytes(10 + 8 + 4) + struct.pack(">H", len(symbols))
    body += b"".join(text(symbol, 8) for symbol in symbols)
    return struct.pack(">H", len(body)) + body


async def subscribe(
    address: str,
    user: str,
    password: str,
    certificate: str,
    *,
    symbols: Sequence[str] = (),
    depth: int = 0,
    interval_s: float = 0.1,
) -> AsyncGenerator[Update, None]:
    """Books, trades and resyncs of the conflated feed, each book verified by its checksum.

    `certificate` is the file that the exchange names as `quic_cert`; `depth` levels a side, 0 for all; no symbols: all
    that the firm may see. `Refused` where the login is; `rialto.conflated.Broken` where the feed breaks its contract.
    """
    host, port = address.rsplit(":", 1)
    configuration = QuicConfiguration(
        is_client=True, alpn_protocols=["rialto-md/1"], server_name="localhost", verify_mode=ssl.CERT_REQUIRED
    )
    configuration.load_verify_locations(certificate)
    async with connect(host, int(port), configuration=configuration) as client:
        reader, writer = await client.create_stream()
        writer.write(_login(user, password, depth, int(interval_s * 1e9), symbols))

        async def frame() -> bytes:
            (length,) = struct.unpack(">H", await reader.readexactly(2))
            return await reader.readexactly(length)

        books = Books()
        while True:
            message = await asyncio.wait_for(frame(), PATIENCE_S)
            if message[:1] in (b"J", b"X"):
                raise Refused(0, message[1:].decode("ascii", "replace").strip(), "see the exchange's log")
            for update in books.take(message):
                yield update
