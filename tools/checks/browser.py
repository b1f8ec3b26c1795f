"""The console page in headless Chromium, driven as a person would: by clicks and by keys.

Screenshots at 1440 x 900 and 390 x 844 are left in target/test-logs.
"""

import json
import os
import shutil
import tempfile
import urllib.request
from pathlib import Path

from exchange import BINARY, PATIENCE_S, ask, stop, until, up
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

SHOTS = Path(BINARY).parent.parent / "test-logs"
AXE = Path(os.environ.get("RIALTO_AXE", "absent"))
PAGE_BYTES_MAX = 300_000
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --force-device-scale-factor=1"
)


class Page:
    def __init__(self, browser):
        self.browser = browser

    def one(self, css):
        return self.browser.find_element(By.CSS_SELECTOR, css)

    def text(self, css):
        """Read in the page, where no redraw can come between finding and reading."""
        return self.browser.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", css)

    def number(self, css):
        digits = "".join(c for c in self.text(css) if c.isdigit())
        return int(digits or 0)

    def count(self, css):
        return self.browser.execute_script("return document.querySelectorAll(arguments[0]).length", css)

    def click(self, css):
        self.browser.execute_script("document.querySelector(arguments[0]).click()", css)

    def key(self, key):
        self.one("body").send_keys(key)

    def order(self, side, quantity, price):
        self.click(f"input[name=side][value={side}]")
        for css, value in (("#quantity", quantity), ("#price", price)):
            field = self.one(css)
            field.send_keys(Keys.CONTROL, "a")
            field.send_keys(str(value))
        self.browser.execute_script("document.getElementById('answer').textContent = ''")
        self.click("#send")
        return until("an answer", lambda: (t := self.text("#answer")) not in ("", "sent") and t)

    def shot(self, name, width, height):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        until("a layout", lambda: self.browser.execute_script("return innerWidth") == width)
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.browser.save_screenshot(str(SHOTS / f"console-{name}-{width}x{height}.png"))
        wide = self.browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width, f"at {width} the page is {wide} wide"


def panes(page):
    until("instruments", lambda: page.count("#instruments tr") == 3)
    until("a ladder", lambda: page.count("#ladder tr") > 6)
    until("a tape", lambda: page.count("#tape tr") > 5)
    until("doors at work", lambda: page.text("#doors").startswith("OUCH") and page.number("#doors td:nth-child(5)") > 0)
    until("the state", lambda: page.text("#state") == "live")
    painted = """
        const canvas = document.getElementById('chart');
        const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        const seen = new Set();
        for (let at = 0; at < data.length; at += 64) seen.add(data[at] << 16 | data[at + 1] << 8 | data[at + 2]);
        return seen.size;
    """
    until("a painted chart", lambda: page.browser.execute_script(painted) > 4)


def orders(page):
    said = page.order("buy", 100, "1.00")
    assert "live" in said, said
    until("the order in the list", lambda: "live" in page.text("#orders"))
    refused = page.order("buy", 100, "1.005")
    assert "invalid price" in refused and ":" in refused, refused
    until("the refusal in the list", lambda: "rejected" in page.text("#orders"))
    rows = page.count("#orders tr")
    page.click(f"#orders tr:nth-child({rows}) td:first-child button")
    until("its journey", lambda: "Accepted" in page.text("#journey-steps"))
    assert "priority" in page.text("#journey-steps"), page.text("#journey-steps")
    page.shot("journey", 1440, 900)
    page.click("#journey form[method=dialog] button")
    page.click("#orders button[aria-label^=Cancel]")
    until("the cancel", lambda: "cancelled" in page.text("#orders"))


def operator(page):
    page.click("#operator summary")
    page.click("[data-phase='opening-auction']")
    until("the act", lambda: "PhaseChanged" in page.text("#operated"))
    until("the badge", lambda: page.text("#instruments .badge") == "auction")
    until("an indicative price", lambda: page.text("#auction").startswith("Would cross"))
    page.shot("auction", 1440, 900)
    page.click("[data-phase='continuous']")
    until("trading", lambda: page.count("#instruments .badge") == 0 and not page.one("#auction").is_displayed())


def venue(page, data):
    """What is asked for while it is open: latency of the orders sent before, members with a limit that is set now, flags."""
    for name in ("latency", "members", "flags"):
        page.click(f"#{name} summary")
    page.order("buy", 100, "1.00")
    until("percentiles", lambda: "p99" in page.text("#latency-said"))
    assert page.browser.execute_script("return document.getElementById('latency-line').points.length") > 40
    ask("member", "limits", "set", "ALFA", "--credit", 5_000_000_000, "--who", "rita", "--why", "new", "--data", data)
    until("the limit", lambda: "credit 5000000000" in page.text("#member-rows"))
    assert "BETA" in page.text("#member-rows"), page.text("#member-rows")
    until("the flags", lambda: "matching.self-trade-by-account" in page.text("#flag-rows"))


def canary(page, data):
    """A rollback seen live: by itself where there is a build with defects, otherwise by the button."""
    page.click("#canary summary")
    until("no canary", lambda: "there was none" in page.text("#canary-said"))
    broken = Path(f"{BINARY}-defects")
    build, more = (broken, ("--engine-arg=--defect", "--engine-arg=reject-code")) if broken.exists() else (BINARY, ())
    ask("canary", "start", "--build", build, "--steps", "test,50,100", "--bake", "100000c", "--data", data, *more)
    if broken.exists():
        # Refused orders, whose code it gets wrong.
        page.order("buy", 100, "1.005")
        until("a verdict", lambda: page.text("#canary-said").startswith("stopped"))
        assert "differ" in page.text("#canary-builds"), page.text("#canary-builds")
        page.shot("canary", 1440, 900)
        return "stopped by itself"
    until("a step", lambda: "baking, step test of test, 50, 100" in page.text("#canary-said"))
    compared = "#canary-rows tr:first-child td:last-child"
    until("events compared", lambda: page.number(compared) > 100)
    assert page.text("#canary-builds").endswith("no difference"), page.text("#canary-builds")
    page.shot("canary", 1440, 900)
    page.click("#canary-back")
    until("the rollback", lambda: page.text("#canary-said").startswith("rolled back"))
    assert "own word in" in page.text("#canary-said"), page.text("#canary-said")
    return "rolled back by the button (no build with defects is there)"


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
    assert shown == [f"{units / 10_000:.2f}" for units, _, _ in bids], (shown, bids)
    assert f"seq={there}" in page.browser.current_url, page.browser.current_url
    page.shot("past", 1440, 900)
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
    page.one("#keys button").click()
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
    options = webdriver.ChromeOptions()
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory(prefix="rialto-browser-") as folder:
        options.add_argument(f"--user-data-dir={folder}/profile")
        data = Path(folder) / "data"
        process, ready = up(data, "--follow-listen", "127.0.0.1:0", agents=6)
        base = f"http://{ready['http']}"
        key = ready["console"].split("#key=")[1]
        service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
        browser = None
        try:
            browser = webdriver.Chrome(options=options, service=service)
            page = Page(browser)
            browser.get(ready["console"])
            panes(page)
            bytes_loaded = weight(page)
            page.shot("light", 1440, 900)
            accessible(page, "the page as it opens")
            orders(page)
            operator(page)
            venue(page, data)
            print(f"a canary: {canary(page, data)}")
            accessible(page, "the page with every pane open")
            page.shot("panes", 390, 844)
            page.shot("panes", 1440, 900)
            past(page, base)
            keyboard(page)
            page.shot("other", 1440, 900)
            accessible(page, "the other theme")
            page.shot("other", 390, 844)
            accessible(page, "the other theme on a telephone")
            link(page, base, key)
            # The requests that were refused on purpose are no errors of the page.
            errors = [e for e in browser.get_log("browser") if e["level"] == "SEVERE" and " 422 " not in e["message"]]
            assert not errors, errors
            print(f"the console in Chromium: every pane, {bytes_loaded} bytes, no error; screenshots in {SHOTS}")
            stop(process)
        finally:
            process.kill()
            if browser is not None:
                browser.quit()


main()
