"""A recorded stream has one pair of hashes: as it was live, and replayed under every layout, in three time zones, by a
process whose clock is ten years ahead, written again in other blocks and segments, from a snapshot, and by a debug and a
release build."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from exchange import BINARY, PATIENCE_S, ask, stop, up

ROOT = Path(__file__).resolve().parent.parent.parent
TEN_YEARS_S = 315_576_000
SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(id, at);
    if (done == 0 && id == CLOCK_REALTIME) at->tv_sec += 315576000;
    return done;
}
"""


def replayed(binary, data, *options, **environment):
    done = subprocess.run(
        [binary, "replay", str(data), "--json", *options],
        env={**os.environ, **environment}, check=True, capture_output=True, text=True, timeout=PATIENCE_S * 5,
    )  # fmt: skip
    found = json.loads(done.stdout)
    return found["last_seq"], found["state_hash"], found["event_hash"]


def ahead(folder):
    """A library that sets the wall clock of who loads it ten years ahead, seen to do so."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    (folder / "ahead.c").write_text(SHIM)
    library = folder / "ahead.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, folder / "ahead.c", "-ldl"], check=True)
    data = folder / "ahead"
    process = subprocess.Popen(
        [BINARY, "up", "--json", "--agents", "0", "--data", str(data)],
        env={**os.environ, "LD_PRELOAD": str(library)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline()
    stop(process)
    tail = subprocess.run(
        [BINARY, "journal", "tail", str(data), "--json", "-n", "1"], check=True, capture_output=True, text=True
    ).stdout
    stamped = json.loads(tail)["stamp"] / 1e9 - time.time()
    assert abs(stamped - TEN_YEARS_S) < 86_400, f"the clock is {stamped} s ahead"
    return library


def main():
    with tempfile.TemporaryDirectory(prefix="rialto-equality-") as folder:
        folder = Path(folder)
        data = folder / "data"
        process, _ = up(data, "--snapshot-every", "0", agents=6)
        time.sleep(3)
        ended = stop(process)
        expected = ended["last_seq"], ended["state_hash"], ended["event_hash"]
        ways = 0
        for layout in ("one", "two", "per-core", "auto"):
            assert replayed(BINARY, data, "--layout", layout) == expected, layout
            ways += 1
        for zone in ("UTC", "Asia/Kolkata", "America/Los_Angeles"):
            assert replayed(BINARY, data, TZ=zone) == expected, zone
            ways += 1
        library = ahead(folder)
        if library is None:
            print("SKIPPED: the clock ten years ahead, there is no cc")
        else:
            assert replayed(BINARY, data, LD_PRELOAD=str(library)) == expected, "ten years ahead"
            ways += 1
        # Another process writes it again, as full as its blocks get; batches of 1, 7 and 4,096 are replay/replay's own test.
        written = ask("fork", data, "--at", expected[0], "--into", folder / "again")
        assert (written["last_seq"], written["state_hash"], written["event_hash"]) == expected, written
        assert replayed(BINARY, folder / "again") == expected, "other blocks"
        ways += 1
        before = ask("at", expected[0], "stats", "--data", data)
        ask("snapshot", "take", data)
        after = ask("at", expected[0], "stats", "--data", data)
        assert [one["state_hash"] for one in (before, after)] == [expected[1]] * 2, (before, after)
        assert [one["event_hash"] for one in (before, after)] == [expected[2]] * 2, (before, after)
        ways += 1
        builds = [ROOT / "target" / kind / "rialto" for kind in ("debug", "release")]
        for build in builds:
            if build.exists():
                assert replayed(build, data) == expected, build
                ways += 1
            else:
                print(f"SKIPPED: there is no {build}")
        print(f"{ways} replays of {expected[0]} commands: state {expected[1]}, events {expected[2]}")


main()
