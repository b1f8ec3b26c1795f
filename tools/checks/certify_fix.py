"""A client for `rialto certify`: PyPI quickfix as initiator, which does what the lines on stdin ask.

`certify_fix.py HOST PORT USER VENUE PASSWORD FOLDER [--deaf]`. With --deaf it is broken on purpose: between it and the wire
stands a relay that swallows every ResendRequest, as an engine would that ignores them.
"""

import socket
import sys
import threading
import time
from pathlib import Path

import quickfix as fix

SPEC = Path(sys.prefix) / "share" / "quickfix" / "FIX44.xml"


class Client(fix.Application):
    def __init__(self, user, password):
        super().__init__()
        self.user, self.password = user, password
        self.session = None
        self.logged_on = threading.Event()
        self.last = None
        self.count = 0

    def onCreate(self, session):
        self.session = session

    def onLogon(self, session):
        self.logged_on.set()

    def onLogout(self, session):
        self.logged_on.clear()

    def toAdmin(self, message, session):
        if message.getHeader().getField(35) == fix.MsgType_Logon:
            message.setField(fix.StringField(553, self.user))
            message.setField(fix.StringField(554, self.password))

    def fromAdmin(self, message, session):
        pass

    def toApp(self, message, session):
        pass

    def fromApp(self, message, session):
        pass

    def send(self, kind, *fields):
        # What is sent while the session is down would be numbered all the same.
        self.logged_on.wait()
        self.count += 1
        name = f"order-{self.count}"
        message = fix.Message()
        message.getHeader().setField(fix.StringField(35, kind))
        for tag, value in ((11, name), *fields, (60, time.strftime("%Y%m%d-%H:%M:%S", time.gmtime()))):
            message.setField(fix.StringField(tag, value))
        assert fix.Session.sendToTarget(message, self.session)
        return name

    def obey(self, words):
        match words:
            case ["order", side, quantity, symbol, price]:
                self.side, self.symbol = {"buy": "1", "sell": "2"}[side], symbol
                order = ((55, symbol), (54, self.side), (38, quantity), (40, "2"), (44, price))
                self.last = self.send("D", *order)
            case ["cancel"]:
                self.send("F", (41, self.last), (55, self.symbol), (54, self.side))
            case ["logout"]:
                fix.Session.lookupSession(self.session).logout()
            case other:
                raise SystemExit(f"cannot do {other}")


def deafened(host, port):
    """A relay to the venue that swallows what asks for a resend; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def carry(source, sink, swallow):
        buffer = b""
        try:
            while got := source.recv(65536):
                buffer += got
                # A message ends behind its checksum.
                while (end := buffer.find(b"\x0110=")) >= 0 and len(buffer) >= end + 8:
                    frame, buffer = buffer[: end + 8], buffer[end + 8 :]
                    if not (swallow and b"\x0135=2\x01" in frame):
                        sink.sendall(frame)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def serve():
        while True:
            client, _ = listener.accept()
            try:
                venue = socket.create_connection((host, port))
            except OSError:
                client.close()
                continue
            threading.Thread(target=carry, args=(client, venue, False), daemon=True).start()
            threading.Thread(target=carry, args=(venue, client, True), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def main():
    host, port, user, venue, password, folder, *options = sys.argv[1:]
    if "--deaf" in options:
        host, port = "127.0.0.1", deafened(host, int(port))
    settings = Path(folder) / "quickfix.cfg"
    settings.write_text(f"""[DEFAULT]
ConnectionType=initiator
ReconnectInterval=1
FileStorePath={folder}/store
StartTime=00:00:00
EndTime=00:00:00
UseDataDictionary=Y
DataDictionary={SPEC}
HeartBtInt=30
SocketConnectHost={host}
SocketConnectPort={port}
[SESSION]
BeginString=FIX.4.4
SenderCompID={user}
TargetCompID={venue}
""")
    client = Client(user, password)
    parsed = fix.SessionSettings(str(settings))
    initiator = fix.SocketInitiator(client, fix.FileStoreFactory(parsed), parsed)
    initiator.start()
    for line in sys.stdin:
        client.obey(line.split())
    initiator.stop(True)


main()
