"""Agents trade; what the feed said is asked for again by MoldUDP64 and written as an ITCH file; the file is ingested: after
every message the book is the file's, every execution meets the order that it met before, two ingests give the same hashes.
A file with a wrong execution, one that is cut off and one that is none are told apart."""

import gzip
import json
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path

from exchange import BINARY, PATIENCE_S, stop, up

WANTED = 3_000
ASKED = 500  # messages a request


def recorded(ready, wanted):
    """The first messages of the feed's session, from the re-request server."""
    host, port = ready["rerequest"].rsplit(":", 1)
    # A packet of the line tells the session's name.
    group, line = ready["mold_a"].rsplit(":", 1)
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((group, int(line)))
    membership = socket.inet_aton(group) + socket.inet_aton("127.0.0.1")
    listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    listener.settimeout(PATIENCE_S)
    session = listener.recv(2_048)[:10]
    listener.close()
    messages = {}
    asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asker.settimeout(0.2)
    deadline = time.monotonic() + PATIENCE_S
    while len(messages) < wanted:
        assert time.monotonic() < deadline, f"{len(messages)} messages in {PATIENCE_S} s"
        first = len(messages) + 1
        asker.sendto(session + struct.pack(">QH", first, min(ASKED, wanted - first + 1)), (host, int(port)))
        try:
            while True:
                packet = asker.recv(2_048)
                number, count = struct.unpack_from(">QH", packet, 10)
                at = 20
                for message in range(number, number + count):
                    (length,) = struct.unpack_from(">H", packet, at)
                    messages[message] = packet[at + 2 : at + 2 + length]
                    at += 2 + length
        except TimeoutError:
            # What did not come is asked for again, from the first that is missing.
            have = next(number for number in range(1, len(messages) + 2) if number not in messages)
            messages = {number: message for number, message in messages.items() if number < have}
    return [messages[number] for number in range(1, wanted + 1)]


def write(path, messages):
    body = b"".join(struct.pack(">H", len(message)) + message for message in messages) + bytes(2)
    path.write_bytes(gzip.compress(body) if path.suffix == ".gz" else body)
    return path


def ingest(path):
    done = subprocess.run(
        [BINARY, "ingest", "itch", str(path), "--trading-day", "2026-06-22", "--json"],
        capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    return done.returncode, json.loads(lines[-1]) if lines else None, done.stderr


def main():
    with tempfile.TemporaryDirectory(prefix="rialto-itch-") as folder:
        folder = Path(folder)
        process, ready = up(folder / "data", agents=8)
        messages = recorded(ready, WANTED)
        stop(process)
        code, told, said = ingest(write(folder / "day.itch.gz", messages))
        assert code == 0, (told, said)
        kinds = {kind: sum(message[:1] == kind for message in messages) for kind in (b"A", b"E", b"D", b"U")}
        assert told["messages"] == WANTED and told["instruments"] == 3 and told["left_out"] == 0, told
        assert told["books_equal"] == told["books_compared"] > WANTED / 2 and kinds[b"E"] > 20, (told, kinds)
        again = ingest(write(folder / "day.itch", messages))[1]
        assert (again["state_hash"], again["event_hash"]) == (told["state_hash"], told["event_hash"])

        # An execution of an order that is not the first of its price.
        wrong = list(messages)
        place = next(at for at, message in enumerate(wrong) if message[:1] == b"E")
        executed = wrong[place]
        (reference,) = struct.unpack_from(">Q", executed, 11)
        add = next(message for message in wrong if message[:1] in b"AF" and struct.unpack_from(">Q", message, 11)[0] == reference)
        twin = add[:11] + struct.pack(">Q", 1 << 60) + add[19:]
        wrong[place:place + 1] = [twin, executed[:11] + struct.pack(">Q", 1 << 60) + executed[19:]]
        code, told, said = ingest(write(folder / "wrong.itch", wrong))
        assert code != 0 and told["wrong_fills"] > 0 and "did not come out" in said, (told, said)
        code, _, said = ingest(write(folder / "cut.itch", messages[:10] + [b"A"]))
        assert code != 0 and "message 11" in said, said
        short = folder / "short.itch"
        short.write_bytes(write(folder / "day.itch", messages).read_bytes()[:1_000])
        code, _, said = ingest(short)
        assert code != 0 and "ends within message" in said, said
        print(f"{again['books_equal']} books equal, {kinds}")


if __name__ == "__main__":
    main()
