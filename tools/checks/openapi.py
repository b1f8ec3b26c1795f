"""schemathesis on the gateway's OpenAPI document, once in each role: no 5xx, no answer that the document does not know.

RIALTO_SEED and RIALTO_EXAMPLES (cases of an operation, 10) make a longer or another run of it. The WebSockets are left out, for
it opens none; so is health, whose 503 is what it is for."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from exchange import ask, stop, up

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"
LEFT_OUT = ("/api/v1/stream", "/api/v1/member/stream", "/health", "/healthz")
# A key of its own is for these paths, and is asked no faster than it may be: most answers would be 429 otherwise.
OWN = ("--include-path-regex", "member/|portfolio", "--rate-limit", "19/s")
VENUES = ("--include-path-regex", "ask|faults", "--rate-limit", "19/s")
ROLES = (("trader", "1", OWN), ("risk", "1", OWN), ("read-only", "2", OWN), ("operator", "0", VENUES))


def run(base, seed, headers, more):
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{base}/api/v1/openapi.json", "--url", base]
    command += ["--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--seed", str(seed), "--workers", "1"]
    command += ["--max-examples", os.environ.get("RIALTO_EXAMPLES", "10"), "--continue-on-failure", "--no-color"]
    command += ["--suppress-health-check", "all", "--warnings", "off", "--generation-database", "none"]
    command += more
    for path in LEFT_OUT:
        command += ["--exclude-path", path]
    for header in headers:
        command += ["--header", header]
    return subprocess.run(command, cwd=tempfile.gettempdir()).returncode


def main():
    seed = int(os.environ.get("RIALTO_SEED", "1"))
    print(f"seed {seed} (RIALTO_SEED)", flush=True)
    failed = []
    with tempfile.TemporaryDirectory(prefix="rialto-openapi-") as folder:
        data = Path(folder) / "data"
        process, ready = up(data)
        try:
            base, key = f"http://{ready['http']}", ready["console"].split("#key=")[1]
            runs = {"nobody": ((), ()), "venue": ((f"X-Rialto-Key: {key}",), ())}
            for role, firm, paths in ROLES:
                made = ask("member", "key", "add", role, "--firm", firm, "--role", role, "--data", data)
                runs[role] = ((f"Authorization: Bearer {role}:{made['secret']}",), paths)
            for who, (headers, paths) in runs.items():
                print(f"== {who}", flush=True)
                if run(base, seed, headers, paths) != 0:
                    failed.append(who)
        finally:
            stop(process)
    assert not failed, f"schemathesis found something as {', '.join(failed)}"
    print("the gateway answers as its document says")


main()
