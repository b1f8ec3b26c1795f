"""kill -9 at named points under `up`: in front of the n-th write of the journal, fdatasync, directory sync, rename or
removal, from the first of a start to those of orders and snapshots. strace kills, so that the binary is the ordinary one.
After each: the journal is whole, and everything that was answered is there as it was."""

import json
import signal
import struct
import subprocess
import tempfile
from pathlib import Path

from book import Book, log_on, trade
from exchange import BINARY, DAY, PATIENCE_S, hashes, stop, up, verify

POINTS = [
    ("a write to the journal", "pwrite64", (1, 2, 3, 4, 6, 9, 14, 25, 60, 110)),
    ("fdatasync", "fdatasync", (1, 2, 3, 5, 8, 13, 30, 70)),
    ("the sync of a folder or a file", "fsync", (1, 2, 3, 4, 5)),
    ("a rename", "rename", (1, 2, 3)),
    ("a removal", "unlink", (1, 2, 3)),
]
ORDERS = 120
OPTIONS = ("--segment-mb", "1", "--snapshot-every", "100", "--durability", "disk")


def catch_up(client, book):
    """Everything that was answered before comes again, byte for byte and under its number."""
    client.sock.settimeout(60)
    known = max(book.seen, default=0)
    while client.next_sequence <= known:
        book.take(*client.message())


def killed_at(call, number, data, book):
    """Whether it got there."""
    command = [
        "strace", "-f", "-qqq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}",
        BINARY, "up", "--json", "--data", str(data), "--agents", "2", "--trading-day", DAY, *OPTIONS,
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    line = process.stdout.readline()
    client = None
    try:
        if line:
            client = log_on(json.loads(line))
            catch_up(client, book)
            trade(client, book, ORDERS, ORDERS)
    except (EOFError, OSError, RuntimeError, AssertionError, struct.error) as error:
        # A connection that ends is what is wanted; an answer that is not what it was is not.
        assert "message" not in str(error) and "twice" not in str(error), error
    if process.poll() is None:
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE_S)
    if client is not None:
        try:
            while True:
                book.take(*client.message())
        except (EOFError, OSError, struct.error):
            client.close()
    return process.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)


def main():
    reached = missed = 0
    with tempfile.TemporaryDirectory(prefix="rialto-points-") as folder:
        data, book = Path(folder) / "data", Book()
        for name, call, numbers in POINTS:
            got = [number for number in numbers if killed_at_whole(call, number, data, book)]
            reached += len(got)
            missed += len(numbers) - len(got)
            assert got, f"nobody was killed in front of {name}"
            print(f"{name}: killed in front of number {', '.join(map(str, got))}", flush=True)
        process, ready = up(data, *OPTIONS)
        client = log_on(ready)
        catch_up(client, book)
        trade(client, book, ORDERS, ORDERS)
        ended = stop(process)
        verify(data)
        assert hashes(data) == (ended["last_seq"], ended["state_hash"], ended["event_hash"])
        print(f"{reached} kills, {missed} points not reached, {len(book.acknowledged())} orders acknowledged once, 0 lost")


def killed_at_whole(call, number, data, book):
    killed = killed_at(call, number, data, book)
    if (data / "journal").is_dir():
        verify(data)
    return killed


main()
