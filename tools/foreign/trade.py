"""Two foreign clients trade across the doors; foreign decoders judge every frame that the exchange sent.

- raw OUCH bytes on one side, simplefix on the other;
- tshark decodes each SoupBinTCP and MoldUDP64 frame: none malformed, as many as the exchange says it sent;
- itchfeed parses every ITCH message.
"""

import json
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

from itch.parser import MessageParser

from fix import FixClient
from soup import OuchClient

BINARY = sys.argv[1]
PATIENCE_S = 60


def main():
    with tempfile.TemporaryDirectory(prefix="rialto-foreign-") as folder:
        capture, file = capture_start(Path(folder))
        exchange, ready = start(Path(folder) / "data")
        try:
            feed = Feed(ready)
            trade(ready)
            feed.read_until(executions=2)
            exchange.send_signal(signal.SIGINT)
            stopped = json.loads(exchange.stdout.readlines()[-1])
            assert exchange.wait(PATIENCE_S) == 0, "the exchange did not end well"
            feed.drain()
            capture_stop(capture)
        finally:
            exchange.kill()
            capture.kill()
        judge(file, ready, stopped, feed)


def start(data):
    command = [BINARY, "up", "--agents", "0", "--json", "--data", str(data)]
    exchange = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    ready = json.loads(exchange.stdout.readline())
    assert ready["ready"] is True, ready
    return exchange, ready


def port(address):
    return int(address.rsplit(":", 1)[1])


def capture_start(folder):
    """Starts tshark and returns when it has seen a packet of ours, so that nothing after is missed. It takes all of the
    loopback interface, because the ports are not known before the exchange is."""
    file = folder / "capture.pcapng"
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.bind(("127.0.0.1", 0))
    here = probe.getsockname()
    command = ["tshark", "-i", "lo", "-B", "64", "-q", "-w", str(file)]
    capture = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        assert time.monotonic() < deadline, "tshark does not capture"
        probe.sendto(b"probe of the capture", here)
        time.sleep(0.1)
        if file.exists() and b"probe of the capture" in file.read_bytes():
            return capture, file


class Feed:
    """Line A, joined by hand."""

    def __init__(self, ready):
        group, number = ready["mold_a"].rsplit(":", 1)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sock.bind((group, int(number)))
        member = socket.inet_aton(group) + socket.inet_aton("127.0.0.1")
        self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        self.sock.settimeout(1)
        self.parser = MessageParser()
        self.kinds = {}

    def take(self):
        try:
            packet = self.sock.recv(65536)
        except TimeoutError:
            return False
        count = struct.unpack_from(">H", packet, 18)[0]
        at = 20
        for _ in range(0 if count == 0xFFFF else count):
            (length,) = struct.unpack_from(">H", packet, at)
            message = packet[at + 2 : at + 2 + length]
            parsed = self.parser.get_message_type(message)
            assert parsed.message_size == length, f"{message!r} has {length} bytes, not {parsed.message_size}"
            kind = message[:1].decode()
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            at += 2 + length
        assert at == len(packet), "bytes behind the last block"
        return True

    def read_until(self, executions):
        deadline = time.monotonic() + PATIENCE_S
        while self.kinds.get("E", 0) < executions:
            assert time.monotonic() < deadline, f"the feed shows {self.kinds}"
            self.take()

    def drain(self):
        while self.take():
            pass


def trade(ready):
    ouch = OuchClient(ready["ouch"], "alpha1", "rialto")
    ouch.login()
    fix = FixClient(ready, "BETA")
    fix.log_on()

    # OUCH sells, FIX lifts it in two parts.
    ouch.enter(1, b"S", 300, "ACME", 1_000_000, "sell-1")
    accepted = ouch.expect(b"A")
    assert struct.unpack_from(">I", accepted, 9)[0] == 1, accepted
    fix.order("buy-1", 1, 100, "100.00")
    fix.expect("8", _150=0, _39=0, _11="buy-1")
    fix.expect("8", _150="F", _39=2, _32=100, _31=Decimal("100.00"), _14=100, _151=0)
    executed = ouch.expect(b"E")
    assert struct.unpack_from(">I", executed, 13)[0] == 100, executed
    fix.order("buy-2", 1, 50, "100.10")
    fix.expect("8", _150=0, _11="buy-2")
    fix.expect("8", _150="F", _31=Decimal("100.00"), _32=50)
    ouch.expect(b"E")

    # FIX rests, changes and cancels; a cancel of a dead order is refused.
    fix.order("buy-3", 1, 70, "99.50")
    fix.expect("8", _150=0, _11="buy-3", _151=70)
    now = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())
    fix.send("G", (41, "buy-3"), (11, "buy-4"), (55, "ACME"), (54, 1), (60, now), (38, 60), (40, 2), (44, "99.50"))
    fix.expect("8", _150=5, _11="buy-4", _41="buy-3", _151=60)
    fix.send("F", (41, "buy-4"), (11, "cxl-1"), (55, "ACME"), (54, 1), (60, now))
    fix.expect("8", _150=4, _41="buy-4", _151=0)
    fix.send("F", (41, "buy-4"), (11, "cxl-2"), (55, "ACME"), (54, 1), (60, now))
    fix.expect("9", _41="buy-4", _434=1)

    # OUCH: a resent order is one order; the rest of it is cancelled.
    ouch.enter(1, b"S", 300, "ACME", 1_000_000, "sell-1")
    ouch.cancel(1, 0)
    canceled = ouch.expect(b"C")
    assert struct.unpack_from(">I", canceled, 13)[0] == 150, canceled
    ouch.enter(2, b"B", 10, "NOSUCH", 1_000_000, "bad")
    ouch.expect(b"J")

    # Back on with the next number wanted 1: everything is said again, byte for byte.
    first = ouch.next_sequence
    ouch.close()
    deadline = time.monotonic() + PATIENCE_S
    while True:
        again = OuchClient(ready["ouch"], "alpha1", "rialto", next_sequence=1)
        try:
            again.login()
            break
        except (RuntimeError, EOFError):
            assert time.monotonic() < deadline, "alpha1 cannot log on again"
            time.sleep(0.05)
    replayed = [again.message()[1] for _ in range(first - 1)]
    assert accepted in replayed and executed in replayed and canceled in replayed
    again.send_packet(b"O")
    fix.send("5")
    fix.expect("5")


def fields(file, ready, display_filter, *names):
    decode = [f"udp.port=={port(ready[k])},moldudp64" for k in ("mold_a", "mold_b", "rerequest")]
    decode += [f"tcp.port=={port(ready['ouch'])},soupbintcp", f"tcp.port=={port(ready['fix'])},fix"]
    command = ["tshark", "-r", str(file), "-Y", display_filter, "-T", "fields", "-E", "occurrence=a", "-E", "separator=;"]
    for rule in decode:
        command += ["-d", rule]
    for name in names:
        command += ["-e", name]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return out.splitlines()


def capture_stop(capture):
    time.sleep(1)  # the capture writes behind; what it lacks fails the counts
    capture.send_signal(signal.SIGINT)
    capture.wait(PATIENCE_S)


def judge(file, ready, stopped, feed):
    soup = fields(file, ready, f"soupbintcp && tcp.srcport == {port(ready['ouch'])}", "soupbintcp.packet_type")
    soup_count = sum(len(line.split(",")) for line in soup)
    lines_ab = f"(udp.dstport == {port(ready['mold_a'])} || udp.dstport == {port(ready['mold_b'])})"
    mold_count = len(fields(file, ready, f"moldudp64 && {lines_ab}", "frame.number"))
    ours = " || ".join([*(f"udp.port == {port(ready[k])}" for k in ("mold_a", "mold_b", "rerequest")),
                        *(f"tcp.port == {port(ready[k])}" for k in ("ouch", "fix"))])  # fmt: skip
    malformed = fields(
        file, ready, f"(_ws.malformed || _ws.expert.severity == error) && ({ours})", "frame.number", "_ws.col.Info"
    )
    fix_count = len(fields(file, ready, f"fix && tcp.srcport == {port(ready['fix'])}", "frame.number"))
    report = {
        "soup_decoded": soup_count,
        "soup_sent": stopped["soup_packets_sent"],
        "mold_decoded": mold_count,
        "mold_sent": stopped["mold_packets_sent"],
        "fix_frames_decoded": fix_count,
        "malformed": len(malformed),
        "itch_parsed": feed.kinds,
    }
    print(json.dumps(report))
    assert soup_count > 0 and soup_count == stopped["soup_packets_sent"], "SoupBinTCP packets"
    assert mold_count > 0 and mold_count == stopped["mold_packets_sent"], "MoldUDP64 packets"
    assert fix_count > 0, "FIX frames"
    assert not malformed, f"malformed: {malformed}"
    assert feed.kinds.get("A") and feed.kinds.get("E") and feed.kinds.get("D"), feed.kinds


if __name__ == "__main__":
    main()
