"""The Python client: mypy has nothing to say, golden bytes give what the specification says, broken ones are told, and
every example runs against an exchange."""

import os
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

from exchange import PATIENCE_S, ask, stop, up

PACKAGE = Path(__file__).parent.parent / "python"
sys.path.insert(0, str(PACKAGE))

from rialto import Gateway, Refused  # noqa: E402
from rialto.conflated import _LEVEL, _UPDATE, Books, Broken, checksum  # noqa: E402

EXAMPLES = PACKAGE / "examples"


def update(first, last, told, *levels):
    packed = b"".join(_LEVEL.pack(*level) for level in levels)
    return _UPDATE.pack(b"U", 0, 1, first, last, told, len(levels)) + packed


def books_are_verified():
    golden = 0x0ADAE0AF318A2381
    assert checksum({(b"B", 1_850_000): 300}) == golden
    assert checksum({}) == 0
    books = Books()
    (book,) = books.take(update(1, 7, golden, (b"B", 1_850_000, 300)))
    assert (book.last, book.bids, book.asks) == (7, ((Decimal("185.0000"), 300),), ()), book
    for broken in (update(9, 10, golden), update(8, 10, golden + 1), update(8, 7, golden)):
        # What is broken is told of each time, for nothing of it was taken.
        fresh = Books()
        list(fresh.take(update(1, 7, golden, (b"B", 1_850_000, 300))))
        try:
            list(fresh.take(broken))
        except Broken:
            continue
        raise AssertionError(f"{broken} was believed")


def until_the_desk_answers(gateway):
    """And a market has moved: the examples look back on it."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        assert time.monotonic() < deadline, "the desk did not open, or the market did not move"
        try:
            gateway.cancel(gateway.buy("ACME", 100, Decimal("1.00")))
            if gateway.picture().seq > 100:
                return
        except Refused as refused:
            assert refused.status == 503, refused
        time.sleep(0.05)


def run(*args):
    command = [sys.executable, *map(str, args)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, env={**os.environ, "PYTHONPATH": str(PACKAGE)}
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def main():
    examples = sorted(EXAMPLES.glob("*.py"))
    types = subprocess.run([sys.executable, "-m", "mypy", "--cache-dir=/dev/null", "rialto", *examples], cwd=PACKAGE, capture_output=True, text=True)
    assert types.returncode == 0, types.stdout
    books_are_verified()
    with tempfile.TemporaryDirectory(prefix="rialto-python-") as folder:
        process, ready = up(Path(folder) / "data", agents=4)
        console, quic = ready["console"], ready["quic"]
        until_the_desk_answers(Gateway(console))
        key = ask("member", "key", "add", "pia", "--firm", "1", "--role", "trader", "--data", ready["data"])
        arguments = {
            "ladder.py": (console, 5),
            "member.py": (ready["gateways"][0], "pia", key["secret"]),
            "order.py": (console,),
            "rewind.py": (console, "ACME"),
            "quic_book.py": (quic, ready["quic_cert"], 20),
        }
        assert set(arguments) == {example.name for example in examples}, "an example that is not run here"
        said = {name: run(EXAMPLES / name, *args) for name, args in arguments.items()}
        stop(process)
    assert "live, 100 open" in said["order.py"] and "cancelled" in said["order.py"] and "refused: " in said["order.py"]
    told = [line.split(": ")[1].split()[0] for line in said["member.py"].splitlines() if line[:1].isdigit() and ": " in line]
    assert told[:3] == ["accepted", "replaced", "cancelled"] and "refused: " in said["member.py"], said["member.py"]
    assert len(said["rewind.py"].splitlines()) == 10 and "hash None" not in said["rewind.py"]
    assert said["ladder.py"].count("ACME") == 5 and said["quic_book.py"].count("ACME") >= 20
    print(f"{types.stdout.strip()}; {len(examples)} examples ran")


main()
