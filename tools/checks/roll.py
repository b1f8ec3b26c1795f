"""Two trading days in one journal: a GTC order is carried, a DAY order expires once, though the exchange is killed over
and over while it rolls."""

import json
import struct
import subprocess
import tempfile
import time
from pathlib import Path

from exchange import BINARY, DAY, PATIENCE_S, ask, hashes, kill, seeded, stop, up, verify
from fix import FixClient
from soup import OuchClient

NEXT_DAY = "2026-06-23"
KILLS = 15


def main():
    moments = seeded()
    with tempfile.TemporaryDirectory(prefix="rialto-roll-") as folder:
        data = Path(folder) / "data"
        process, ready = up(data)
        enter_two(ready)
        kill(process)
        cut_short = 0
        for _ in range(KILLS):
            command = [BINARY, "up", "--json", "--data", str(data), "--agents", "0", "--trading-day", NEXT_DAY]
            rolling = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            time.sleep(moments.random() * 0.06)
            kill(rolling)
            verify(data)
            cut_short += day_of(data) == DAY
        process, ready = up(data, day=NEXT_DAY)
        check_carried(ready)
        ended = stop(process)
        verify(data)
        assert hashes(data) == (ended["last_seq"], ended["state_hash"], ended["event_hash"])
        commands = tail(data)
        assert [c for c in commands if c in ("StartOfDay", "EndOfDay")] == ["StartOfDay", "EndOfDay", "StartOfDay"], commands
        print(f"{KILLS} kills around the roll, {cut_short} of them before it; two days, last_seq {ended['last_seq']}")


def day_of(data):
    return ask("replay", data)["trading_day"]


def tail(data):
    out = subprocess.run(
        [BINARY, "journal", "tail", str(data), "--from", "1", "-n", "1000000", "--json"],
        check=True, capture_output=True, text=True, timeout=PATIENCE_S,
    ).stdout  # fmt: skip
    return [json.loads(line)["command"] for line in out.splitlines()]


def enter_two(ready):
    """A DAY order to sell at 100.00 and a GTC order at 101.00, by FIX: OUCH 5.0 has no GTC."""
    client = FixClient(ready, "ALPHA")
    client.log_on()
    client.order("day", 2, 100, "100.00", tif=0)
    client.order("gtc", 2, 200, "101.00", tif=1)
    client.expect("8", _150=0, _11="day")
    client.expect("8", _150=0, _11="gtc")
    # The connection stays open: its loss is what the next start has to say first.


def check_carried(ready):
    """On the next day only the carried order is there to trade with."""
    client = OuchClient(ready["ouch"], "beta1", "rialto")
    client.login()
    client.enter(1, b"B", 300, "ACME", 1_020_000, "take", tif=b"3")
    client.expect(b"A")
    executed = client.expect(b"E")
    quantity, price = struct.unpack_from(">IQ", executed, 13)
    assert (quantity, price) == (200, 1_010_000), executed
    canceled = client.expect(b"C")
    assert struct.unpack_from(">I", canceled, 13)[0] == 100, canceled


main()
