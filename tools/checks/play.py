"""A small recorded day is played step by step while another member trades in it: each trade with it is told with what it
rests on, the rest goes as recorded, and the journal replays to the same hashes. Then the beginning of a real day at full
speed, without company: every recorded trade meets the recorded order. The same of a day in ITCH, which `up` plays by the name of
its file alone. Then under the policy tape, beside somebody who takes whatever there is: what the day traded is traded as
recorded, and nobody else has any of it."""

import json
import os
import select
import signal
import subprocess
import tempfile
import threading
import urllib.request
from collections import Counter
from datetime import date
from pathlib import Path

from exchange import BINARY, PATIENCE_S, ask, hashes, stop, until, up, verify
from itch_day import recorded, write
from soup import OuchClient

TAPE = """\
A t1 1 1000000 100
= 1
A t2 -1 1001000 100
= 2
M 1 1001000 40 t2
= 3
M -1 1000000 30 t1
= 4
X t1 20
= 5
D t2
= 6
"""
REAL = Path(os.environ["RIALTO_DATA"]) / "lobster" / "GOOG_2012-06-21_10.tape.gz"


def play(ready, tape, speed, *symbol, **options):
    command = [BINARY, "play", "--tape", str(tape), "--speed", speed, "--ouch", ready["ouch"]]
    command += ["--user", "alpha1", "--password", "rialto", *symbol, "--json"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)


def acme(ready):
    with urllib.request.urlopen(f"http://{ready['http']}/api/v1/picture", timeout=PATIENCE_S) as answer:
        known = {one["symbol"]: one for one in json.load(answer)["instruments"]}
    return known.get("ACME", {"bids": [], "asks": []})


def order(ready, *terms):
    return ask("order", "--ouch", ready["ouch"], "--user", "beta1", "--password", "rialto", *terms)


def step(player, rows):
    player.stdin.write(f"{rows}\n")
    player.stdin.flush()


def in_company(folder):
    data, tape = folder / "data", folder / "day.tape"
    tape.write_text(TAPE)
    process, ready = up(data)

    player = play(ready, tape, "step", "--symbol", "ACME")
    step(player, 2)
    until("both orders of the tape", lambda: acme(ready)["bids"] and acme(ready)["asks"])
    order(ready, "buy", 10, "ACME", "--price", "100.10")
    order(ready, "buy", 100, "ACME", "--price", "100.05")
    until("the better bid", lambda: acme(ready)["bids"][0][0] == 1_000_500)
    step(player, 4)
    out, _ = player.communicate(timeout=PATIENCE_S)
    assert player.returncode == 0, out
    *meetings, summary = map(json.loads, out.splitlines())
    told = [(m["row"], m["shares"], m["price"], m["other"]) for m in meetings]
    assert told == [(2, 10, 1_001_000, "took"), (4, 30, 1_000_500, "rested")], meetings
    assert all(m["rests_on"] for m in meetings)
    counts = {"rows": 6, "trades_as_recorded": 1, "trades_with_company": 2, "shares_with_company": 40, "takes_short": 0}
    assert counts.items() <= summary.items(), summary
    last = stop(process)
    verify(data)
    assert hashes(data) == (last["last_seq"], last["state_hash"], last["event_hash"])
    print(f"in company: {told}, {summary['trades_as_recorded']} as recorded")


def alone(folder):
    if not REAL.exists():
        print(f"SKIPPED: the real day: {REAL} is absent")
        return
    process, ready = up(folder / "data")
    player = play(ready, REAL, "max", "--symbol", "ACME")
    out, _ = player.communicate(timeout=PATIENCE_S)
    assert player.returncode == 0, out
    summary = json.loads(out.splitlines()[-1])
    wrong = ("trades_rearranged", "trades_with_company", "takes_short", "refused")
    assert summary["rows"] == 147_916 and all(summary[name] == 0 for name in wrong), summary
    stop(process)
    print(f"a real day, alone: {summary}")


def hosted(folder):
    """`up` plays the day itself; it says in the end what the day came to."""
    tape = folder / "DAYS_2012-06-21_10.tape"
    tape.write_text(TAPE)
    process, _ = up(folder / "data", "--with-me", str(tape), "--speed", "max", "--seconds", "5")
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, out
    summary, stopped = map(json.loads, out.splitlines()[-2:])
    assert summary["rows"] == 6 and summary["trades_as_recorded"] == 2 and stopped["stopped"], out
    print(f"hosted: {summary}")


def itch(folder):
    # A day of its own times.
    process, ready = up(folder / "first", agents=6, day=date.today().isoformat())
    messages = recorded(ready, 2_500)
    stop(process)
    day = write(folder / "day.itch.gz", messages)
    changes = sum(message[:1] in b"AFECXDU" for message in messages)
    executed = sum(message[:1] == b"E" for message in messages)

    # Without company it goes as recorded.
    process, ready = up(folder / "second")
    out, _ = play(ready, day, "max").communicate(timeout=PATIENCE_S)
    summary = json.loads(out.splitlines()[-1])
    stop(process)
    wrong = ("trades_rearranged", "trades_with_company", "takes_short", "refused")
    assert summary["rows"] == changes and all(summary[name] == 0 for name in wrong), (summary, changes)
    assert summary["trades_as_recorded"] == executed > 20, (summary, executed)

    # One of its instruments, at the pace of the day, with an order of somebody else.
    process, ready = up(folder / "third", "--scenario", f"day:{day}", "--day-symbol", "BOLT", "--speed", "0.5")

    def bought():
        door = ("--ouch", ready["ouch"], "--user", "beta1", "--password", "rialto")
        return ask("order", *door, "buy", 10, "BOLT", "--price", "100.00", "--tif", "ioc")["event"] == "executed"

    until("the day to have something to sell", bought)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, out
    *meetings, summary, stopped = map(json.loads, out.splitlines())
    assert meetings[0]["shares"] == 10 and meetings[0]["other"] == "took" and meetings[0]["rests_on"], out
    assert summary["shares_with_company"] == 10 and stopped["stopped"], out
    assert hashes(folder / "third") == (stopped["last_seq"], stopped["state_hash"], stopped["event_hash"])

    done = subprocess.run(
        [BINARY, "up", "--scenario", f"day:{day}", "--day-symbol", "NONE", "--data", str(folder / "fourth")],
        capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode != 0 and "does not name NONE" in done.stderr, done
    print(f"an ITCH day: {changes} rows, {executed} trades as recorded, and one in company")


def kept_apart(folder):
    """A small day under the policy tape, then the first rows of the real one with an eager buyer and an eager seller."""
    tape = folder / "KEPT_2012-06-21_10.tape"
    # t1 trades 30 of its 100 shares, t2 all of them; t3 and t4 come across the other side's quotes and are taken back.
    tape.write_text(
        "A t1 1 1000000 100\n= 1\nA t2 -1 1001000 40\n= 2\nM 1 1001000 40 t2\n= 3\nM -1 1000000 30 t1\n= 4\n"
        "X t1 20\n= 5\nA t3 -1 1000500 60\n= 6\nD t3\n= 7\nD t1\n= 8\n"
    )
    process, ready = up(folder / "data", "--with-me", str(tape), "--policy", "tape", "--speed", "max", "--seconds", "5")
    out, _ = process.communicate(timeout=PATIENCE_S)
    summary, _ = map(json.loads, out.splitlines()[-2:])
    counts = {"policy": "tape", "rows": 8, "trades_as_recorded": 2, "trades_rearranged": 0, "takes_short": 0, "kept_broken": 0}
    assert counts.items() <= summary.items() and summary["refused"] == 0, summary

    # An instrument whose rules keep nothing apart refuses it, and the mend is named; then it is mended.
    data = folder / "plain"
    process, ready = up(data)
    player = play(ready, tape, "max", "--symbol", "ACME", "--policy", "tape", stderr=subprocess.PIPE)
    _, error = player.communicate(timeout=PATIENCE_S)
    assert player.returncode != 0 and "rialto operate rules ACME" in error, error
    stop(process)

    # An order that rests is met by what nobody will trade with.
    process, ready = up(folder / "small")
    ask("operate", "rules", "ACME", '{"self_trade":"Apart"}', "--data", folder / "small")
    player = play(ready, tape, "step", "--symbol", "ACME", "--policy", "tape")
    step(player, 5)
    until("what is left of the bid", lambda: acme(ready)["bids"] and acme(ready)["bids"][0][1] == 50)
    order(ready, "buy", 10, "ACME", "--price", "100.10")
    until("the better bid", lambda: acme(ready)["bids"][0][0] == 1_001_000)
    step(player, 3)
    out, _ = player.communicate(timeout=PATIENCE_S)
    stop(process)
    assert player.returncode == 0, out
    meeting, summary = map(json.loads, out.splitlines())
    assert (meeting["row"], meeting["shares"], meeting["price"], meeting["other"]) == (6, 10, 1_001_000, "rested"), meeting
    assert "nobody traded with these shares" in meeting["rests_on"] and counts.items() <= summary.items(), out
    if not REAL.exists():
        print(f"SKIPPED: the real day under the policy tape: {REAL} is absent")
        return

    data = folder / "real"
    process, ready = up(data)
    ask("operate", "rules", "ACME", '{"self_trade":"Apart"}', "--data", data)
    clients = [OuchClient(ready["ouch"], user, "rialto") for user in ("beta1", "beta2")]
    for client in clients:
        client.login()
        client.sock.setblocking(False)
    player = play(ready, REAL, "max", "--symbol", "ACME", "--policy", "tape")
    told = []
    reader = threading.Thread(target=lambda: told.extend(player.stdout))
    reader.start()
    orders = 0
    while player.poll() is None:
        orders += 1
        for client, side, price in zip(clients, (b"B", b"S"), (6_000_000, 5_500_000)):
            client.enter(orders, side, 10, "ACME", price, "", b"3" if orders % 2 else b"0")
            if select.select([client.sock], [], [], 0.005)[0]:
                client.sock.recv(1 << 20)
    reader.join()
    assert player.returncode == 0, told[-1:]
    last = stop(process)
    *meetings, summary = map(json.loads, told)
    wrong = ("trades_rearranged", "takes_short", "refused", "kept_broken")
    assert summary["rows"] == 147_916 and all(summary[name] == 0 for name in wrong), summary
    assert summary["trades_as_recorded"] > 1_000 and len(meetings) == summary["trades_with_company"] > 10, summary
    others = Counter(one["other"] for one in meetings)
    assert all("nobody traded with these shares" in one["rests_on"] for one in meetings), meetings
    assert hashes(data) == (last["last_seq"], last["state_hash"], last["event_hash"])
    print(f"a real day kept apart from {2 * orders} orders of company, {dict(others)}: {summary}")


def main():
    for part in (in_company, alone, hosted, itch, kept_apart):
        with tempfile.TemporaryDirectory(prefix="rialto-play-") as folder:
            part(Path(folder))


main()
