"""The HTTP gateway of a running exchange: pictures come, an order goes in and out again, and the past that it shows is the
past that the command line tells when the exchange has stopped."""

import json
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from exchange import PATIENCE_S, ask, stop, until, up


def request(method, url, key="", body=None):
    """Status and parsed answer."""
    data = None if body is None else json.dumps(body).encode()
    wish = urllib.request.Request(url, data=data, method=method, headers={"X-Rialto-Key": key} if key else {})
    try:
        with urllib.request.urlopen(wish, timeout=PATIENCE_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def main():
    with tempfile.TemporaryDirectory(prefix="rialto-console-") as folder:
        data = Path(folder) / "data"
        process, ready = up(data, agents=4)
        base = f"http://{ready['http']}"
        key = ready["console"].split("#key=")[1]
        picture = lambda: request("GET", f"{base}/api/v1/picture")[1]  # noqa: E731
        until("a market", lambda: len(picture()["trades"]) > 20 and all(i["bids"] for i in picture()["instruments"]))

        order = {"symbol": "ACME", "side": "buy", "quantity": 100, "price": "1.00"}
        entered = lambda: request("POST", f"{base}/api/v1/orders", key, order)  # noqa: E731
        status, own = until("the desk", lambda: (e := entered())[0] != 503 and e)
        assert (status, own["state"], own["open"]) == (200, "live", 100), own
        status, refused = request("POST", f"{base}/api/v1/orders", key, {**order, "price": "1.005"})
        assert status == 422 and "invalid price" in refused["detail"] and refused["mend"], refused
        status, refused = request("POST", f"{base}/api/v1/orders", "wrong" * 8, order)
        assert status == 401, refused
        status, gone = request("DELETE", f"{base}/api/v1/orders/{own['order']}", key)
        assert (status, gone["state"]) == (200, "cancelled"), gone
        status, refused = request("DELETE", f"{base}/api/v1/orders/{own['order']}", key)
        assert status == 404 and "not live" in refused["detail"], refused

        # What comes of an order while the desk's connection is lost is told when it is back: here the cancel that the loss itself is.
        status, own = request("POST", f"{base}/api/v1/orders", key, order)
        assert (status, own["state"]) == (200, "live"), own
        ask("fault", "add", "cut", "disconnect", "--session", "alphaw", "--data", data)
        request("POST", f"{base}/api/v1/orders", key, order)
        ask("fault", "rm", "cut", "--data", data)
        listed = lambda: request("GET", f"{base}/api/v1/orders", key)[1]  # noqa: E731
        until("the cancel", lambda: next(one for one in listed() if one["order"] == own["order"])["state"] == "cancelled")

        last = picture()["seq"]
        places = sorted({1, last // 3, last // 2, last})
        shown = {seq: request("GET", f"{base}/api/v1/at/{seq}") for seq in places}
        assert all(status == 200 and told["seq"] == seq for seq, (status, told) in shown.items()), shown
        status, refused = request("GET", f"{base}/api/v1/at/{last + 10**9}")
        assert status == 404 and "there is no command" in refused["detail"], refused
        stop(process)
        for seq, (_, told) in shown.items():
            assert told["state_hash"] == ask("at", seq, "stats", "--data", data)["state_hash"], seq
        print(f"{len(places)} places of {last} commands shown alike by the console and the command line")


if __name__ == "__main__":
    main()
