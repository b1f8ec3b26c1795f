"""`rialto up` prints lines for other terminals: each of them is run by a shell as it stands and does what it says. The QuickFIX
configuration that it writes names this run's port, and the stock engine logs on by it where that is installed."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import tempfile
import termios
import threading
from pathlib import Path

from exchange import BINARY, PATIENCE_S, until

ROOT = Path(__file__).parent.parent.parent
LINES = ("watch the market", "send an order", "by FIX", "by curl", "in a terminal", "in Python", "look at the journal")
WHOLE, BACK = "\x1b[?1049h", "\x1b[?1049l"


class Terminal:
    """80 columns and 24 lines, and all that was ever written there."""

    def __init__(self, command):
        self.end, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(command, stdin=other, stdout=other, stderr=other, env={**os.environ, "TERM": "xterm"})
        os.close(other)
        self.seen = ""
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            while piece := os.read(self.end, 65_536):
                self.seen += piece.decode(errors="replace")
        except OSError:  # nobody has it open any more
            pass

    def press(self, key):
        os.write(self.end, key.encode())


def pasted(terminal):
    """The lines by what they are for."""
    until("the last line", lambda: "m: the market here" in terminal.seen)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", terminal.seen).splitlines()
    return {name: line[2 + len(name) :].strip() for line in lines for name in LINES if line.startswith(f"  {name} ")}


def turned(terminal):
    """What was printed stays in sight until the market is asked for, and is there again behind it."""
    assert re.search(r"http://[0-9.:]+/#key=[0-9a-f]+", terminal.seen) and WHOLE not in terminal.seen, terminal.seen
    terminal.press("m")
    until("the market on the whole screen", lambda: "bids" in terminal.seen.partition(WHOLE)[2])
    terminal.press("m")
    until("the lines again", lambda: "m: the market here" in terminal.seen.partition(BACK)[2])


def shell(line, folder="/"):
    return subprocess.run(line, shell=True, capture_output=True, text=True, cwd=folder, timeout=PATIENCE_S)


def logs_on(settings):
    try:
        import quickfix as fix
    except ImportError:
        print("SKIPPED: the stock FIX engine: quickfix is not installed")
        return

    class Trader(fix.Application):
        on = False

        def onCreate(self, session): ...
        def onLogout(self, session): ...
        def fromAdmin(self, message, session): ...
        def toApp(self, message, session): ...
        def fromApp(self, message, session): ...

        def onLogon(self, session):
            self.on = True

        def toAdmin(self, message, session):
            kind = fix.MsgType()
            message.getHeader().getField(kind)
            if kind.getValue() == "A":
                message.setField(fix.StringField(553, "ALPHA"))
                message.setField(fix.StringField(554, "rialto"))

    trader, parsed = Trader(), fix.SessionSettings(str(settings))
    initiator = fix.SocketInitiator(trader, fix.FileStoreFactory(parsed), parsed)
    initiator.start()
    until("the logon of the stock engine", lambda: trader.on)
    initiator.stop()


def main():
    with tempfile.TemporaryDirectory(prefix="rialto-paste-") as folder:
        data = Path(folder) / "a day"
        terminal = Terminal([BINARY, "up", "--data", str(data)])
        try:
            lines = pasted(terminal)
            assert len(lines) == len(LINES), lines
            turned(terminal)

            def entered():
                done = shell(lines["by curl"])
                order = json.loads(done.stdout)
                return order if order.get("status") != 503 else None

            order = until("the order by curl", entered)
            assert order["symbol"] == "ACME" and order["state"] in ("live", "filled"), order
            done = shell(lines["send an order"])
            assert done.returncode == 0 and "accepted" in done.stdout, done
            done = shell(lines["in Python"], ROOT)
            assert done.returncode == 0 and done.stdout.startswith("Instrument(symbol='ACME'"), done
            done = shell(f"{lines['in a terminal']} --once")
            assert done.returncode == 0 and "ACME depth" in done.stdout, done
            # Who is refused and why is told at once, in sight of who tries.
            shell(lines["send an order"].replace("--password rialto", "--password wrong"))
            until("the refusal", lambda: 'login of "ALPHA1"' in terminal.seen)
            watching = subprocess.Popen(f"exec {lines['watch the market']}", shell=True, stdout=subprocess.PIPE, text=True)
            assert watching.stdout.readline(), "nothing was seen of the market"
            watching.kill()
            logs_on(data / "quickfix.cfg")
            terminal.press("q")
            assert terminal.process.wait(PATIENCE_S) == 0
            until("the last word", lambda: "is sealed at sequence number" in terminal.seen)
        finally:
            terminal.process.kill()
        done = shell(lines["look at the journal"])
        assert done.returncode == 0 and done.stdout, done
        print(f"{len(lines)} lines pasted, as they stood in a terminal")


main()
