"""kill -9 at 20 random moments under `up`: after each restart the journal is whole, every order that a client saw
acknowledged is there once under the same number and with the same bytes, and resending what is unsure adds no order."""

import socket
import struct
import tempfile
import time
from pathlib import Path

from exchange import hashes, kill, seeded, stop, up, verify
from soup import OuchClient

KILLS = 20
ORDERS = 400


def log_on(ready):
    """Logs on and takes everything from the first message of the day."""
    deadline = time.monotonic() + 60
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


def main():
    moments = seeded()
    with tempfile.TemporaryDirectory(prefix="rialto-kill-") as folder:
        data = Path(folder) / "data"
        book = Book()
        for number in range(KILLS):
            process, ready = up(data, "--seed", str(number), agents=2)
            client = log_on(ready)
            client.sock.settimeout(60)
            # Everything that was acknowledged before comes again, byte for byte and under its number.
            known = max(book.seen, default=0)
            while client.next_sequence <= known:
                book.take(*client.message())
            trade(client, book, ORDERS, moments.randrange(ORDERS))
            if moments.random() < 0.5:
                time.sleep(moments.random() * 0.01)
            kill(process)
            try:
                # What was on the wire when it died was acknowledged, too.
                while True:
                    book.take(*client.message())
            except (EOFError, OSError, struct.error):
                client.close()
            verify(data)
        process, ready = up(data)
        client = log_on(ready)
        client.sock.settimeout(60)
        known = max(book.seen)
        while client.next_sequence <= known:
            book.take(*client.message())
        acknowledged = book.acknowledged()
        unsure = [ref for ref in range(1, book.sent + 1) if ref not in acknowledged]
        for ref in unsure:
            client.enter(ref, b"B", 1, "ACME", 1_000_000, f"o{ref}")
        # The references only ever grow, so one more order says that the answers to all of them have come.
        last = book.sent + 1
        client.enter(last, b"B", 1, "ACME", 1_000_000, "last")
        answered = 0
        while answered != last:
            number, message = client.message()
            if book.take(number, message):
                answered = user_ref(message)
        ended = stop(process)
        verify(data)
        expected = (ended["last_seq"], ended["state_hash"], ended["event_hash"])
        for layout in ("one", "two", "per-core", "auto"):
            assert hashes(data, "--layout", layout) == expected, layout
        acknowledged = book.acknowledged()
        print(f"{KILLS} kills, {book.sent} orders sent, {len(acknowledged)} acknowledged once, 0 lost, last_seq {expected[0]}")


main()
