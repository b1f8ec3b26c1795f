"""The HTTP column of the door matrix (gateway/server/MATRIX.md): every cell that asks for something is sent to a running
exchange, and answered as it says."""

import json
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from exchange import PATIENCE_S, stop, up

MATRIX = Path(__file__).parents[2] / "gateway/server/MATRIX.md"
NUMBERS = {"quantity", "display", "minimum"}


def request(method, url, key, body=None):
    """Status and text."""
    data = None if body is None else json.dumps(body).encode()
    wish = urllib.request.Request(url, data=data, method=method, headers={"X-Rialto-Key": key})
    try:
        with urllib.request.urlopen(wish, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def cells():
    """What is sent and what must come, for every row that sends anything, and how many rows say that nothing can be said."""
    rows = [line for line in MATRIX.read_text().splitlines() if line.startswith("| ")]
    told, unsaid = [], 0
    assert rows[0].endswith("| HTTP |"), rows[0]
    for row in rows[1:]:
        columns = [column.strip() for column in row.strip("|").split(" | ")]
        feature, cell = columns[0], columns[-1]
        if cell.startswith("not said: "):
            unsaid += 1
            continue
        sent, answer = cell.replace("refused: ", "").split(" → ")
        told.append((feature, sent.strip("`"), answer.strip("`")))
    return told, unsaid


def order(text, symbols):
    """The order that a cell's words make of the usual one."""
    body = {"symbol": "ABC", "side": "buy", "quantity": 10}
    for word in text.split():
        name, value = word.split("=")
        if name in NUMBERS:
            value = int(value)
        elif value in ("true", "false"):
            value = value == "true"
        body[name] = value
    body["symbol"] = symbols.get(body["symbol"], body["symbol"])
    return body


def main():
    told, unsaid = cells()
    with tempfile.TemporaryDirectory(prefix="rialto-http-") as folder:
        process, ready = up(Path(folder) / "data")
        try:
            base, key = f"http://{ready['http']}", ready["console"].split("#key=")[1]
            post = lambda path, body: request("POST", f"{base}{path}", key, body)  # noqa: E731
            deadline = time.monotonic() + PATIENCE_S
            while True:
                listed = json.loads(request("GET", f"{base}/api/v1/picture", key)[1]).get("instruments", [])
                if len(listed) > 1:
                    break
                assert time.monotonic() < deadline, "no instruments"
                time.sleep(0.05)
            symbols = dict(zip(("ABC", "XYZ"), (one["symbol"] for one in listed)))
            act = {"act": "rules"}
            for symbol, rules in (("ABC", "full"), ("XYZ", {"offers": ["LIMIT", "MARKET", "DAY"]})):
                status, answer = post("/api/v1/ask", {"ask": "operate", "act": {**act, "symbol": symbols[symbol], "rulebook": rules}})
                assert status == 200, answer
            rests = {"symbol": symbols["ABC"], "side": "sell", "quantity": 1000, "price": "10.00"}
            while (answer := post("/api/v1/orders", rests))[0] == 503:
                assert time.monotonic() < deadline, answer
                time.sleep(0.05)
            assert answer[0] == 200, answer
            for feature, sent, wanted in told:
                if sent.split(" ")[0] in ("GET", "DELETE", "POST", "PUT"):
                    method, path = sent.split(" ")
                    status, text = request(method, base + path, key, None if method == "GET" else {})
                else:
                    status, text = post("/api/v1/orders", order(sent, symbols))
                code, _, words = wanted.partition(" ")
                for symbol, own in symbols.items():
                    words = words.replace(symbol, own)
                said = text.replace("`", "")
                # Words of an error stand together; those of an answer anywhere in it.
                there = words in said if status >= 400 else all(word in said for word in words.split())
                assert status == int(code) and there, f"{feature}: {sent} was answered by {status} {text}, not {wanted}"
        finally:
            stop(process)
    print(f"{len(told)} cells played, {unsaid} say that HTTP has no words for it")


main()
