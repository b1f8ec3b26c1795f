"""A FIX session that a door canary moves to another process and back, over real sockets, its connection torn each time with
answers unread: every number of the day comes once, every order has its one acknowledgement."""

import json
import subprocess
import sys
import tempfile
import time

from exchange import BINARY, PATIENCE_S, ask, stop, until
from fix import FixClient
from served import serve

NAME = "MOVES"
ORDERS = 20


class Session:
    """One FIX session over as many connections as it takes."""

    def __init__(self, ready):
        self.ready, self.sent, self.wanted, self.orders = ready, 0, 1, 0
        self.acknowledged, self.again, self.client = {}, 0, None

    def take(self, message):
        number, kind = int(message.get(34)), message.get(35)
        if kind == b"8" and message.get(150) == b"0":
            order, execution = message.get(11), message.get(17)
            assert self.acknowledged.setdefault(order, execution) == execution, message
        if kind == b"4":
            self.wanted = max(self.wanted, int(message.get(36)))
        elif number == self.wanted:
            self.wanted += 1
        elif number < self.wanted:
            assert message.get(43) == b"Y", f"{number} came again: {message}"
        else:
            return number
        return None

    def come(self):
        """Logs on again, and asks for what it has missed."""
        while True:
            client = FixClient(self.ready, NAME)
            client.number = self.sent
            client.send("A", (98, 0), (108, 30), (141, "N"), (553, NAME), (554, "rialto"))
            try:
                message = client.receive()
                while message.get(35) != b"A":
                    assert message.get(35) != b"3", message
                    message = client.receive()
                break
            except (EOFError, OSError):
                time.sleep(0.05)  # the session's last connection is still on its way out
        self.client, self.sent = client, client.number
        missed = self.take(message)
        if missed is not None:
            self.again += missed - self.wanted
            client.send("2", (7, self.wanted), (16, 0))
            while self.wanted <= missed:
                message = client.receive()
                if int(message.get(34)) == missed and message.get(35) != b"4":
                    assert message.get(43) == b"Y", message
                self.take(message)
            self.sent = client.number

    def order(self, read=True):
        self.orders += 1
        self.client.order(f"o{self.orders}", 1, 100, "90.00")
        self.sent = self.client.number
        while read and f"o{self.orders}".encode() not in self.acknowledged:
            assert self.take(self.client.receive()) is None, "a gap on a connection that lives"

    def tear(self, data):
        """Sends orders and hangs up with their answers unread, once the stream has them."""
        before = ask("deploy", "status", "--data", data)["frontier"]
        for _ in range(ORDERS):
            self.order(read=False)
        until("the orders", lambda: ask("deploy", "status", "--data", data)["frontier"] >= before + ORDERS)
        self.client.sock.close()
        # Until its loss is known, the session is served, or refused, where it was.
        ups = lambda: sum(one["command"] == "SessionUp" for one in tail(data))
        losses = lambda: sum(one["command"] == "SessionLost" for one in tail(data))
        until("the session's loss", lambda: ups() == losses())
        time.sleep(0.2)


def tail(data):
    command = [BINARY, "journal", "tail", str(data), "--count", "100000", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def main():
    with tempfile.TemporaryDirectory(prefix="rialto-handover-") as folder:
        sessions = [(NAME, "fix", "cancel_on_disconnect = false")]
        process, ready, data = serve(folder, sessions, extra='[follow]\nlisten = "127.0.0.1:0"\n')
        place = ("--follow", ready["follow"], "--key", ready["follow_key"])
        door = subprocess.Popen([BINARY, "door", "--door", "fix", *place], stdout=subprocess.DEVNULL)
        try:
            status = lambda: ask("deploy", "door", "status", "--data", data)["candidate"]
            until("a door that takes sockets", lambda: (now := status()) and now["open"])
            member = Session(ready)
            for share, elsewhere in ((0, 0), (100, 1), (0, 0)):
                if member.orders:
                    act = ("share", str(share)) if share else ("back",)
                    ask("deploy", "door", *act, "--door", "fix", "--data", data)
                    member.tear(data)
                member.come()
                for _ in range(ORDERS):
                    member.order()
                assert status()["sessions_up"] == elsewhere, (share, status())
            assert len(member.acknowledged) == member.orders, (len(member.acknowledged), member.orders)
            assert len(set(member.acknowledged.values())) == member.orders, "an execution id twice"
            member.client.sock.close()
            ended = stop(process)
            assert door.wait(PATIENCE_S) == 0
            replayed = ask("replay", data)
            assert ended["state_hash"] == replayed["state_hash"]
            print(
                f"FIX: {member.orders} orders over 3 connections, to another process and back: up to number "
                f"{member.wanted - 1}, 0 gaps, 0 duplicates; {member.again} messages asked for again"
            )
        finally:
            door.kill()
            process.kill()


if __name__ == "__main__":
    sys.exit(main())
