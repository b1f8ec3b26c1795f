"""A configured exchange (`rialto serve`) with as many sessions as a check wants, all with the password `rialto`."""

import json
import subprocess
import tomllib
from pathlib import Path

from exchange import BINARY, DAY, PATIENCE_S, stop, up


def hash_of_password(folder):
    """The hash of the password, as the development exchange made it: one serves every session here."""
    data = Path(folder) / "seed"
    process, _ = up(data)
    stop(process)
    return next(iter(tomllib.loads((data / "credentials.toml").read_text())["sessions"].values()))


def serve(folder, sessions, extra="", fix=""):
    """`sessions`: (name, door, further lines); `fix`: lines of the FIX door. Returns the process and what it said when it was ready."""
    folder = Path(folder)
    data = folder / "data"
    data.mkdir(exist_ok=True)
    secret = hash_of_password(folder)
    credentials = data / "credentials.toml"
    credentials.touch(mode=0o600)
    lines = "".join(f'"{name.upper()}" = "{secret}"\n' for name, *_ in sessions)
    credentials.write_text("[sessions]\n" + lines)
    toml = f"""data = "data"
durability = "memory"
{extra}
[ouch]
listen = "127.0.0.1:0"
[fix]
listen = "127.0.0.1:0"
{fix}
[feed]
line_a = "239.192.77.1:0"
line_b = "239.192.77.2:0"
rerequest = "127.0.0.1:0"
[[instrument]]
symbol = "ACME"
[[firm]]
name = "Alpha"
mpid = "ALFA"
"""
    for name, door, *more in sessions:
        toml += f'[[firm.session]]\nname = "{name}"\ndoor = "{door}"\n' + "".join(f"{line}\n" for line in more)
    config = folder / "rialto.toml"
    config.write_text(toml)
    command = [BINARY, "serve", "--config", str(config), "--trading-day", DAY, "--json"]
    log = open(folder / "log", "w")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    line = process.stdout.readline()
    assert line, f"no ready line, exit code {process.wait(PATIENCE_S)}: {(folder / 'log').read_text()}"
    return process, json.loads(line), data
