"""Debian's stunnel in front of both doors: clients with a certificate of the authority trade as ever, others do not come in."""

import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

from exchange import PATIENCE_S, stop, up
from fix import FixClient
from soup import OuchClient

CONFIGURATION = Path(__file__).parent.parent.parent / "gateway" / "server" / "tls" / "stunnel.conf"


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def certificates(folder):
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca", "-days", "2")
    (folder / "names").write_text("subjectAltName=DNS:localhost")
    for who in ("server", "client"):
        openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{who}.key", "-out", f"{who}.csr", "-subj", f"/CN={who}")
        openssl(folder, "x509", "-req", "-in", f"{who}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{who}.pem", "-days", "2", "-extfile", "names")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wrapped(folder, port, certified=True):
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    if certified:
        context.load_cert_chain(folder / "client.pem", folder / "client.key")
    sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    return context.wrap_socket(sock, server_hostname="localhost")


class Through:
    """Makes the clients' connections go through TLS: they know nothing of it."""

    def __init__(self, folder, plain):
        self.folder, self.plain = folder, plain

    def create_connection(self, address, timeout=None):
        port = address[1]
        return wrapped(self.folder, port) if port in self.plain else socket.create_connection(address, timeout)


def main():
    import fix
    import soup

    with tempfile.TemporaryDirectory(prefix="rialto-stunnel-") as folder:
        folder = Path(folder)
        certificates(folder)
        exchange, ready = up(folder / "data")
        ports = {"FIX_TLS": free_port(), "OUCH_TLS": free_port()}
        text = CONFIGURATION.read_text()
        values = {"FOLDER": folder, "FIX": ready["fix"], "OUCH": ready["ouch"]}
        values |= {name: f"127.0.0.1:{port}" for name, port in ports.items()}
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        (folder / "stunnel.conf").write_text(text)
        tunnel = subprocess.Popen(["stunnel4", str(folder / "stunnel.conf")], stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + PATIENCE_S
            while True:
                try:
                    wrapped(folder, ports["FIX_TLS"]).close()
                    break
                except ConnectionRefusedError:
                    assert time.monotonic() < deadline, "stunnel does not listen"
                    time.sleep(0.05)
            through = Through(folder, ports.values())
            fix.socket = soup.socket = through
            tls = {"fix": f"127.0.0.1:{ports['FIX_TLS']}", "ouch": f"127.0.0.1:{ports['OUCH_TLS']}"}
            seller = OuchClient(tls["ouch"], "alpha1", "rialto")
            seller.login()
            seller.enter(1, b"S", 100, "ACME", 1_000_000, "tls")
            seller.expect(b"A")
            buyer = FixClient(tls, "BETA")
            buyer.log_on()
            buyer.order("tls", 1, 100, "100.00")
            buyer.expect("8", _150=0)
            buyer.expect("8", _150="F", _39=2)
            seller.expect(b"E")
            try:
                stranger = wrapped(folder, ports["FIX_TLS"], certified=False)
                stranger.sendall(b"8=FIX.4.4\x01")
                assert stranger.recv(1) == b"", "a client without a certificate was heard"
            except (ssl.SSLError, ConnectionError):
                pass
            stop(exchange)
        finally:
            tunnel.kill()
            exchange.kill()
    print("stunnel: OUCH and FIX traded over TLS with client certificates; without one nobody comes in")


if __name__ == "__main__":
    main()
