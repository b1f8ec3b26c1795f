"""What a command shows to who waits for it: at a terminal that it is at work, from a second on, until it prints anything; nothing
where standard error is no terminal or a program reads. An exchange of a few lines takes its time with the answer."""

import os
import pty
import select
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from exchange import BINARY, PATIENCE_S

SHOWN = "waiting for an answer"
ANSWER = b'{"ok":{"lines":[{"seq":7}],"notes":[]}}\n'
LATE_S = 1.5  # where nothing is to be shown


def answer(listener, ready):
    """Answers one question, once it is time."""
    connection, _ = listener.accept()
    with connection:
        connection.recv(4_096)
        assert ready.wait(PATIENCE_S), "nobody says that it is time"
        connection.sendall(ANSWER)


def told(listener, folder, terminal, *options):
    """Asks how the exchange stands: what came on standard output, and what on standard error."""
    ready = threading.Event()
    exchange = threading.Thread(target=answer, args=(listener, ready), daemon=True)
    exchange.start()
    end, other = pty.openpty() if terminal else os.pipe()
    command = [BINARY, "status", "--data", folder, *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=other, env={**os.environ, "TERM": "xterm"})
    os.close(other)
    begun, seen = time.monotonic(), ""
    wanted = terminal and "--json" not in options
    while True:
        waited = time.monotonic() - begun
        assert waited < PATIENCE_S, f"not shown: {seen!r}"
        if SHOWN in seen or (not wanted and waited > LATE_S):
            ready.set()
        if select.select([end], [], [], 0.1)[0]:
            try:
                piece = os.read(end, 65_536)
            except OSError:  # a terminal that nobody has open any more
                piece = b""
            if not piece:
                break
            seen += piece.decode(errors="replace")
    output, _ = process.communicate(timeout=PATIENCE_S)
    exchange.join(PATIENCE_S)
    os.close(end)
    assert process.returncode == 0, seen
    return output.decode(), seen


def main():
    with tempfile.TemporaryDirectory(prefix="rialto-waiting-") as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(Path(folder) / "admin.sock"))
        listener.listen()
        said, seen = told(listener, folder, True)
        assert "seq" in said and SHOWN in seen, (said, seen)
        # The line is cleared in the end.
        assert SHOWN not in seen.rsplit("\r", 1)[1], seen
        for terminal, options in ((True, ("--json",)), (False, ())):
            said, seen = told(listener, folder, terminal, *options)
            assert "7" in said and not seen, (terminal, options, said, seen)
    print("who waits at a terminal sees it, and no program does")


main()
