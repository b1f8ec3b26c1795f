"""FIX 4.4 as a client writes it with simplefix."""

import socket
import time
from decimal import Decimal

import simplefix

PATIENCE_S = 60


def same(got, wanted):
    """Texts as they are, decimals by value."""
    if isinstance(wanted, Decimal):
        return got is not None and Decimal(got.decode()) == wanted
    return got == str(wanted).encode()


class FixClient:
    def __init__(self, ready, sender):
        host, number = ready["fix"].rsplit(":", 1)
        self.sock = socket.create_connection((host, int(number)), timeout=PATIENCE_S)
        self.parser = simplefix.FixParser()
        self.sender = sender
        self.number = 0

    def log_on(self):
        self.send("A", (98, 0), (108, 30), (141, "Y"), (553, self.sender), (554, "rialto"))
        self.expect("A", _108=30)

    def send(self, kind, *fields):
        self.number += 1
        message = simplefix.FixMessage()
        message.append_pair(8, "FIX.4.4")
        message.append_pair(35, kind)
        message.append_pair(49, self.sender)
        message.append_pair(56, "RIALTO")
        message.append_pair(34, self.number)
        message.append_utc_timestamp(52)
        for tag, value in fields:
            message.append_pair(tag, value)
        self.sock.sendall(message.encode())

    def receive(self):
        while (message := self.parser.get_message()) is None:
            got = self.sock.recv(65536)
            if not got:
                raise EOFError("the exchange closed the FIX connection")
            self.parser.append_buffer(got)
        return message

    def expect(self, kind, **wanted):
        while True:
            message = self.receive()
            if message.get(35) == kind.encode():
                for tag, value in wanted.items():
                    got = message.get(int(tag[1:]))
                    assert same(got, value), f"{tag}={got}, not {value}, in {message}"
                return message
            assert message.get(35) in (b"0", b"1"), f"expected 35={kind}, got {message}"

    def order(self, cl_ord_id, side, quantity, price, symbol="ACME", tif=0):
        now = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())
        self.send(
            "D", (11, cl_ord_id), (55, symbol), (54, side), (60, now), (38, quantity), (40, 2), (44, price), (59, tif)
        )  # fmt: skip
