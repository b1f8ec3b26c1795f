"""The scenarios of the public acceptance suites (`fix-at` in the data folder) against `rialto serve`: all but those that
expect an application that echoes orders, for the exchange answers them. Those are played against `fix-echo` by the tests of
gateway/fix. Text and order of fields count.

    fix_suites.py [NAME]     only scenarios whose name has NAME in it

A line of a scenario: `i` connects or disconnects, `e` the peer does; `I` is sent (9 and 10 are added where they are absent),
`E` must come. `I2,` and so on are of a second connection.
"""

import datetime
import os
import re
import socket
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from exchange import PATIENCE_S, stop
from served import serve

SUITES = [("fix42", "TW42", 44), ("fix44", "TW44", 45), ("fix50sp2", "TW50SP2", 46)]
# Each exchange plays a share: most scenarios wait for heartbeats, and several waits pass at once.
EXCHANGES = 4
STEP = re.compile(r"([IEie])(?:(\d),)?(.*)")
DATED = {"42", "52", "60", "122"}


class Failed(Exception):
    pass


def dated(text):
    def moment(match):
        at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=int(match[1] or 0))
        return at.strftime("%Y%m%d-%H:%M:%S")

    return re.sub(r"<TIME([+-]\d+)?>", moment, text)


def encoded(text):
    text = dated(text)
    if not text.startswith("8="):
        return text.encode("latin-1")
    head, rest = text.split("\x01", 1)
    trailer = re.search(r"(?:^|(?<=\x01))10=[^\x01]*\x01$", rest)
    body = rest[: trailer.start()] if trailer else rest
    if "\x019=" not in "\x01" + body:
        body = f"9={len(body)}\x01{body}"
    message = f"{head}\x01{body}".encode("latin-1")
    return message + (trailer[0].encode() if trailer else b"10=%03d\x01" % (sum(message) % 256))


class Peer:
    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.sock = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.bytes = b""

    def more(self):
        try:
            read = self.sock.recv(65536)
        except ConnectionError:
            read = b""
        self.bytes += read
        return bool(read)

    def message(self):
        while True:
            if framed := re.match(rb"8=[^\x01]*\x019=(\d+)\x01", self.bytes):
                end = framed.end() + int(framed[1]) + len("10=000\x01")
                if len(self.bytes) >= end:
                    message, self.bytes = self.bytes[:end], self.bytes[end:]
                    if message[-7:] != b"10=%03d\x01" % (sum(message[:-7]) % 256):
                        raise Failed(f"its framing: {message}")
                    return message.decode("latin-1")
            if not self.more():
                raise Failed("it hung up")

    def closed(self):
        while not self.bytes:
            if not self.more():
                self.sock.close()
                return
        raise Failed(f"it was to hang up, and said {self.bytes}")

    def leave(self):
        """Hangs up and waits until the other end has too."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
            while self.sock.recv(65536):
                pass
        except OSError:
            pass
        self.sock.close()


def fields(message):
    return [tuple(field.split("=", 1)) for field in message.split("\x01") if field]


def compare(wanted, told):
    wanted = [field for field in fields(dated(wanted)) if field[0] not in ("9", "10")]
    got = [field for field in fields(told) if field[0] not in ("9", "10")]
    same = len(wanted) == len(got) and all(
        tag == other and (value == told_value or tag in DATED) for (tag, value), (other, told_value) in zip(wanted, got)
    )
    if not same:
        raise Failed(f"wanted {wanted}, told {got}")


def play(path, address):
    """Why it failed; nothing where it passed."""
    peers = {}
    try:
        for line, text in enumerate(path.read_text("latin-1").split("\n"), 1):
            step = STEP.match(text.rstrip("\r"))
            if text.startswith("#") or not step:
                continue
            what, number, rest = step[1], step[2] or "1", step[3]
            try:
                match what:
                    case "i" if rest == "CONNECT":
                        peers[number] = Peer(address)
                    case "i":
                        peers.pop(number).leave()
                    case "e":
                        peers.pop(number).closed()
                    case "I":
                        peers[number].sock.sendall(encoded(rest))
                    case "E":
                        compare(rest, peers[number].message())
            except (Failed, OSError) as error:
                return f"line {line}: {error}"
    finally:
        for peer in peers.values():
            peer.leave()


def echoes(path):
    """Whether the scenario expects what it sends sent back."""
    return bool(re.search(r"^E.*\x0135=[Dcd]\x01", path.read_text("latin-1"), re.MULTILINE))


def main():
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    suites = Path(os.environ["RIALTO_DATA"]) / "fix-at"
    begun, failed = time.monotonic(), 0
    with tempfile.TemporaryDirectory(prefix="rialto-suites-") as folder:
        sessions = [(name, "fix", "no_password = true", "reset_on_logon = true") for _, name, _ in SUITES]
        exchanges = []
        try:
            for number in range(EXCHANGES):
                own = Path(folder) / str(number)
                own.mkdir()
                exchanges.append(serve(own, sessions, fix="comp_id = \"ISLD\""))

            def share(suite, number):
                paths = sorted(path for path in (suites / suite).glob("*.def") if not echoes(path))
                address = exchanges[number][1]["fix"]
                return [(path, play(path, address)) for path in paths[number::EXCHANGES] if only in path.name]

            with ThreadPoolExecutor(len(SUITES) * EXCHANGES) as pool:
                shares = {suite: [pool.submit(share, suite, n) for n in range(EXCHANGES)] for suite, _, _ in SUITES}
                for suite, _, scenarios in SUITES:
                    played = [one for part in shares[suite] for one in part.result()]
                    bad = [(path.name, why) for path, why in played if why]
                    for name, why in bad:
                        print(f"{suite}/{name}: {why}")
                    print(f"{suite}: {len(played) - len(bad)} of {len(played)} scenarios passed", flush=True)
                    failed += len(bad)
                    assert only or len(played) == scenarios, f"{suite} has {len(played)} scenarios, not {scenarios}"
        finally:
            for process, *_ in exchanges:
                stop(process)
    print(f"{time.monotonic() - begun:.0f} s")
    sys.exit(min(failed, 100))


main()
