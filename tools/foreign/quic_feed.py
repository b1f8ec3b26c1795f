"""A QUIC subscriber of the conflated feed, written from feed/conflate/SPEC.md and feed/quic/SPEC.md with aioquic: it joins,
verifies every checksum and range, stops reading until the server must resynchronise it, and verifies what it is told then.
tshark decodes and decrypts all of it: as many datagrams as were sent, none malformed.

usage: quic_feed.py RIALTO_BIN
"""

import asyncio
import json
import ssl
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from aioquic.asyncio import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, StreamDataReceived

from quic_capture import Capture

MASK = (1 << 64) - 1
PATIENCE = 60
UPDATES = 400  # wanted before the pause, and once more behind it
PAUSE = 11  # seconds in which nothing is received: less than the server's patience with a silent client
PAUSES_MAX = 8  # a pause may be too short to fill the server's window: then there is another one


def mix(v):
    v = (v + 0x9E3779B97F4A7C15) & MASK
    v = ((v ^ (v >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    v = ((v ^ (v >> 27)) * 0x94D049BB133111EB) & MASK
    return v ^ (v >> 31)


class Books:
    """Every book by instrument: {(side, price): shares}, and the end of its last range."""

    def __init__(self):
        self.levels, self.last, self.open = {}, {}, {}
        self.verified = self.trades = self.joins = self.resyncs = self.missed = self.conflated = 0

    def enter(self, locate, span):
        if locate in self.open:
            assert self.open[locate] == span, f"{span} within {self.open[locate]}"
        else:
            assert span[0] == self.last.get(locate, 0) + 1 and span[1] >= span[0], f"{span} after {self.last.get(locate)}"
        self.open[locate] = span

    def take(self, m):
        kind = m[:1]
        if kind == b"S":
            self.levels, self.last, self.open = {}, {}, {}
        elif kind == b"N":
            cause, locate = struct.unpack_from(">cH", m, 1)
            first, last, _, _, trades, _, _ = struct.unpack_from(">7Q", m, 12)
            assert first == (1 if cause == b"J" else self.last.get(locate, 0) + 1)
            self.joins += cause == b"J"
            self.resyncs += cause == b"R"
            self.missed += trades
            self.levels[locate], self.open[locate] = {}, (first, last)
        elif kind == b"T":
            _, locate, first, last = struct.unpack_from(">cHQQ", m, 1)
            self.enter(locate, (first, last))
            self.trades += 1
        elif kind == b"P":
            locate, first, last = struct.unpack_from(">HQQ", m, 2)
            self.enter(locate, (first, last))
        elif kind == b"U":
            flags, locate, first, last, checksum, count = struct.unpack_from(">BHQQQH", m, 1)
            self.enter(locate, (first, last))
            book = self.levels.setdefault(locate, {})
            assert len(m) == 30 + 13 * count
            for place in range(count):
                side, price, shares = struct.unpack_from(">BIQ", m, 30 + 13 * place)
                if shares:
                    book[side, price] = shares
                else:
                    book.pop((side, price), None)
            self.conflated += flags & 1
            if not flags & 2:
                summed = sum(mix(mix(side << 32 | price) ^ shares) for (side, price), shares in book.items()) & MASK
                assert summed == checksum, f"instrument {locate} at {last}: {summed:016x}, not {checksum:016x}"
                self.last[locate] = last
                del self.open[locate]
                self.verified += 1


class Subscriber(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.paused = False
        self.sent = self.received = self.told = 0

    def connection_made(self, transport):
        sendto = transport.sendto

        def counted(data, addr=None):
            self.sent += 1
            sendto(data, addr)

        transport.sendto = counted
        super().connection_made(transport)

    def quic_event_received(self, event):
        if isinstance(event, StreamDataReceived) and event.stream_id == 0:
            self.told += len(event.data)
        if isinstance(event, ConnectionTerminated):
            print(f"closed: code {event.error_code}, {event.reason_phrase!r}", file=sys.stderr)
        super().quic_event_received(event)

    def datagram_received(self, data, addr):
        self.received += len(data)
        # aioquic grants more than is read, so who wants to be slow must be deaf.
        if not self.paused:
            super().datagram_received(data, addr)


def login():
    body = b"L" + b"alpha1".ljust(40) + b"rialto".ljust(40) + b"C" + struct.pack(">H", 0) + b"W" + bytes(8)
    body += b"S" + b" " * 10 + bytes(8) + bytes(4) + struct.pack(">H", 0)
    assert len(body) == 118
    return struct.pack(">H", len(body)) + body


async def frame(reader):
    (length,) = struct.unpack(">H", await reader.readexactly(2))
    return await reader.readexactly(length)


async def follow(address, certificate, keys):
    host, port = address.rsplit(":", 1)
    configuration = QuicConfiguration(
        is_client=True, alpn_protocols=["rialto-md/1"], server_name="localhost", verify_mode=ssl.CERT_REQUIRED
    )
    configuration.load_verify_locations(certificate)
    configuration.secrets_log_file = keys
    async with connect(host, int(port), configuration=configuration, create_protocol=Subscriber) as client:
        reader, writer = await client.create_stream()
        writer.write(login())
        assert (await frame(reader))[:1] == b"A"
        assert (await frame(reader))[:2] == b"FC"
        books = Books()

        async def until(reached):
            while not reached():
                message = await asyncio.wait_for(frame(reader), PATIENCE)
                if message[:1] != b"H":
                    books.take(message)

        await until(lambda: books.joins >= 3 and books.verified >= UPDATES)
        for _ in range(PAUSES_MAX):
            client.paused = True
            await asyncio.sleep(PAUSE)
            client.paused = False
            # The server doubles the time between its probes of a silent client: speak, so that it need not wait for the next.
            await client.ping()
            before = books.verified
            await until(lambda: books.resyncs > 0 or books.verified >= before + UPDATES)
            if books.resyncs > 0:
                break
        assert books.resyncs > 0, f"{PAUSES_MAX} pauses of {PAUSE} s and no resync"
        before = books.verified
        await until(lambda: books.verified >= before + UPDATES)
    return books, client


def main():
    binary = sys.argv[1]
    with tempfile.TemporaryDirectory() as data:
        command = [binary, "up", "--json", "--data", data, "--seconds", "300", "--agents", "60"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as up:
            try:
                ready = json.loads(up.stdout.readline())
                capture = Capture(Path(data), int(ready["quic"].rsplit(":", 1)[1]))
                with open(capture.keys, "w") as keys:
                    books, client = asyncio.run(follow(ready["quic"], ready["quic_cert"], keys))
                capture.stop()
                judged = capture.judge(client.sent, client.received, client.told)
            finally:
                up.terminate()
    print(
        f"aioquic: {books.verified} checksums verified, {books.trades} trades, {books.joins} joins, "
        f"{books.conflated} conflated, {books.resyncs} resyncs with {books.missed} trades missed"
    )
    print(f"tshark: {judged}")


if __name__ == "__main__":
    main()
