"""The page while the exchange publishes at least 20,000 feed messages a second: how far the command that it shows is behind the
exchange's, and whether it grows. A check of the console uses a short form of it; RIALTO_SECONDS makes it as long as wanted.

Growth is judged by what is reachable: the heap behind a forced collection, DOM nodes and listeners."""

import os
import struct
import tempfile
import threading
import time
from pathlib import Path

from chromium import Page, chromium, errors
from console import request
from exchange import PATIENCE_S, stop, until, up
from soup import OuchClient

RATE = 24_000  # messages a second, of which some trade or are refused: the feed must say at least TICKS
TICKS = 20_000
SECONDS = int(os.environ.get("RIALTO_SECONDS", "60"))
BEHIND_S_MAX = 5.0  # generous: the machine may be anybody's
MARKETS = ((b"ACME    ", 1_000_000), (b"BOLT    ", 250_000), (b"COGS    ", 400_000))
LIVING = 600  # orders that stand at a time
ENTER = struct.Struct(">HccIcI8sQccccc14sH")
CANCEL = struct.Struct(">HccII")


class Storm(threading.Thread):
    """Orders around the opening prices and their cancels, as many as are due by the clock."""

    def __init__(self, address, user):
        super().__init__(daemon=True)
        self.client = OuchClient(address, user, "rialto")
        self.client.login()
        self.client.sock.settimeout(PATIENCE_S)
        self.running, self.sent, self.failure, self.random = True, 0, None, 12345

    def pick(self, below):
        self.random = (self.random * 1_103_515_245 + 12_345) % 2**31
        return (self.random >> 8) % below

    def next(self, number):
        order = number // 2 + 1
        if number % 2 and order > LIVING:
            return CANCEL.pack(10, b"U", b"X", order - LIVING, 0)
        if number % 2:
            return b"\x00\x01R"
        symbol, opening = MARKETS[order % 3]
        side, away = (b"B", -1) if self.pick(2) else (b"S", 1)
        price = opening + away * 100 * self.pick(9) + 100
        return ENTER.pack(
            48, b"U", b"O", order, side, 100 + 100 * self.pick(5), symbol, price, b"0", b"Y", b"P", b"N", b"N", b" " * 14, 0
        )

    def read(self):
        try:
            while self.running and self.client.sock.recv(1 << 20):
                pass
            assert not self.running, "the exchange closed the connection"
        except (OSError, AssertionError) as error:
            if self.running:
                self.failure = error

    def run(self):
        threading.Thread(target=self.read, daemon=True).start()
        begun = time.monotonic()
        try:
            while self.running:
                due = int((time.monotonic() - begun) * RATE) - self.sent
                if due > 0:
                    burst = min(due, 1_000)
                    self.client.sock.sendall(b"".join(self.next(self.sent + one) for one in range(burst)))
                    self.sent += burst
                else:
                    time.sleep(0.002)
        except OSError as error:
            if self.running:
                self.failure = error


class Exchange:
    def __init__(self, ready):
        self.base, self.key = f"http://{ready['http']}", ready["console"].split("#key=")[1]

    def stands_at(self):
        _, told = request("POST", f"{self.base}/api/v1/ask", self.key, {"ask": "status"})
        return told["lines"][0]["released_up_to"]

    def messages(self):
        return request("GET", f"{self.base}/api/v1/picture")[1]["feed"]["messages"]


def held(browser):
    """What the page holds: kilobytes of heap, nodes, listeners."""
    browser.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    metrics = {one["name"]: one["value"] for one in browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]}
    return metrics["JSHeapUsedSize"] / 1024, int(metrics["Nodes"]), int(metrics["JSEventListeners"])


def watch(page, ready, seconds):
    """Watches the page under the storm; it shows now when it begins and when it ends."""
    exchange, browser = Exchange(ready), page.browser
    browser.execute_cdp_cmd("Performance.enable", {})
    storm = Storm(ready["ouch"], "beta1")
    storm.start()
    began = exchange.messages()
    until("the storm on the page", lambda: exchange.messages() > began + TICKS and page.text("#state") == "live")
    page.run("window.drawn = 0; const draw = Chart.draw; Chart.draw = (...told) => { window.drawn++; draw(...told); }")
    first, before, begun = held(browser), exchange.messages(), time.monotonic()
    worst, at, stood, shown_before = 0.0, [], [], 0
    while (elapsed := time.monotonic() - begun) < seconds:
        # What the exchange had released at which time, and the last of those times that the page has come to.
        stood.append((time.monotonic(), exchange.stands_at()))
        shown = page.number("#seq")
        now = time.monotonic()
        assert shown >= shown_before, f"the page went back from {shown_before} to {shown}"
        shown_before = shown
        behind = next((now - then for then, seq in stood if seq > shown), 0.0)
        stood = [one for one in stood if one[1] > shown] or stood[-1:]
        worst = max(worst, behind)
        assert behind < BEHIND_S_MAX, f"the page is {behind:.1f} s behind"
        assert storm.failure is None, storm.failure
        if seconds > 20 and len(at) < int(elapsed / 10):
            at.append(held(browser))
            print(f"  after {elapsed:.0f} s: {at[-1][0]:.0f} kB, {at[-1][1]} nodes, {at[-1][2]} listeners, behind {behind:.2f} s", flush=True)
        time.sleep(0.2)
    lasted, ticks, last = time.monotonic() - begun, exchange.messages() - before, held(browser)
    drawn = page.run("return window.drawn")
    storm.running = False
    storm.client.sock.close()
    end = exchange.stands_at()
    until("the page at the end of the storm", lambda: page.number("#seq") >= end)
    print(
        f"{lasted:.0f} s at {ticks / lasted:.0f} feed messages a second: the page at most {worst:.2f} s behind, "
        f"{drawn / lasted:.1f} drawings a second, heap {first[0]:.0f} -> {last[0]:.0f} kB, nodes {first[1]} -> {last[1]}, "
        f"listeners {first[2]} -> {last[2]}"
    )
    assert drawn > lasted, f"only {drawn} drawings"
    # A tape or a list that was not full at first may have got its last rows, no more.
    assert last[0] < first[0] * 1.1 + 512, f"the heap grows: {first[0]:.0f} kB, {last[0]:.0f} kB"
    assert last[1] < first[1] + 200, f"nodes grow: {first[1]}, {last[1]}"
    assert last[2] < first[2] + 50, f"listeners grow: {first[2]}, {last[2]}"
    return ticks / lasted


def main():
    with tempfile.TemporaryDirectory(prefix="rialto-page-") as folder:
        process, ready = up(Path(folder) / "data", agents=6)
        try:
            with chromium(folder) as browser:
                page = Page(browser)
                browser.get(ready["console"])
                until("a market", lambda: page.count("#tape tr") > 5)
                rate = watch(page, ready, SECONDS)
                assert not (said := errors(browser)), said
            stop(process)
        finally:
            process.kill()
        assert rate >= TICKS, f"{rate:.0f} feed messages a second is no storm: this machine had no time for more"


if __name__ == "__main__":
    main()
