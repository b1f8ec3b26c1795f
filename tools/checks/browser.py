"""The console page in headless Chromium, driven as a person would: by clicks and by keys.

Screenshots at 1440 x 900 and 390 x 844 are left in target/test-logs.
"""

import json
import os
import subprocess
import tempfile
import urllib.request
from datetime import date
from pathlib import Path

from chromium import SHOTS, Page, chromium, errors
from exchange import BINARY, PATIENCE_S, ask, stop, until, up
from page import watch
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select
from soup import OuchClient

AXE = Path(os.environ.get("RIALTO_AXE", "absent"))
DEFECTS = os.environ["RIALTO_DEFECTS"]
PAGE_BYTES_MAX = 300_000
STORM_S = 6  # tools/long/page.sh has a minute of it
PAINTED = """
    const canvas = document.getElementById('chart');
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    const seen = new Set();
    for (let at = 0; at < data.length; at += 64) seen.add(data[at] << 16 | data[at + 1] << 8 | data[at + 2]);
    return seen.size;
"""


def panes(page):
    until("instruments", lambda: page.count("#instruments tr") == 3)
    until("a ladder", lambda: page.count("#ladder .price.bid") > 3 and page.count("#ladder .price.ask") > 3)
    until("a tape", lambda: page.count("#tape tr") > 5)
    until("doors at work", lambda: page.text("#doors").startswith("OUCH") and page.number("#doors td:nth-child(5)") > 0)
    until("the state", lambda: page.text("#state") == "live")
    until("a painted chart", lambda: page.run(PAINTED) > 20)


def orders(page):
    said = page.order("buy", 100, "1.00")
    assert "live" in said, said
    until("the order in the list", lambda: "live" in page.text("#orders"))
    refused = page.order("buy", 100, "1.005")
    assert "invalid price" in refused and ":" in refused, refused
    until("the refusal in the list", lambda: "rejected" in page.text("#orders"))
    assert page.text("#orders tr:first-child td:nth-child(3)") == "1.005", page.text("#orders")
    page.both("ticket", "#ticket")
    page.both("orders", "#orders")
    rows = page.count("#orders tr")
    page.click(f"#orders tr:nth-child({rows}) td:first-child button")
    until("its journey", lambda: "Accepted" in page.text("#journey-steps"))
    until("its stages", lambda: page.count("#journey-stages tr") == 6)
    assert page.text("#journey-stages").split()[:2] == ["Gateway", "in"], page.text("#journey-stages")
    assert "priority" in page.text("#journey-steps"), page.text("#journey-steps")
    page.both("journey")
    page.click("#journey form[method=dialog] button")
    page.click("#orders button[aria-label^=Cancel]:not([hidden])")
    until("the cancel", lambda: "cancelled" in page.text("#orders"))


def ahead(page, ready, data):
    """What stands before one's own order in its queue: more than a browser could see, and exactly what the engine has there."""
    client = OuchClient(ready["ouch"], "beta2", "rialto")
    client.login()
    for user_ref, shares in ((1, 300), (2, 40)):
        client.enter(user_ref, b"B", shares, "ACME", 970_000, "before")
        client.expect(b"A")
    page.order("buy", 100, "97.00")
    client.enter(3, b"B", 70, "ACME", 970_000, "behind")
    client.expect(b"A")
    shown = "return state.orders.find(one => one.open > 0 && Number(one.price) === 97)"
    own = until("its place", lambda: (one := page.run(shown)) and one["ahead"] == 340 and one)
    until("the column", lambda: page.text("#orders tr:first-child td:nth-child(4)") == "340")
    found = page.run(
        "return Office.ask({ask: 'find', session: arguments[0].session, user_ref: arguments[0].order})", own
    )
    told = ask("at", page.number("#seq"), "order", found[0]["order"], "--data", data)
    assert told["quantity_ahead"] == 340, told
    # Whoever was first goes, and who came behind does not count.
    client.cancel(1, 0)
    until("fewer before it", lambda: page.run(shown)["ahead"] == 40)
    # In the ladder, where the price is in sight: the best bid of an instrument that nobody else trades at for a moment.
    best = page.run("return state.live.instruments.find(one => one.symbol === 'ACME').asks[0][0]")
    lone = best - 100
    page.order("buy", 100, f"{lone / 10_000:.2f}")
    until(
        "the ladder",
        lambda: page.run("return [...document.querySelectorAll('#ladder .own')].some(one => / \\/ [0-9]/.test(one.textContent))")
        or "filled" in page.text("#orders tr:first-child"),
    )
    page.both("ladder", "#ladder")
    client.sock.close()


def faults(page):
    """Broken and mended from the page; what stands is in the list."""
    page.click("#faults summary")
    Select(page.one("#fault-kind")).select_by_visible_text("multicast-gap")
    page.click("#fault-form button[type=submit]")
    until("the fault", lambda: "multicast-gap" in page.text("#fault-list"))
    page.both("faults", "#faults")
    until("a gap that was struck", lambda: (page.click("#faults summary"), page.click("#faults summary"), page.text("#fault-list"))[2].find("struck 0") < 0)
    page.click("#fault-list button")
    until("its end", lambda: page.count("#fault-list li") == 0)


def subscribers(page, ready, data):
    """Who follows by QUIC is there while it does."""
    assert page.one("#no-subscribers").is_displayed()
    command = [BINARY, "md", "tail", "--mode", "conflated", "--via", "quic", "--quic", ready["quic"], "--cert", str(Path(data) / "quic-cert.pem"),
               "--user", "alpha1", "--password", "rialto", "--json"]  # fmt: skip
    follower = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        until("a subscriber", lambda: "conflated" in page.text("#subscribers"))
        page.both("subscribers", "#subscribers")
    finally:
        follower.kill()
        follower.wait()


def operator(page):
    page.click("#operator summary")
    page.click("[data-phase='opening-auction']")
    until("the act", lambda: "PhaseChanged" in page.text("#operated"))
    until("the badge", lambda: page.text("#instruments .badge") == "auction")
    until("an indicative price", lambda: page.text("#auction").startswith("Would cross"))
    page.both("auction", "#auction")
    page.click("[data-phase='continuous']")
    until("trading", lambda: page.count("#instruments .badge") == 0 and not page.one("#auction").is_displayed())
    # The build-up is in the past too, at the place that the address names.
    phases = "return [...document.querySelectorAll('#operated')].map(one => one.textContent)[0].match(/command ([0-9]+)/)[1]"
    resumed = int(page.run(phases))
    page.run("rewind(arguments[0])", resumed - 1)
    until("the auction again", lambda: page.text("#auction").startswith("Would cross"))
    page.shot("auction-past", 1440, 900)
    page.run("goLive()")
    until("now", lambda: page.text("#state") == "live")


def venue(page, data):
    """What is asked for while it is open: latency of the orders sent before, members with a limit that is set now, flags."""
    for name in ("latency", "members", "flags"):
        page.click(f"#{name} summary")
    page.order("buy", 100, "1.00")
    until("its answer", lambda: "p99" in page.text("#latency-own"))
    until("every stage", lambda: page.count("#latency-rows tr") == 5 and page.count("#latency-plot polyline") == 5)
    points = page.run("return [...document.querySelectorAll('#latency-plot polyline')].map(one => one.points.length)")
    assert min(points) > 8, points
    page.both("latency", "#latency")
    ask("member", "limits", "set", "ALFA", "--credit", 5_000_000_000, "--who", "rita", "--why", "new", "--data", data)
    until("the limit", lambda: "credit 500,000" in page.text("#member-rows"))
    assert "BETA" in page.text("#member-rows"), page.text("#member-rows")
    page.both("members", "#members")
    until("the flags", lambda: "matching.self-trade-by-account" in page.text("#flag-rows"))
    page.both("flags", "#flags")


def canary(page, data):
    """Two rollbacks seen live: a good candidate's by the button, a bad one's by itself."""
    page.click("#canary summary")
    until("no canary", lambda: "there was none" in page.text("#canary-said"))
    start = ("canary", "start", "--build", DEFECTS, "--steps", "test,50,100", "--bake", "100000c", "--data", data, "--engine-arg=--defect")
    ask(*start, "--engine-arg=correct")
    until("a step", lambda: "baking, step test of test, 50, 100" in page.text("#canary-said"))
    compared = "#canary-rows tr:first-child td:last-child"
    until("events compared", lambda: page.number(compared) > 100)
    assert page.text("#canary-builds").endswith("no difference"), page.text("#canary-builds")
    page.both("canary", "#canary")
    page.click("#canary-back")
    # How long it took is in the answer before the one that says so, or in the next.
    until("the rollback", lambda: (t := page.text("#canary-said")).startswith("rolled back") and "own word in" in t)

    ask(*start, "--engine-arg=reject-code")
    # Refused orders, whose code it gets wrong: this one, if no agent's was refused before.
    until("a candidate", lambda: page.text("#canary-said").startswith(("baking", "stopped")))
    page.order("buy", 100, "1.005")
    until("a verdict", lambda: page.text("#canary-said").startswith("stopped"))
    until("the difference", lambda: "they differ at command" in page.text("#canary-builds"))
    page.both("canary-stopped", "#canary")


def past(page, base):
    page.browser.execute_script("document.activeElement.blur()")
    last = page.number("#seq")
    Select(page.one("#pace")).select_by_visible_text("50")
    page.browser.execute_script("document.activeElement.blur()")
    page.key(Keys.ARROW_LEFT)
    there = until("the past", lambda: page.text("#state").startswith("at ") and page.number("#seq"))
    assert there <= last + 5_000, (there, last)
    with urllib.request.urlopen(f"{base}/api/v1/at/{there}", timeout=PATIENCE_S) as answer:
        told = json.load(answer)
    shown = page.browser.execute_script(
        "return [...document.querySelectorAll('#ladder .price.bid')].map(one => one.textContent)"
    )
    chosen = page.browser.execute_script("return state.symbol")
    bids = next(one for one in told["instruments"] if one["symbol"] == chosen)["bids"]
    assert shown == [f"{units / 10_000:.2f}" for units, _, _ in bids[:10]], (shown, bids)
    assert f"seq={there}" in page.browser.current_url, page.browser.current_url
    # The chart goes there too: its last column is the place, and it comes from before the page was opened.
    charted = "return [Chart.past().symbol, Chart.past().history.length, Chart.past().history.newest()]"
    until("the chart of the past", lambda: page.run(charted)[0] == chosen and page.run(charted)[1] > 20 and page.run(charted)[2] == there)
    page.both("past")
    page.key(" ")
    until("the past to play on", lambda: page.number("#seq") > there and page.text("#state").startswith("at "))
    page.key(Keys.ESCAPE)
    until("now", lambda: page.text("#state") == "live")


def keyboard(page):
    page.key("2")
    until("the second instrument", lambda: page.text("#ladder-title").upper() == "DEPTH OF BOLT")
    page.key("s")
    until("the ticket", lambda: page.browser.execute_script("return document.activeElement.id") == "quantity")
    assert page.text("#send") == "Sell BOLT"
    page.browser.execute_script("document.activeElement.blur()")
    before = page.browser.execute_script("return document.documentElement.dataset.theme")
    page.key("t")
    until("the other theme", lambda: page.browser.execute_script("return document.documentElement.dataset.theme") != before)
    page.key("?")
    until("the keys", lambda: page.one("#keys").is_displayed())
    page.both("keys")
    page.one("#keys button").click()
    # They are all open; some are enough to open all.
    page.key("v")
    until("no pane", lambda: page.count("details[open]") == 0)
    page.click("#flags summary")
    page.key("v")
    until("every pane", lambda: page.count("details[open]") == page.count("details"))
    # Every control can be reached by tabbing, and shows that it is.
    reached = set()
    page.browser.execute_script("document.activeElement.blur()")
    for _ in range(60):
        ActionChains(page.browser).send_keys(Keys.TAB).perform()
        reached.add(page.browser.execute_script("return document.activeElement.id || document.activeElement.tagName"))
    missing = {"theme", "help", "quantity", "price", "send", "play", "scrub", "live", "open-journey"} - reached
    assert not missing, f"not reached by the keyboard: {missing}"
    unnamed = page.browser.execute_script(
        """return [...document.querySelectorAll('button, input, select')].filter(one =>
            !(one.textContent.trim() || one.getAttribute('aria-label') || (one.labels && one.labels.length))).map(one => one.outerHTML)"""
    )
    assert not unnamed, unnamed


def link(page, base, key):
    """A link that names a sequence number opens there."""
    page.browser.get(f"{base}/?again#key={key}&symbol=COGS&seq=40")
    until("the place", lambda: page.text("#state") == "at 40" and page.number("#seq") == 40)
    until("the instrument", lambda: "COGS" in page.text("#ladder-title").upper())
    # So does one that is put into the address of a page that is open.
    page.run("location.hash = 'symbol=BOLT&seq=44'")
    until("the other place", lambda: page.text("#state") == "at 44" and "BOLT" in page.text("#ladder-title").upper())
    page.run("location.hash = 'symbol=BOLT'")
    until("now", lambda: page.text("#state") == "live")


def accessible(page, what):
    """What axe-core has to say of the page as it stands: contrast, names, roles, landmarks (WCAG 2.1 A and AA)."""
    if not AXE.exists():
        print(f"SKIPPED: accessibility of {what}: {AXE} is absent (tools/test fetches it)")
        return
    page.browser.execute_script(AXE.read_text())
    run = """const done = arguments[arguments.length - 1];
        const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'];
        axe.run(document, {runOnly: tags}).then(found => done(JSON.stringify(
            {passes: found.passes.length, violations: found.violations.map(one => [one.id, one.help,
                one.nodes.map(node => [node.html.slice(0, 120), node.failureSummary])])})), error => done(String(error)))"""
    page.browser.set_script_timeout(PATIENCE_S)
    found = json.loads(page.browser.execute_async_script(run))
    assert found["passes"] > 10 and not found["violations"], (what, json.dumps(found["violations"], indent=1))
    print(f"axe-core, {what}: {found['passes']} rules passed, none broken")


def weight(page):
    sizes = "return performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation')).map(e => e.transferSize)"
    total = sum(page.browser.execute_script(sizes))
    assert 0 < total < PAGE_BYTES_MAX, total
    return total


def main():
    with tempfile.TemporaryDirectory(prefix="rialto-browser-") as folder:
        data = Path(folder) / "data"
        process, ready = up(data, "--follow-listen", "127.0.0.1:0", agents=6, day=date.today().isoformat())
        base = f"http://{ready['http']}"
        key = ready["console"].split("#key=")[1]
        try:
            with chromium(folder) as browser:
                page = Page(browser)
                browser.get(ready["console"])
                panes(page)
                bytes_loaded = weight(page)
                page.both("light")
                accessible(page, "the page as it opens")
                orders(page)
                ahead(page, ready, data)
                operator(page)
                faults(page)
                subscribers(page, ready, data)
                venue(page, data)
                canary(page, data)
                accessible(page, "the page with every pane open")
                page.both("panes")
                past(page, base)
                keyboard(page)
                page.both("other")
                page.both("other-panes", "#latency")
                accessible(page, "the other theme")
                page.shot("other", 390, 844)
                accessible(page, "the other theme on a telephone")
                link(page, base, key)
                watch(page, ready, STORM_S)
                # The requests that were refused on purpose are no errors of the page.
                said = errors(browser, (" 422 ",))
                assert not said, said
            print(f"the console in Chromium: every pane, {bytes_loaded} bytes, no error; screenshots in {SHOTS}")
            stop(process)
        finally:
            process.kill()


if __name__ == "__main__":
    main()
