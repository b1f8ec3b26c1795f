"""SoupBinTCP and OUCH 5.0 as a client writes them by hand, from the specifications: raw bytes and struct."""

import socket
import struct
import time

HEARTBEAT_S = 1  # SoupBinTCP: a client that has sent nothing for a second says that it lives


class OuchClient:
    def __init__(self, address, user, password, next_sequence=1, session=""):
        host, port = address.rsplit(":", 1)
        self.sock = socket.create_connection((host, int(port)), timeout=20)
        self.buffer = b""
        self.session = ""
        self.next_sequence = next_sequence
        login = user.ljust(6) + password.ljust(10) + session.rjust(10) + str(next_sequence).rjust(20)
        self.send_packet(b"L", login.encode())

    def send_packet(self, kind, payload=b""):
        self.sock.sendall(struct.pack(">H", len(payload) + 1) + kind + payload)
        self.sent_at = time.monotonic()

    def read_packet(self):
        while True:
            if len(self.buffer) >= 2:
                (length,) = struct.unpack_from(">H", self.buffer)
                if len(self.buffer) >= 2 + length:
                    packet, self.buffer = self.buffer[2 : 2 + length], self.buffer[2 + length :]
                    return packet[:1], packet[1:]
            got = self.sock.recv(65536)
            if not got:
                raise EOFError("the exchange closed the connection")
            self.buffer += got

    def login(self):
        kind, payload = self.read_packet()
        if kind != b"A":
            raise RuntimeError(f"login answered with {kind!r} {payload!r}")
        self.session = payload[:10].decode().strip()
        self.next_sequence = int(payload[10:30])
        return self.session, self.next_sequence

    def message(self):
        """The next sequenced message: (number, bytes). Says now and then that it lives: while messages keep coming the
        exchange sends no heartbeat that could be answered."""
        while True:
            if time.monotonic() - self.sent_at >= HEARTBEAT_S:
                self.send_packet(b"R")
            kind, payload = self.read_packet()
            if kind == b"S":
                number = self.next_sequence
                self.next_sequence += 1
                return number, payload
            if kind == b"H":
                self.send_packet(b"R")
            elif kind == b"Z":
                raise EOFError("end of session")

    def expect(self, kind):
        """The next sequenced message of this type; system events on the way are passed over."""
        while True:
            _, payload = self.message()
            if payload[:1] == kind:
                return payload
            if payload[:1] != b"S":
                raise AssertionError(f"expected {kind!r}, got {payload!r}")

    def enter(self, user_ref, side, quantity, symbol, price, cl_ord_id, tif=b"0"):
        """Price in ten-thousandths."""
        body = struct.pack(
            ">cIcI8sQccccc14sH",
            b"O", user_ref, side, quantity, symbol.ljust(8).encode(), price, tif, b"Y", b"P", b"N", b"N",
            cl_ord_id.ljust(14).encode(), 0,
        )  # fmt: skip
        assert len(body) == 47
        self.send_packet(b"U", body)

    def cancel(self, user_ref, quantity):
        self.send_packet(b"U", struct.pack(">cII", b"X", user_ref, quantity))

    def close(self):
        self.sock.close()
