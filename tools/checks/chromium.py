"""The console page in headless Chromium, as the checks of it share it."""

import shutil
from contextlib import contextmanager
from pathlib import Path

from exchange import BINARY, until
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

SHOTS = Path(BINARY).parent.parent / "test-logs"
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --force-device-scale-factor=1"
)


@contextmanager
def chromium(folder):
    """A browser with a profile of its own in the folder, which keeps what pages say on their console."""
    options = webdriver.ChromeOptions()
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={folder}/profile")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    browser = webdriver.Chrome(options=options, service=service)
    try:
        yield browser
    finally:
        browser.quit()


def errors(browser, expected=()):
    """What the page complained of since this was asked last."""
    said = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    return [one for one in said if not any(part in one for part in expected)]


class Page:
    def __init__(self, browser):
        self.browser = browser

    def one(self, css):
        return self.browser.find_element(By.CSS_SELECTOR, css)

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def text(self, css):
        """Read in the page, where no redraw can come between finding and reading."""
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", css)

    def number(self, css):
        digits = "".join(c for c in self.text(css) if c.isdigit())
        return int(digits or 0)

    def count(self, css):
        return self.run("return document.querySelectorAll(arguments[0]).length", css)

    def click(self, css):
        self.run("document.querySelector(arguments[0]).click()", css)

    def key(self, key):
        self.one("body").send_keys(key)

    def order(self, side, quantity, price):
        self.click(f"input[name=side][value={side}]")
        for css, value in (("#quantity", quantity), ("#price", price)):
            field = self.one(css)
            field.send_keys(Keys.CONTROL, "a")
            field.send_keys(str(value))
        self.run("document.getElementById('answer').textContent = ''")
        self.click("#send")
        return until("an answer", lambda: (t := self.text("#answer")) not in ("", "sent") and t)

    def both(self, name, pane=None):
        """On a telephone and on a laptop, which the page is on again then."""
        for width, height in ((390, 844), (1440, 900)):
            self.shot(name, width, height, pane)

    def shot(self, name, width, height, pane=None):
        """A screenshot; with a pane, the page is where that can be seen."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        until("a layout", lambda: self.run("return innerWidth") == width)
        SHOTS.mkdir(parents=True, exist_ok=True)
        # A frame goes by, in which the charts are drawn for the new size.
        self.browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
        if pane:
            self.run("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", pane)
        self.browser.save_screenshot(str(SHOTS / f"console-{name}-{width}x{height}.png"))
        wide = self.run("return document.documentElement.scrollWidth")
        assert wide <= width, f"at {width} the page is {wide} wide"
        if pane:
            self.run("scrollTo(0, 0)")
