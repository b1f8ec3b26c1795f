"""Two who would write one journal. The second is refused. One that is stopped (SIGSTOP), loses its lock and is taken over
wakes and can neither extend the stream nor tell anybody anything: no answer at its door, no message on its feed, no
command to its follower; it ends and says why."""

import json
import signal
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path

from exchange import BINARY, DAY, PATIENCE_S, hashes, stop, verify
from soup import OuchClient


def up(data, *options):
    command = [BINARY, "up", "--json", "--data", str(data), "--agents", "0", "--trading-day", DAY, *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    return process, json.loads(line) if line else None


def log_on(ready, next_sequence=1):
    deadline = time.monotonic() + PATIENCE_S
    while True:
        client = OuchClient(ready["ouch"], "alpha1", "rialto", next_sequence)
        try:
            client.login()
            client.sock.settimeout(PATIENCE_S)
            return client
        except (RuntimeError, EOFError, ConnectionError):
            assert time.monotonic() < deadline, "cannot log on"
            time.sleep(0.05)


class Line:
    """The feed's line A: the highest message number that was ever sent."""

    def __init__(self, address):
        group, port = address.rsplit(":", 1)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((group, int(port)))
        member = socket.inet_aton(group) + socket.inet_aton("127.0.0.1")
        self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        self.sock.setblocking(False)
        self.next = 0

    def drain(self):
        while True:
            try:
                packet = self.sock.recv(65536)
            except BlockingIOError:
                return self.next
            number, count = struct.unpack_from(">QH", packet, 10)  # behind the session
            # A heartbeat (0) and the end of the session (65535) state the next number and hold nothing.
            self.next = max(self.next, number + (count if count != 0xFFFF else 0))


def pass_to(client, kind):
    while client.message()[1][:1] != kind:
        pass


def answers_left(client):
    """What still comes, until the connection ends."""
    came = []
    try:
        while True:
            came.append(client.message())
    except (EOFError, OSError, struct.error):
        return came


def one(folder, durability):
    data = Path(folder) / durability
    old, ready = up(data, "--durability", durability, "--follow-listen", "127.0.0.1:0")
    follower = subprocess.Popen(
        [BINARY, "follow", ready["follow"], "--key", ready["follow_key"], "--json", "--every", "0.05", "--seconds", "600"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    client = log_on(ready)
    line = Line(ready["mold_a"])
    client.enter(1, b"B", 5, "ACME", 1_000_000, "before")
    client.expect(b"A")

    second, nothing = up(data)
    assert nothing is None and second.wait(PATIENCE_S) != 0
    said = second.stderr.read()
    assert "in use by another process" in said and str(old.pid) in said, said

    old.send_signal(signal.SIGSTOP)
    time.sleep(0.5)
    before = line.drain()
    told = verify(data)["last_seq"]
    # It will find this in its sockets when it wakes.
    client.enter(2, b"B", 7, "ACME", 1_000_000, "in vain")
    # The lock service has lost its memory: the kernel itself would keep the lock for a stopped process.
    (data / "journal" / "lock").unlink()
    new, new_ready = up(data, "--durability", durability)
    assert new_ready is not None, new.stderr.read()
    other = log_on(new_ready)
    other.enter(2, b"S", 5, "ACME", 1_000_000, "after")
    pass_to(other, b"E")

    old.send_signal(signal.SIGCONT)
    came = answers_left(client)
    assert came == [], f"a fenced writer answered {came}"
    out, said = old.communicate(timeout=PATIENCE_S)
    assert old.returncode not in (0, None) and "fenced off" in said, (old.returncode, said)
    assert '"stopped"' not in out, out
    after = line.drain()
    assert after == before, f"a fenced writer sent messages {before} to {after} on its feed"
    follower.send_signal(signal.SIGINT)
    lines = [json.loads(text) for text in follower.communicate(timeout=PATIENCE_S)[0].splitlines()]
    most = max((one.get("seq", 0) for one in lines), default=0)
    assert most <= told, f"a fenced writer told its follower of {most}, {told} were written"

    other.enter(3, b"B", 1, "ACME", 1_000_000, "goes on")
    pass_to(other, b"A")
    ended = stop(new)
    report = verify(data)
    assert hashes(data) == (ended["last_seq"], ended["state_hash"], ended["event_hash"])
    commands = subprocess.run(
        [BINARY, "journal", "tail", str(data), "--from", "1", "-n", "100000", "--json"],
        check=True, capture_output=True, text=True, timeout=PATIENCE_S,
    ).stdout  # fmt: skip
    assert "after" in commands and "in vain" not in commands
    print(f"{durability}: second writer refused; woken writer released nothing and ended: {said.strip().splitlines()[-1]}")
    return report


def main():
    with tempfile.TemporaryDirectory(prefix="rialto-fence-") as folder:
        for durability in ("memory", "disk"):
            one(folder, durability)


main()
