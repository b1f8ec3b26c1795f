"""Attacks on the logon of both doors (RIALTO_ATTACKS of them, 400): wrong passwords, wrong numbers, heartbeats and orders before
any logon, garbage. Afterwards the stream holds nothing of them, no log or journal holds the planted password, and the
orders of a bystander took as long as before: within 10 % at the 99th percentile, or INCONCLUSIVE where two quiet runs already
differ by more."""

import os
import socket
import statistics
import struct
import tempfile
import time
from pathlib import Path

import simplefix

from exchange import PATIENCE_S, ask, seeded, stop
from served import serve
from soup import OuchClient

ATTACKS = int(os.environ.get("RIALTO_ATTACKS", "400"))
ORDERS = int(os.environ.get("RIALTO_BYSTANDER_ORDERS", "400"))
PLANTED = "PLANTED7"


def connect(address, source):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=PATIENCE_S, source_address=(source, 0))


def logon(name, password, number=1):
    message = simplefix.FixMessage()
    for tag, value in ((8, "FIX.4.4"), (35, "A"), (49, name), (56, "RIALTO"), (34, number)):
        message.append_pair(tag, value)
    message.append_utc_timestamp(52)
    for tag, value in ((98, 0), (108, 30), (553, name), (554, password)):
        message.append_pair(tag, value)
    return message.encode()


def soup(kind, payload=b""):
    return struct.pack(">H", len(payload) + 1) + kind + payload


def attacks(dice):
    login = lambda user, password: soup(b"L", (user.ljust(6) + password.ljust(10) + " " * 10 + "1".rjust(20)).encode())
    heartbeat = b"8=FIX.4.4\x019=5\x0135=0\x0110=161\x01"
    return [
        ("fix", lambda: logon("victim", PLANTED)),
        ("fix", lambda: logon("victim", PLANTED, dice.randrange(2, 1 << 40))),
        ("fix", lambda: logon("nobody", PLANTED)),
        ("fix", lambda: heartbeat * 3),
        ("fix", lambda: logon("victim", PLANTED)[:-3] + b"\x00\x01"),
        ("fix", lambda: dice.randbytes(200)),
        ("ouch", lambda: login("byst", PLANTED)),
        ("ouch", lambda: login("nobody", PLANTED)),
        ("ouch", lambda: soup(b"R") * 3),
        ("ouch", lambda: soup(b"U", b"O" + bytes(46))),
        ("ouch", lambda: dice.randbytes(200)),
    ]


def p99(client, first):
    samples = []
    for number in range(first, first + ORDERS):
        begun = time.perf_counter()
        client.enter(number, b"B", 10, "ACME", 1_000_000, "byst")
        client.expect(b"A")
        samples.append(time.perf_counter() - begun)
    return statistics.quantiles(samples, n=100)[98]


def last_seq(data):
    return ask("journal", "verify", data)["last_seq"]


def main():
    dice = seeded()
    with tempfile.TemporaryDirectory(prefix="rialto-attack-") as folder:
        sessions = [("byst", "ouch"), ("victim", "fix")]
        process, ready, data = serve(folder, sessions)
        try:
            client = OuchClient(ready["ouch"], "byst", "rialto")
            client.login()
            quiet = [p99(client, 1 + ORDERS * turn) for turn in range(2)]
            kinds = attacks(dice)
            before = client.next_sequence
            sent = 0

            def some(count):
                nonlocal sent
                for _ in range(count):
                    door, make = kinds[sent % len(kinds)]
                    # A handful of addresses, so that the guard closes the door to each.
                    with connect(ready[door], f"127.0.0.{2 + sent % 5}") as sock:
                        sock.sendall(make())
                        if sent % 7 == 0:
                            sock.shutdown(socket.SHUT_WR)
                    sent += 1

            # Between the attacks, the bystander trades.
            samples, number = [], 1 + 2 * ORDERS
            while sent < ATTACKS:
                some(max(1, ATTACKS // ORDERS))
                begun = time.perf_counter()
                client.enter(number, b"B", 10, "ACME", 1_000_000, "byst")
                client.expect(b"A")
                samples.append(time.perf_counter() - begun)
                number += 1
            attacked = statistics.quantiles(samples, n=100)[98] if len(samples) > 100 else max(samples)
            answers = client.next_sequence - before
            stopped = stop(process)
        finally:
            process.kill()
        orders = 2 * ORDERS + len(samples)
        assert answers == len(samples), f"{answers} answers to {len(samples)} orders"
        # Definitions, the day, one session up and lost, and the orders: nothing else is in the stream.
        report = ask("replay", data)
        assert report["state_hash"] == stopped["state_hash"]
        expected = stopped["last_seq"] - orders
        assert expected < 20, f"{expected} commands beside the orders: the attack left some"
        found = [path for path in Path(folder).rglob("*") if path.is_file() and PLANTED.encode() in path.read_bytes()]
        assert not found, f"the planted password stands in {found}"
    noise = abs(quiet[0] - quiet[1]) / min(quiet)
    slower = attacked / max(quiet) - 1
    verdict = "within 10 %" if slower <= 0.10 else ("INCONCLUSIVE" if noise > 0.10 else "SLOWER")
    print(
        f"{sent} attacks: state unchanged; p99 quiet {quiet[0] * 1e6:.0f} and {quiet[1] * 1e6:.0f} us "
        f"(noise {noise:.0%}), attacked {attacked * 1e6:.0f} us: {verdict}"
    )


if __name__ == "__main__":
    main()
