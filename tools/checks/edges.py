"""Candidates of a door and of a feed with a prepared defect each, on one exchange under load: the correct one passes, each other
is stopped by itself, whom it served is served by the exchange again, and what was released is what the journal replays to. Of a
feed's defects only a wrong message without RIALTO_ALL: `tools/long/edges.sh` has all.

RIALTO_DEFECTS  a build with the feature `defects`     RIALTO_ALL   set: every defect, and RIALTO_RUNS (3) of those of cost
RIALTO_EDGE     door, fix or feed, and no other        RIALTO_GATE  set: a wrong verdict about cost or delay fails the run; otherwise
                                                                    it is printed as INCONCLUSIVE: others use this machine too"""

import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

from exchange import BINARY, PATIENCE_S, ask, seeded, stop, until
from fix import FixClient
from served import serve
from soup import OuchClient

DEFECTS = os.environ["RIALTO_DEFECTS"]
GATE, ALL = "RIALTO_GATE" in os.environ, "RIALTO_ALL" in os.environ
RUNS = int(os.environ.get("RIALTO_RUNS", "3")) if ALL else 1
ONLY = os.environ.get("RIALTO_EDGE")
SESSIONS = [f"d{n:02}" for n in range(8)]
RATE = 250
# What is stopped at once, and what is a matter of cost.
AT_ONCE = {"door": ["reject-code", "crash"], "fix": ["reject-code"], "feed": ["wrong", "gap", "stuck", "crash"] if ALL else ["wrong"]}
COST = {"door": ["slow", "correct"], "fix": [], "feed": ["dear", "late", "correct"] if ALL else ["correct"]}
MATTERS = ("dear", "late", "windows", "delays")


class Member(threading.Thread):
    """Orders that rest, and one in twenty that is refused. A connection that ends is made again, and all is told once more."""

    def __init__(self, ready, name, random):
        super().__init__(daemon=True)
        self.address, self.name, self.random = ready["ouch"], name, random
        self.running, self.user_ref, self.answered, self.again = True, 0, 0, 0

    def order(self):
        self.user_ref += 1
        price = 1_000_000 - int(self.random.random() * 50) * 100 + (7 if self.random.random() < 0.05 else 0)
        return struct.pack(
            ">HccIcI8sQccccc14sH",
            48, b"U", b"O", self.user_ref, b"B", 100, b"ACME".ljust(8), price, b"0", b"Y", b"P", b"N", b"N", b" " * 14, 0,
        )  # fmt: skip

    def read(self, client):
        try:
            while client.sock.recv(1 << 20):
                self.answered = time.monotonic()
        except OSError:
            pass
        client.ended = True

    def come(self):
        while self.running:
            try:
                client = OuchClient(self.address, self.name, "rialto", next_sequence=0)
                client.login()
            except (OSError, EOFError, RuntimeError):
                time.sleep(0.05)
                continue
            client.ended = False
            threading.Thread(target=self.read, args=(client,), daemon=True).start()
            return client
        return None

    def run(self):
        client = self.come()
        while self.running:
            try:
                if client.ended or self.again:
                    self.again = 0
                    client.sock.close()
                    client = self.come()
                    continue
                client.sock.sendall(self.order())
                time.sleep(1 / RATE)
            except OSError:
                client.ended = True


class FixMember(threading.Thread):
    """One whose orders are all refused: they are off their tick."""

    def __init__(self, ready, name):
        super().__init__(daemon=True)
        self.client, self.running, self.refused = FixClient(ready, name), True, 0
        self.client.log_on()

    def run(self):
        while self.running:
            self.client.order(f"f{self.refused}", 1, 100, "99.0007")
            self.client.expect("8", _39="8")
            self.refused += 1
            time.sleep(0.01)


def tail(ready, name, path):
    place = ("--via", "quic", "--mode", "full", "--quic", ready["quic"], "--cert", ready["quic_cert"])
    command = [BINARY, "md", "tail", *place, "--user", name, "--password", "rialto", "--json"]
    return subprocess.Popen(command, stdout=open(path, "w"), stderr=subprocess.DEVNULL)


def summary(process, path):
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 0, path
    return json.loads(path.read_text().splitlines()[-1])


def run(kind, defect, data, ready, members, folder):
    which = ("--door", "fix") if kind == "fix" else ()
    edge = "door" if kind == "fix" else kind
    status = lambda: ask("deploy", edge, "status", "--data", data)
    begun = time.monotonic()
    ask("deploy", edge, "start", "--data", data, "--build", DEFECTS, "--shares", "50", "--bake", "1s", *which,
        f"--{edge}-arg=--defect", f"--{edge}-arg={defect}")  # fmt: skip
    until("a share", lambda: status()["run"]["phase"] != "starting")
    tails = []
    if kind == "feed":
        tails = [(tail(ready, name, path), path) for name in SESSIONS if (path := folder / f"{defect}-{name}")]
    elif kind == "door":
        for member in members:
            member.again = 1
    ended = until("the end of the run", lambda: (now := status())["run"]["phase"] != "baking" and now["verdict"] and now)
    seconds = time.monotonic() - begun
    # Whom it served comes again to the exchange, and is answered.
    ask("deploy", edge, "back", "--data", data, *which)
    until("both gone", lambda: (now := status())["candidate"] is None and now["baseline"] is None)
    after = time.monotonic()
    until("everybody served", lambda: all(member.answered > after for member in members))
    lasts = []
    if tails:
        number = ask("deploy", "status", "--data", data)["frontier"]
        time.sleep(0.2 if defect not in ("stuck", "crash") else 5)
        told = [summary(*one) for one in tails]
        lasts = [one["last_seq"] for one in told]
        assert max(lasts) - min(lasts) < max(4 * RATE * len(members), number // 2), (defect, lasts)
    verdict, phase = ended["verdict"], ended["run"]["phase"]
    back = verdict.get("back") or {}
    affected = back.get("affected") or {"sessions": [], "more_sessions": 0, "instruments": [], "after": 0, "up_to": 0}
    print(
        f"{kind} {defect}: {phase} after {seconds:.1f} s; {verdict['why']}; windows {verdict['windows']}; "
        f"compared {verdict.get('compared', ended.get('compared'))}; first wrong {verdict.get('first_wrong')}; "
        f"back in {back.get('ms', 0):.1f} ms; affected {len(affected['sessions']) + affected['more_sessions']} on "
        f"{len(affected['instruments'])} instruments between {affected['after']} and {affected['up_to']}",
        flush=True,
    )
    return phase, verdict


def main():
    random = seeded()
    wrong = []
    with tempfile.TemporaryDirectory(prefix="rialto-edges-") as folder:
        from pathlib import Path

        more = ("orders_per_second = 1000000", "orders_burst = 1000000", "cancel_on_disconnect = true")
        extra = '[follow]\nlisten = "127.0.0.1:0"\n[quic]\nlisten = "127.0.0.1:0"\n'
        sessions = [(name, "ouch", *more) for name in SESSIONS] + [("F00", "fix", *more)]
        process, ready, data = serve(folder, sessions, extra=extra)
        members = [Member(ready, name, random) for name in SESSIONS]
        fix = FixMember(ready, "F00")
        try:
            for member in [*members, fix]:
                member.start()
            for kind in [kind for kind in ("door", "fix", "feed") if ONLY in (None, kind)]:
                for defect in AT_ONCE[kind] + COST[kind] * RUNS:
                    phase, verdict = run(kind, defect, data, ready, members, Path(folder))
                    wanted = "passed" if defect == "correct" else "stopped"
                    if phase == wanted:
                        continue
                    said = f"{kind} {defect}: {phase}, not {wanted}: {verdict['why']}"
                    matter = defect in COST[kind] and (wanted == "stopped" or any(word in verdict["why"] for word in MATTERS))
                    if matter and not GATE:
                        print(f"INCONCLUSIVE: {said}")
                    else:
                        wrong.append(said)
            for member in [*members, fix]:
                member.running = False
            for member in [*members, fix]:
                member.join(PATIENCE_S)
            assert fix.refused, "nothing was refused by FIX"
            ended = stop(process)
            replayed = ask("replay", data)
            for name in ("state_hash", "event_hash"):
                assert ended[name] == replayed[name], (name, ended, replayed)
        finally:
            for member in [*members, fix]:
                member.running = False
            process.kill()
    assert not wrong, wrong


if __name__ == "__main__":
    sys.exit(main())
