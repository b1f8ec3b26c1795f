"""Malformed FIX by simplefix and by hand: each message gets its answer or none, nobody else notices, and the session that can
go on does."""

import socket
import tempfile
import time

import simplefix

from exchange import PATIENCE_S, stop, up
from fix import FixClient

LIVES = [
    # What is sent, and what comes of it: a session-level reject with this reason, or nothing.
    ("an unknown tag", [(35, "D"), (11, "a"), (9999999, "x"), (55, "ACME")], None),
    ("no side", [(35, "D"), (11, "a"), (55, "ACME"), (38, 1), (40, 2), (44, 99)], "1"),
    ("a value out of range", [(35, "D"), (11, "a"), (55, "ACME"), (54, "?"), (38, 1), (40, 2), (44, 99)], "5"),
    ("letters for a number", [(35, "D"), (11, "a"), (55, "ACME"), (54, 1), (38, "many"), (40, 2), (44, 99)], "6"),
    ("a tag twice", [(35, "D"), (11, "a"), (11, "b"), (55, "ACME"), (54, 1), (38, 1), (40, 2), (44, 99)], "13"),
    ("an empty tag", [(35, "D"), (11, ""), (55, "ACME"), (54, 1), (38, 1), (40, 2), (44, 99)], "4"),
    ("a type of no version", [(35, "ZZ"), (58, "?")], "11"),
]


def encoded(client, fields):
    client.number += 1
    message = simplefix.FixMessage()
    message.append_pair(8, "FIX.4.4")
    message.append_pair(35, dict(fields)[35])
    message.append_pair(49, client.sender)
    message.append_pair(56, "RIALTO")
    message.append_pair(34, client.number)
    message.append_utc_timestamp(52)
    for tag, value in fields:
        if tag != 35:
            message.append_pair(tag, value)
    if dict(fields)[35] == "D":
        message.append_utc_timestamp(60)
    return message.encode()


def alive(client):
    client.send("1", (112, "still there?"))
    deadline = time.monotonic() + PATIENCE_S
    while True:
        assert time.monotonic() < deadline
        message = client.receive()
        if message.get(35) == b"0" and message.get(112) == b"still there?":
            return


def main():
    with tempfile.TemporaryDirectory(prefix="rialto-malformed-") as data:
        exchange, ready = up(data)
        try:
            bystander, client = FixClient(ready, "BETA"), FixClient(ready, "ALPHA")
            bystander.log_on()
            client.log_on()
            for what, fields, reason in LIVES:
                client.sock.sendall(encoded(client, fields))
                message = client.receive()
                assert message.get(35) == b"3", f"{what}: {message}"
                if reason:
                    assert message.get(373) == reason.encode(), f"{what}: {message}"
            # Garbled: ignored, and the number is not used.
            good = encoded(client, [(35, "0")])
            client.number -= 1
            broken = good[:-4] + (b"000" if good[-4:-1] != b"000" else b"001") + b"\x01"
            client.sock.sendall(broken)
            alive(client)
            # Neither a length nor a delimiter before what comes next.
            client.sock.sendall(b"8=FIX.4.4\x019=abc\x01" + b"x" * 200)
            alive(client)
            # Strangers.
            host, port = ready["fix"].rsplit(":", 1)
            for stranger in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" + b"\x00" * 200, good, b"8=FIX.4.4\x01" * 50):
                with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as sock:
                    sock.sendall(stranger)
                    try:
                        while sock.recv(4096):
                            pass
                    except ConnectionError:
                        pass
            alive(client)
            bystander.order("fine", 1, 10, "99.00")
            bystander.expect("8", _150=0)
            stop(exchange)
        finally:
            exchange.kill()
    print(f"simplefix: {len(LIVES)} malformed messages rejected by reason, garbage ignored, strangers cut off")


if __name__ == "__main__":
    main()
