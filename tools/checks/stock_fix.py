"""PyPI quickfix as initiator against the exchange: a stock engine with its own dictionaries, which refuses what they lack.

In each version it places, replaces, cancels, is filled, and quotes. Then the exchange is killed while the engine is away and has missed
a fill: the engine's own session logic asks for it again after the restart.
"""

import os
import queue
import sys
import tempfile
import time
import traceback
from pathlib import Path

import quickfix as fix

from exchange import PATIENCE_S, kill, stop, up
from fix import FixClient

VERSIONS = {
    "FIX.4.2": ("FIX.4.2", None, "FIX42.xml"),
    "FIX.4.4": ("FIX.4.4", None, "FIX44.xml"),
    "FIX.5.0SP2": ("FIXT.1.1", "FIX.5.0SP2", "FIX50SP2.xml"),
}
SPEC = Path(sys.prefix) / "share" / "quickfix"


class Trader(fix.Application):
    def __init__(self, user):
        super().__init__()
        self.user = user
        self.messages = queue.Queue()
        self.session = None
        self.logged_on = False
        self.rejected = []

    def onCreate(self, session):
        self.session = session

    def onLogon(self, session):
        self.logged_on = True

    def onLogout(self, session):
        self.logged_on = False

    def toAdmin(self, message, session):
        kind = fix.MsgType()
        message.getHeader().getField(kind)
        if kind.getValue() == fix.MsgType_Logon:
            if "FIX.4.2" in session.toString():
                message.setField(fix.StringField(95, "6"))
                message.setField(fix.StringField(96, "rialto"))
            else:
                message.setField(fix.StringField(553, self.user))
                message.setField(fix.StringField(554, "rialto"))
        if kind.getValue() == fix.MsgType_Reject:
            self.rejected.append(message.toString().replace("\x01", "|"))

    def fromAdmin(self, message, session):
        kind = fix.MsgType()
        message.getHeader().getField(kind)
        if kind.getValue() == fix.MsgType_Reject:
            self.rejected.append(message.toString().replace("\x01", "|"))

    def toApp(self, message, session):
        pass

    def fromApp(self, message, session):
        fields = [pair.split("=", 1) for pair in message.toString().rstrip("\x01").split("\x01")]
        self.messages.put({int(tag): value for tag, value in fields})

    def send(self, kind, *fields, without_time=False):
        message = fix.Message()
        message.getHeader().setField(fix.StringField(35, kind))
        for tag, value in fields:
            message.setField(fix.StringField(tag, str(value)))
        if not without_time:
            message.setField(fix.StringField(60, time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())))
        assert fix.Session.sendToTarget(message, self.session)

    def expect(self, **wanted):
        message = self.messages.get(timeout=PATIENCE_S)
        for tag, value in wanted.items():
            got = message.get(int(tag[1:]))
            assert got == str(value), f"{tag[1:]}={got}, not {value}, in {message}"
        return message


def engine(folder, ready, trader, version):
    begin, application, spec = VERSIONS[version]
    host, port = ready["fix"].rsplit(":", 1)
    dictionary = f"DataDictionary={SPEC / spec}"
    if application:
        dictionary = f"""DefaultApplVerID={application}
TransportDataDictionary={SPEC / "FIXT11.xml"}
AppDataDictionary={SPEC / spec}"""
    settings = folder / f"{version}.cfg"
    settings.write_text(f"""[DEFAULT]
ConnectionType=initiator
ReconnectInterval=1
FileStorePath={folder / "store"}
StartTime=00:00:00
EndTime=00:00:00
UseDataDictionary=Y
HeartBtInt=30
SocketConnectHost={host}
SocketConnectPort={port}
[SESSION]
BeginString={begin}
SenderCompID={trader.user}
TargetCompID=RIALTO
{dictionary}
""")
    parsed = fix.SessionSettings(str(settings))
    initiator = fix.SocketInitiator(trader, fix.FileStoreFactory(parsed), parsed)
    initiator.start()
    until(lambda: trader.logged_on, f"{version} logs on")
    return initiator


def until(reached, what):
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.02)


def trade(trader, version, rival):
    old = version == "FIX.4.2"
    handled = [(21, 1)] if old else []
    fill = {"_150": 2} if old else {"_150": "F"}
    name = version.replace(".", "")
    order = [(55, "ACME"), (54, 1), (40, 2), *handled]
    trader.send("D", (11, f"{name}-1"), (38, 100), (44, "99.00"), *order)
    trader.expect(_35=8, _150=0, _39=0, _151=100)
    trader.send("G", (41, f"{name}-1"), (11, f"{name}-2"), (38, 60), (44, "99.50"), *order)
    trader.expect(_35=8, _150=5, _11=f"{name}-2", _41=f"{name}-1", _151=60)
    trader.send("F", (41, f"{name}-2"), (11, f"{name}-3"), (55, "ACME"), (54, 1))
    trader.expect(_35=8, _150=4, _39=4, _151=0)
    trader.send("F", (41, f"{name}-2"), (11, f"{name}-4"), (55, "ACME"), (54, 1))
    trader.expect(_35=9, _434=1)
    trader.send("D", (11, f"{name}-5"), (38, 100), (44, "100.00"), *order)
    trader.expect(_35=8, _150=0, _39=0)
    rival.order(f"{name}-sell", 2, 100, "100.00")
    rival.expect("8", _150=0)
    rival.expect("8", _150="F")
    trader.expect(_35=8, _39=2, _32=100, _14=100, _151=0, **fill)
    trader.send("D", (11, f"{name}-6"), (38, 5), (44, "99.00"), (99, "98.00"), (55, "ACME"), (54, 2), (40, 4), *handled)
    trader.expect(_35=8, _150=0, _39=0, _40=4, _99=98)
    trader.send("F", (41, f"{name}-6"), (11, f"{name}-7"), (55, "ACME"), (54, 2))
    trader.expect(_35=8, _150=4, _39=4)
    trader.send("H", (11, f"{name}-2"), (55, "ACME"), (54, 1), without_time=True)
    trader.expect(_35=8, _39=4)
    assert not trader.rejected, trader.rejected


def quote(trader, version, rival):
    """A market maker's quote by the engine's own groups, lifted and taken off."""
    old = version == "FIX.4.2"
    name = f"{version.replace('.', '')}-q"
    message = fix.Message()
    message.getHeader().setField(fix.StringField(35, "i"))
    message.setField(fix.StringField(117, name))
    entry = fix.Group(295, 299)
    for tag, value in ((299, "e"), (55, "ACME"), (132, "98.00"), (133, "101.00"), (134, "5"), (135, "10")):
        entry.setField(fix.StringField(tag, value))
    quotes = fix.Group(296, 302)
    for tag, value in ((302, "s"), (304, "1"), *([(311, "ACME")] if old else [])):
        quotes.setField(fix.StringField(tag, value))
    quotes.addGroup(entry)
    message.addGroup(quotes)
    assert fix.Session.sendToTarget(message, trader.session)
    trader.expect(_35="b", _117=name, _297=0)
    rival.order(f"{name}-lift", 1, 10, "101.00")
    rival.expect("8", _150=0)
    rival.expect("8", _150="F")
    trader.expect(_35=8, _39=2, _32=10, _31=101, _11=name, **({} if old else {"_526": "e"}))
    trader.send("Z", (117, f"{name}-off"), (298, 4), (295, 0), without_time=True)
    trader.expect(_35="b", _117=f"{name}-off", _297=4)
    assert not trader.rejected, trader.rejected


def main():
    with tempfile.TemporaryDirectory(prefix="rialto-quickfix-") as folder:
        folder = Path(folder)
        data = folder / "data"
        exchange, ready = up(data)
        try:
            for version in ("FIX.4.2", "FIX.5.0SP2", "FIX.4.4"):
                rival = FixClient(ready, "BETA")
                rival.log_on()
                trader = Trader("ALPHA")
                initiator = engine(folder, ready, trader, version)
                trade(trader, version, rival)
                quote(trader, version, rival)
                rival.send("5")
                rival.expect("5")
                if version == "FIX.4.4":
                    trader.send("D", (11, "over-night"), (38, 30), (44, "100.00"), (55, "ACME"), (54, 1), (40, 2))
                    trader.expect(_35=8, _150=0)
                if version != "FIX.4.4":
                    initiator.stop()
                    # Numbers are the session's, whatever it speaks; each engine here starts its own anew.
                    reset(ready, "ALPHA")
            # An engine that goes takes its session's name out of the library with it: it must go before the next one comes.
            initiator.stop()
            del initiator
            exchange, ready = restart(exchange, ready, data, folder, trader)
            stop(exchange)
        except BaseException:
            # The engine's threads outlive an error, and do not take it well.
            traceback.print_exc()
            exchange.kill()
            os._exit(1)
    print("quickfix: FIX 4.2, 4.4 and 5.0 SP2 traded and quoted; a fill missed over a kill -9 was sent again")


def reset(ready, user):
    """Both numbers of a session start anew: a Logon with 141=Y, and out again."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            client = FixClient(ready, user)
            client.log_on()
            client.send("5")
            client.expect("5")
            return
        except (EOFError, ConnectionError):
            assert time.monotonic() < deadline, "cannot log on"
            time.sleep(0.05)


def restart(exchange, ready, data, folder, trader):
    rival = FixClient(ready, "BETA")
    rival.log_on()
    rival.order("while-away", 2, 30, "100.00")
    rival.expect("8", _150=0)
    rival.expect("8", _150="F")
    kill(exchange)
    exchange, ready = up(data)
    initiator = engine(folder, ready, trader, "FIX.4.4")
    trader.expect(_35=8, _150="F", _39=2, _11="over-night", _43="Y", _14=30)
    trader.send("D", (11, "morning"), (38, 30), (44, "90.00"), (55, "ACME"), (54, 1), (40, 2))
    trader.expect(_35=8, _150=0, _11="morning")
    assert not trader.rejected, trader.rejected
    initiator.stop()
    return exchange, ready


if __name__ == "__main__":
    main()
