"""A client for `rialto certify` by OUCH, written by hand: it does what the lines on stdin ask, and comes back when cut.

`certify_ouch.py HOST:PORT USER PASSWORD [--forgetful]`. With --forgetful it is broken on purpose: it comes back asking for
the session from the first message on, as if it had seen none.
"""

import select
import sys
import time
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "foreign"))
from soup import HEARTBEAT_S, OuchClient


def connect(address, user, password, next_sequence=1, session=""):
    while True:
        try:
            client = OuchClient(address, user, password, next_sequence, session)
            client.login()
            return client
        except (EOFError, OSError):
            time.sleep(0.1)


def take(client):
    """What has come; an error where the connection is gone."""
    got = client.sock.recv(65536)
    if not got:
        raise EOFError("the connection is gone")
    client.buffer += got
    while len(client.buffer) >= 2 and len(client.buffer) >= 2 + int.from_bytes(client.buffer[:2], "big"):
        kind, _ = client.read_packet()
        if kind == b"S":
            client.next_sequence += 1


def main():
    address, user, password, *options = sys.argv[1:]
    client = connect(address, user, password)
    reference = quantity = 0
    asked = b""
    while True:
        try:
            readable, _, _ = select.select([client.sock, sys.stdin], [], [], HEARTBEAT_S / 2)
            if client.sock in readable:
                take(client)
            if time.monotonic() - client.sent_at >= HEARTBEAT_S / 2:
                client.send_packet(b"R")
        except (EOFError, OSError):
            next_sequence = 1 if "--forgetful" in options else client.next_sequence
            client = connect(address, user, password, next_sequence, client.session)
            continue
        if sys.stdin in readable:
            got = sys.stdin.buffer.raw.read(4096)
            if not got:
                return
            asked += got
        while b"\n" in asked:
            line, asked = asked.split(b"\n", 1)
            match line.decode().split():
                case ["order", side, size, symbol, price]:
                    reference, quantity = reference + 1, int(size)
                    side = {"buy": b"B", "sell": b"S"}[side]
                    client.enter(reference, side, quantity, symbol, int(Decimal(price) * 10_000), f"order-{reference}")
                case ["cancel"]:
                    client.cancel(reference, 0)
                case ["logout"]:
                    client.send_packet(b"O")
                case other:
                    raise SystemExit(f"cannot do {other}")


main()
