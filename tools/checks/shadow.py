"""What a second engine that is only compared costs the exchange: CPU of its threads for an order, without and with it in turn,
under one load. A number to read, not a bound.

RIALTO_RATE     orders a second (4000)"""

import tempfile
import time
from pathlib import Path
from statistics import median

from canary import Load, open_exchange
from cutover import agrees, engine
from exchange import BINARY, seeded, stop

PAIRS, WINDOW_S = 4, 3


def cpu(process):
    """Nanoseconds of each thread by name."""
    used = {}
    for task in Path(f"/proc/{process.pid}/task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
            used[name] = used.get(name, 0) + int((task / "schedstat").read_text().split()[0])
        except OSError:
            continue
    return used


def window(process, load):
    before, sent = cpu(process), load.sent
    time.sleep(WINDOW_S)
    after, orders = cpu(process), load.sent - sent
    return {name: (after[name] - before.get(name, 0)) / orders for name in after}


def main():
    random = seeded()
    with tempfile.TemporaryDirectory(prefix="rialto-shadow-") as folder:
        process, ready, data = open_exchange(folder)
        try:
            load = Load(ready["ouch"], "load", random)
            load.start()
            time.sleep(2)
            off, on = [], []
            for _ in range(PAIRS):
                off.append(window(process, load))
                green = engine(BINARY, ready)
                agrees(data)
                on.append(window(process, load))
                green.kill()
                green.wait(30)
            load.running = False
            time.sleep(0.3)
            stop(process)
        finally:
            process.kill()
    for name in ("match", "fan-out"):
        one, two = (median(w.get(name, 0) for w in all) for all in (off, on))
        if one:
            print(f"{name}: {one:.0f} ns an order without, {two:.0f} ns with a second engine compared: {100 * (two / one - 1):+.1f} %")


if __name__ == "__main__":
    main()
