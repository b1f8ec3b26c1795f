"""The real day: every row right twice over, the same hashes in a second ingest and in a replay under every layout, and
20 ingests killed at random moments whose journals are beginnings of the whole one."""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from exchange import BINARY, ask, hashes, kill, seeded, verify

LOBSTER = Path(os.environ["RIALTO_DATA"]) / "lobster"
ROWS = 147_916
KILLS = 20


def command(data):
    return [
        "ingest", "lobster", "--tape", LOBSTER / "GOOG_2012-06-21_10.tape.gz",
        "--book", LOBSTER / "LOBSTER_SampleFile_GOOG_2012-06-21_10.zip", "--levels", "10", "--data", data,
    ]  # fmt: skip


def main():
    moments = seeded()
    with tempfile.TemporaryDirectory(prefix="rialto-ingest-") as folder:
        whole = Path(folder) / "whole"
        first = ask(*command(whole))
        print(json.dumps(first))
        assert first["rows"] == first["rows_equal"] == first["subscriber_rows_equal"] == ROWS, first
        assert first["wrong_fills"] == first["crossing_adds"] == first["refused"] == 0, first
        second = ask(*command(Path(folder) / "second"))
        for key in ("last_seq", "state_hash", "event_hash", "commands", "events"):
            assert first[key] == second[key], key
        expected = (first["last_seq"], first["state_hash"], first["event_hash"])
        for layout in ("one", "two", "per-core", "auto"):
            replayed = ask("replay", whole, "--layout", layout)
            print(json.dumps(replayed))
            assert (replayed["last_seq"], replayed["state_hash"], replayed["event_hash"]) == expected, layout
        verify(whole)

        refused = subprocess.run([BINARY, *map(str, command(whole))], capture_output=True, text=True)
        assert refused.returncode != 0 and "not empty" in refused.stderr, refused.stderr

        lengths = []
        for number in range(KILLS):
            data = Path(folder) / f"killed{number}"
            process = subprocess.Popen([BINARY, *map(str, command(data))], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_for_journal(process, data)
            time.sleep(moments.random() * first["seconds"] * 0.8)
            kill(process)
            report = verify(data)
            lengths.append(report["last_seq"])
            if report["last_seq"] > 0:
                assert hashes(data) == hashes(whole, "--until", report["last_seq"]), f"journal {number} is no beginning"
        print(f"{KILLS} ingests killed, last_seq {sorted(lengths)}")
        assert any(0 < last < first["last_seq"] for last in lengths), "no kill came in the middle"


def wait_for_journal(process, data):
    deadline = time.monotonic() + 60
    while not (data / "journal").is_dir() and process.poll() is None:
        assert time.monotonic() < deadline, "no journal"
        time.sleep(0.002)


main()
