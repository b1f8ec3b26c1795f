"""The first minutes of somebody who has just cloned: each time from the start of `rialto up`, printed beside what is aimed at. It
fails where something does not happen, never because a machine is slow.

RIALTO_CLONE  set: first a fresh clone is built, with the crates that cargo has (--offline), and that build is used"""

import os
import subprocess
import tempfile
import time
from pathlib import Path

import exchange
from console import request
from exchange import stop, until
from fix import FixClient

ROOT = Path(__file__).resolve().parent.parent.parent


def built(folder):
    """A clean clone of what is committed here, and its build."""
    watch = Watch()
    clone = Path(folder) / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    watch.say("cloned")
    environment = {name: value for name, value in os.environ.items() if name != "CARGO_TARGET_DIR"}
    command = ["cargo", "build", "--release", "--locked", "--offline", "--quiet", "-p", "rialto"]
    subprocess.run(command, cwd=clone, env=environment, check=True)
    watch.say("cloned and built")
    exchange.BINARY = str(clone / "target/release/rialto")


class Watch:
    def __init__(self):
        self.begun = time.monotonic()

    def say(self, what, aim=""):
        print(f"{what:<28}{time.monotonic() - self.begun:>8.2f} s{'   aimed at: ' + aim if aim else ''}", flush=True)


def filled(ready):
    """Buys by FIX at whatever is asked, until something was."""
    client = FixClient(ready, "ALPHA")
    client.log_on()
    for number in range(100):
        client.order(f"first-{number}", 1, 100, "200.00", tif=3)
        while True:
            message = client.receive()
            if message.get(35) != b"8":
                continue
            if message.get(39) in (b"1", b"2"):
                return
            if message.get(39) in (b"4", b"8", b"C"):
                break
        time.sleep(0.05)
    raise AssertionError("nobody sold")


def main():
    with tempfile.TemporaryDirectory(prefix="rialto-first-") as folder:
        if "RIALTO_CLONE" in os.environ:
            built(folder)
        else:
            print("clone and build: left out, there is a build (RIALTO_CLONE=1 makes one)")
        watch = Watch()
        process, ready = exchange.up(Path(folder) / "data", agents=6)
        try:
            watch.say("doors open")
            picture = lambda: request("GET", f"http://{ready['http']}/api/v1/picture")[1]  # noqa: E731
            until("trades", lambda: picture()["trades"])
            first = picture()["seq"]
            until("a market that moves on", lambda: picture()["seq"] > first and len(picture()["trades"]) > 1)
            watch.say("a market that moves", "under 2 s")
            filled(ready)
            watch.say("the first FIX order filled")
            try:
                from chromium import Page, chromium, errors

                with chromium(folder) as browser:
                    watch.say("a browser started")
                    browser.get(ready["console"])
                    page = Page(browser)
                    until("a painted page", lambda: page.run("return performance.getEntriesByName('first-contentful-paint').length"))
                    until("a ladder on it", lambda: page.count("#ladder .price") > 4)
                    paint = page.run("return performance.getEntriesByName('first-contentful-paint')[0].startTime")
                    watch.say("the page painted", f"all of this under 60 s; the page itself took {paint:.0f} ms to its first paint")
                    assert not (said := errors(browser)), said
            except ImportError:
                print("SKIPPED: the page: selenium is not installed")
            stop(process)
        finally:
            process.kill()


main()
