"""kill -9 at 20 random moments under `up`: after each restart the journal is whole, every order that a client saw
acknowledged is there once under the same number and with the same bytes, and resending what is unsure adds no order."""

import struct
import tempfile
import time
from pathlib import Path

from book import Book, log_on, trade, user_ref
from exchange import hashes, kill, seeded, stop, up, verify

KILLS = 20
ORDERS = 400


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
