"""RIALTO_CONNECTIONS (100) OUCH members with an order a second each for RIALTO_SECONDS (5), and one at full speed beside them:
every order is acknowledged, none refused. States the exchange's memory."""

import os
import struct
import tempfile
import threading
import time
from pathlib import Path

from exchange import stop
from served import serve
from soup import OuchClient

CONNECTIONS = int(os.environ.get("RIALTO_CONNECTIONS", "100"))
SECONDS = int(os.environ.get("RIALTO_SECONDS", "5"))
WINDOW = 64


def log_on(address, user):
    client = OuchClient(address, user, "rialto")
    client.login()
    return client


def resident_mb(process):
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) // 1024
    return 0


def full_speed(client, until, result):
    sent = acknowledged = 0
    while time.monotonic() < until or acknowledged < sent:
        while sent - acknowledged < WINDOW and time.monotonic() < until:
            sent += 1
            client.enter(sent, b"B", 1, "ACME", 1_000_000, "")
        kind = client.message()[1][:1]
        acknowledged += kind == b"A"
        assert kind in b"AS", kind
    result.append(acknowledged)


def main():
    names = [f"m{number:05}" for number in range(CONNECTIONS)]
    with tempfile.TemporaryDirectory(prefix="rialto-many-") as folder:
        sessions = [(name, "ouch") for name in [*names, "fast"]]
        process, ready, _ = serve(folder, sessions, extra=f"connections_max = {CONNECTIONS + 16}")
        try:
            clients = [log_on(ready["ouch"], name) for name in names]
            fast = log_on(ready["ouch"], "fast")
            begun = time.monotonic()
            result = []
            thread = threading.Thread(target=full_speed, args=(fast, begun + SECONDS, result))
            thread.start()
            for second in range(1, SECONDS + 1):
                for client in clients:
                    client.enter(second, b"S", 1, "ACME", 1_100_000, "")
                time.sleep(max(0, begun + second - time.monotonic()))
            thread.join()
            for client in clients:
                refs = set()
                while len(refs) < SECONDS:
                    message = client.message()[1]
                    assert message[:1] in b"AS", f"{client}: {message!r}"
                    if message[:1] == b"A":
                        refs.add(struct.unpack_from(">I", message, 9)[0])
                assert refs == set(range(1, SECONDS + 1))
            memory = resident_mb(process)
            stop(process)
        finally:
            process.kill()
    print(
        f"{CONNECTIONS} connections, {CONNECTIONS * SECONDS} orders acknowledged beside {result[0]} of the fast one; "
        f"{memory} MB resident"
    )


if __name__ == "__main__":
    main()
