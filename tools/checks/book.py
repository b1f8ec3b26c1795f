"""A client that remembers every answer, and tells when one was lost, doubled or changed."""

import struct
import time

from exchange import PATIENCE_S
from soup import OuchClient


def log_on(ready):
    """Logs on and takes everything from the first message of the day."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        client = OuchClient(ready["ouch"], "alpha1", "rialto", next_sequence=1)
        try:
            client.login()
            return client
        except (RuntimeError, EOFError, ConnectionError):
            assert time.monotonic() < deadline, "cannot log on"
            time.sleep(0.05)


def user_ref(message):
    return struct.unpack_from(">I", message, 9)[0]


class Book:
    """What the client knows: messages by number, orders by reference."""

    def __init__(self):
        self.seen = {}
        self.sent = 0
        self.confirmed = 0

    def take(self, number, message):
        before = self.seen.setdefault(number, message)
        assert before == message, f"message {number} was {before!r} and is {message!r}"
        return message[:1] in b"AJ"

    def acknowledged(self):
        refs = [user_ref(m) for m in self.seen.values() if m[:1] == b"A"]
        assert len(refs) == len(set(refs)), "an order was accepted twice"
        return set(refs)


def trade(client, book, orders, stop_after):
    """Sends orders, also those again that nobody has answered, until `stop_after` answers have come."""
    acknowledged = book.acknowledged()
    unsure = [ref for ref in range(1, book.sent + 1) if ref not in acknowledged]
    fresh = list(range(book.sent + 1, book.sent + 1 + orders))
    for ref in unsure + fresh:
        side = b"B" if ref % 2 else b"S"
        client.enter(ref, side, 1 + ref % 7, "ACME", 1_000_000 + 100 * (ref % 5), f"o{ref}")
        book.sent = max(book.sent, ref)
    answers = 0
    while answers < stop_after:
        answers += book.take(*client.message())
