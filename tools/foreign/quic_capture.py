"""tshark as a judge of QUIC: captures what goes to and from the server's port, decrypts it with the client's keys, and says what it
saw beside what the client counted."""

import re
import signal
import socket
import subprocess
import time

PATIENCE_S = 60


class Capture:
    """Of one UDP port on loopback, from before the first packet on."""

    def __init__(self, folder, port):
        self.file, self.keys, self.port = folder / "quic.pcapng", folder / "quic.keys", port
        command = ["tshark", "-i", "lo", "-B", "64", "-q", "-f", f"udp port {port}", "-w", str(self.file)]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        deadline = time.monotonic() + PATIENCE_S
        self.probes = 0
        while not (self.file.exists() and b"probe of the capture" in self.file.read_bytes()):
            assert time.monotonic() < deadline, "tshark does not capture"
            probe.sendto(b"probe of the capture", ("127.0.0.1", port))
            time.sleep(0.1)
        self.here = probe.getsockname()[1]
        probe.close()

    def stop(self):
        time.sleep(1)  # the capture writes behind; what it lacks fails the counts
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE_S)

    def fields(self, display_filter, *names):
        command = ["tshark", "-r", str(self.file), "-d", f"udp.port=={self.port},quic", "-o", f"tls.keylog_file:{self.keys}"]
        command += ["-Y", f"({display_filter}) && udp.port != {self.here}", "-T", "fields", "-E", "occurrence=a"]
        for name in names:
            command += ["-e", name]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()

    def judge(self, sent, received, told):
        """sent, received: datagrams by the client's own count; told: bytes of the feed's stream that it was given."""
        to_server = len(self.fields(f"quic && udp.dstport == {self.port}", "frame.number"))
        to_client = len(self.fields(f"quic && udp.srcport == {self.port}", "frame.number"))
        malformed = self.fields("_ws.malformed", "frame.number", "_ws.col.Info")
        # The feed is the client's first stream. A frame's bytes may come again: where they reach counts.
        reached = 0
        lines = self.fields(
            f"quic.stream.stream_id == 0 && udp.srcport == {self.port}", "quic.stream.stream_id", "quic.stream.offset", "quic.stream.length"
        )
        for line in lines:
            ids, offsets, lengths = ([int(n, 0) for n in re.findall(r"0x[0-9a-f]+|\d+", part)] for part in line.split("\t"))
            # The first frame of a stream states no offset.
            offsets = [0] * (len(ids) - len(offsets)) + offsets
            for stream, offset, length in zip(ids, offsets, lengths):
                if stream == 0:
                    reached = max(reached, offset + length)
        report = f"to the server {to_server} of {sent} sent, to the client {to_client} of {received} received, "
        report += f"{len(lines)} packets of the feed decrypted up to byte {reached} of {told} told, {len(malformed)} malformed"
        assert to_server == sent > 0, report
        # What comes behind the client's goodbye is captured and not received.
        assert received <= to_client <= received + 16 and received > 0, report
        assert reached >= told > 0 and not malformed, report
        return report
