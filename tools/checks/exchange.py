"""What the checks share: starting, killing and asking the exchange."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "foreign"))
BINARY = os.environ["RIALTO_BIN"]
DAY = "2026-06-22"
PATIENCE_S = 120


def seeded():
    seed = int(os.environ.get("RIALTO_SEED", "1"))
    print(f"seed {seed} (RIALTO_SEED)", flush=True)
    return random.Random(seed)


def up(data, *options, day=DAY, agents=0):
    """Starts `rialto up` and waits until it is ready."""
    command = [BINARY, "up", "--json", "--data", str(data), "--agents", str(agents), "--trading-day", day, *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    assert line, f"no ready line, exit code {process.wait(PATIENCE_S)}"
    return process, json.loads(line)


def until(what, condition):
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited for {what} in vain"
        time.sleep(0.05)
    return found


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE_S)


def stop(process):
    """Asks it to end in good order; returns its last words."""
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, f"exit code {process.returncode}"
    last = json.loads(out.splitlines()[-1])
    assert last["stopped"] is True
    return last


def ask(*arguments):
    """Runs a command with --json and returns its object."""
    done = subprocess.run([BINARY, *map(str, arguments), "--json"], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, f"{arguments}: exit code {done.returncode}: {done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])


def verify(data):
    report = ask("journal", "verify", data)
    assert report["gaps"] == 0 and report["duplicates"] == 0 and report["damage"] is None, report
    assert report["records"] == report["last_seq"], report
    return report


def hashes(data, *options):
    replayed = ask("replay", data, *options)
    return replayed["last_seq"], replayed["state_hash"], replayed["event_hash"]
