"""A disk that fills up under a running exchange: first only cancels are taken, then sessions are closed, and when there is
room again everything is taken. Nothing that was answered is lost. The disk is a small one in memory, in a mount namespace
of its own."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from exchange import BINARY, PATIENCE_S, ask, hashes, stop, up, verify
from soup import OuchClient

DISK_MB = 24
BURST = 500


def takes(data, wanted):
    deadline = time.monotonic() + PATIENCE_S
    while True:
        status = ask("status", "--data", data)
        if status["takes"] == wanted:
            return status
        assert time.monotonic() < deadline, f"{wanted} wanted, {status}"
        time.sleep(0.05)


class Member:
    def __init__(self, ready):
        self.ready = ready
        self.next_ref = 1
        self.answers = {b"A": 0, b"J": 0, b"C": 0}
        self.log_on(1)

    def log_on(self, sequence):
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self.client = OuchClient(self.ready["ouch"], "alpha1", "rialto", sequence)
            try:
                self.client.login()
                self.client.sock.settimeout(PATIENCE_S)
                return
            except (RuntimeError, EOFError, ConnectionError, TimeoutError):
                assert time.monotonic() < deadline, "cannot log on"
                time.sleep(0.05)

    def burst(self):
        """Sends orders and takes as many answers."""
        for _ in range(BURST):
            self.client.enter(self.next_ref, b"B", 10, "ACME", 500_000 + 100 * (self.next_ref % 50), f"o{self.next_ref}")
            self.next_ref += 1
        self.take(BURST)

    def take(self, count):
        while count > 0:
            kind = self.client.message()[1][:1]
            if kind in self.answers:
                self.answers[kind] += 1
                count -= 1


def fill(path):
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 1 << 16, 1 << 12):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                pass


def main(folder):
    data, filler = folder / "data", folder / "filler"
    process, ready = up(data, "--segment-mb", "1", "--snapshot-every", "0", "--durability", "disk")
    member = Member(ready)
    member.burst()
    assert member.answers[b"A"] == BURST and takes(data, "everything")["room_problem"] is None
    # The reserve is made; behind it there is nothing.
    deadline = time.monotonic() + PATIENCE_S
    while len(list((data / "journal").glob("*.journal"))) < 3:
        assert time.monotonic() < deadline, "no reserve"
        time.sleep(0.05)
    fill(filler)

    while member.answers[b"J"] == 0:
        member.burst()
    status = takes(data, "cancels")
    assert "free room" in status["room_problem"], status
    accepted = member.answers[b"A"]
    member.client.cancel(1, 0)
    member.take(1)
    assert member.answers[b"C"] == 1, member.answers

    closed = False
    while not closed:
        try:
            member.burst()
        except (EOFError, OSError):
            closed = True
    takes(data, "nothing")
    assert member.answers[b"A"] == accepted, "orders were taken in the middle"

    filler.unlink()
    takes(data, "everything")
    refused = member.answers[b"J"]
    member.log_on(member.client.next_sequence)
    # What was not answered before the goodbye may have been refused: a later reference is new in any case.
    member.next_ref += BURST
    before = member.answers[b"A"]
    while member.answers[b"A"] < before + BURST:
        member.burst()
    ended = stop(process)
    report = verify(data)
    assert hashes(data) == (ended["last_seq"], ended["state_hash"], ended["event_hash"])
    tail = subprocess.run(
        [BINARY, "journal", "tail", str(data), "--from", "1", "-n", "10000000", "--json"],
        check=True, capture_output=True, text=True, timeout=PATIENCE_S * 5,
    ).stdout  # fmt: skip
    changes = tail.count('"command":"CancelOnly"')
    assert changes == 2, f"{changes} changes"
    print(f"{accepted} orders taken, {refused} refused while only cancels were, sessions closed, {report['records']} records whole")


if len(sys.argv) > 1:
    main(Path(sys.argv[1]))
else:
    with tempfile.TemporaryDirectory(prefix="rialto-room-") as place:
        mount = f'mount -t tmpfs -o size={DISK_MB}m tmpfs "$0" && exec "$1" "$2" "$0"'
        own = ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "-rm"]
        can = shutil.which("unshare") and subprocess.run(
            [*own, "sh", "-c", 'mount -t tmpfs -o size=1m tmpfs "$0"', place], capture_output=True
        )
        if not can or can.returncode != 0:
            print("SKIPPED: no mount namespace of its own is to be had here")
            sys.exit(77)
        sys.exit(subprocess.run([*own, "sh", "-c", mount, place, sys.executable, __file__]).returncode)
