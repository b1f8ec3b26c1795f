"""`rialto up` prints lines for other terminals: each of them is run by a shell as it stands and does what it says. The QuickFIX
configuration that it writes names this run's port, and the stock engine logs on by it where that is installed."""

import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path

from exchange import BINARY, PATIENCE_S, until

ROOT = Path(__file__).parent.parent.parent
LINES = ("watch the market", "send an order", "by FIX", "by curl", "in a terminal", "in Python", "look at the journal")


def pasted(process):
    """The lines by what they are for."""
    found = {}
    while len(found) < len(LINES):
        line = process.stdout.readline()
        assert line, f"it ended before it had said all: {found}"
        for name in LINES:
            if line.startswith(f"  {name} "):
                found[name] = line[2 + len(name) :].strip()
    return found


def shell(line, **options):
    path = f"{Path(BINARY).parent}:{os.environ['PATH']}"
    return subprocess.run(
        line, shell=True, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PATH": path}, **options
    )


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
        data = Path(folder) / "data"
        process = subprocess.Popen([BINARY, "up", "--data", str(data)], stdout=subprocess.PIPE, text=True)
        try:
            lines = pasted(process)

            def entered():
                done = shell(lines["by curl"], timeout=PATIENCE_S)
                order = json.loads(done.stdout)
                return order if order.get("status") != 503 else None

            order = until("the order by curl", entered)
            assert order["symbol"] == "ACME" and order["state"] in ("live", "filled"), order
            done = shell(lines["send an order"], timeout=PATIENCE_S)
            assert done.returncode == 0 and "accepted" in done.stdout, done
            done = shell(lines["in Python"], timeout=PATIENCE_S)
            assert done.returncode == 0 and done.stdout.startswith("Instrument(symbol='ACME'"), done
            done = shell(f"{lines['in a terminal']} --once", timeout=PATIENCE_S)
            assert done.returncode == 0 and "ACME depth" in done.stdout, done
            watching = subprocess.Popen(
                f"exec {Path(BINARY).parent}/{lines['watch the market']}", shell=True, stdout=subprocess.PIPE, text=True
            )
            assert watching.stdout.readline(), "nothing was seen of the market"
            watching.kill()
            logs_on(lines["by FIX"].split(" ")[0])
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE_S)
        done = shell(lines["look at the journal"], timeout=PATIENCE_S)
        assert done.returncode == 0 and done.stdout, done
        print(f"{len(lines)} lines pasted")


main()
