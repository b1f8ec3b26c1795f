"""Runs the pages of tools/docs. The `sh` blocks of a page are one bash session in an empty folder; each line of an `expect`
block is a regular expression that the output of the block before must contain. Each page has a network of its own where the
system allows it, so that the documented ports are free."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from exchange import BINARY, PATIENCE_S

DOCS = Path(__file__).parent.parent / "docs"
FENCE = re.compile(r"^```(sh|expect)\n(.*?)^```$", re.M | re.S)
MARK = "-- block"


def isolated():
    """What gives a command a network of its own, or nothing where that is not allowed."""
    own = ["unshare", "--map-root-user", "--net"]
    try:
        done = subprocess.run([*own, "ip", "link", "set", "lo", "up"], capture_output=True)
    except FileNotFoundError:
        return []
    return own if done.returncode == 0 else []


def script(blocks):
    # What a page left running would hold its output open.
    parts = ["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT", "ip link set lo up 2>/dev/null || true"]
    for number, block in enumerate(blocks):
        parts += [f"printf '\\n{MARK} {number}\\n'", block]
    return "\n".join(parts)


def run(page):
    text = page.read_text()
    if "Needs: data" in text and not Path(os.environ["RIALTO_DATA"], "lobster").is_dir():
        print(f"SKIPPED: {page.name}: no market data at {os.environ['RIALTO_DATA']}")
        return
    defects = os.environ.get("RIALTO_DEFECTS", f"{BINARY}-defects")
    if "Needs: defects" in text and not Path(defects).exists():
        print(f"SKIPPED: {page.name}: no build with the feature `defects` at {defects}")
        return
    found = FENCE.findall(text)
    blocks, wanted = [], []
    for kind, body in found:
        if kind == "sh":
            blocks.append(body)
            wanted.append([])
        else:
            wanted[-1] += body.splitlines()
    if not blocks:
        return
    paths = [str(Path(BINARY).resolve().parent), str(Path(sys.executable).parent), os.environ["PATH"]]
    data = str(Path(os.environ["RIALTO_DATA"]).resolve())
    env = {**os.environ, "PATH": ":".join(paths), "RIALTO_DATA": data, "RIALTO_DEFECTS": defects, "RIALTO_ROOT": str(DOCS.parent.parent.resolve())}
    with tempfile.TemporaryDirectory(prefix="rialto-docs-") as folder:
        done = subprocess.run(
            [*isolated(), "bash", "-c", script(blocks)],
            cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=3 * PATIENCE_S,
        )  # fmt: skip
    told = re.split(rf"^{MARK} \d+$", done.stdout, flags=re.M)[1:]
    assert done.returncode == 0, f"{page.name}: exit code {done.returncode}\n{done.stdout}"
    for number, lines in enumerate(wanted):
        for line in lines:
            assert re.search(line, told[number], re.M), f"{page.name}, block {number + 1}: {line!r} is not in\n{told[number]}"
    print(f"{page.name}: {len(blocks)} blocks, {sum(map(len, wanted))} lines as expected")


for one in sorted(DOCS.glob("*.md")):
    run(one)
