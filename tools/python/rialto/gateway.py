"""The HTTP gateway of an exchange."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from rialto import market, orders
from rialto.market import Picture
from rialto.orders import Order, Refused

TIMEOUT_S = 30.0


class Gateway:
    """The exchange at a console's address, such as `rialto up` prints: `http://127.0.0.1:26404/#key=...`.

    Without the key it can look and not act.
    """

    def __init__(self, console: str, timeout_s: float = TIMEOUT_S) -> None:
        parts = urllib.parse.urlsplit(console if "//" in console else f"http://{console}")
        if not parts.netloc:
            raise ValueError(f"{console!r} is no address of a gateway: use http://HOST:PORT/#key=KEY")
        self._host = parts.netloc
        self._key = parts.fragment.removeprefix("key=")
        self._timeout_s = timeout_s

    def picture(self) -> Picture:
        """The market now."""
        return market.picture(self._call("GET", "/api/v1/picture"))

    def at(self, seq: int) -> Picture:
        """The market behind command `seq`, from the journal."""
        return market.picture(self._call("GET", f"/api/v1/at/{seq}"))

    def stream(self) -> Iterator[Picture]:
        """The market as it changes: the newest picture as often as it is taken. Ends with the connection."""
        import websocket

        socket = websocket.create_connection(f"ws://{self._host}/api/v1/stream", timeout=self._timeout_s)
        try:
            while text := socket.recv():
                told = json.loads(text)
                if "picture" in told:
                    yield market.picture(told["picture"])
        except websocket.WebSocketConnectionClosedException:
            return
        finally:
            socket.close()

    def orders(self) -> list[Order]:
        """The orders of the gateway's own session."""
        return [orders.order(told) for told in self._call("GET", "/api/v1/orders")]

    def buy(self, symbol: str, quantity: int, price: Decimal | None = None, tif: str = "day") -> Order:
        """Enters an order to buy; without a price at any. `Refused` says why it was not taken."""
        return self._enter("buy", symbol, quantity, price, tif)

    def sell(self, symbol: str, quantity: int, price: Decimal | None = None, tif: str = "day") -> Order:
        """Enters an order to sell; without a price at any. `Refused` says why it was not taken."""
        return self._enter("sell", symbol, quantity, price, tif)

    def cancel(self, order: Order | int) -> Order:
        """Takes an order off."""
        number = order if isinstance(order, int) else order.number
        return orders.order(self._call("DELETE", f"/api/v1/orders/{number}"))

    def explain(self, order_id: int) -> list[dict[str, Any]]:
        """Why the order with the venue's number `order_id` fared as it did, a line for each event."""
        return self.ask({"ask": "explain", "order": order_id})

    def stages(self) -> dict[str, Any]:
        """How long orders took at each stage, in percentiles, as `/api/v1/stages` tells."""
        told: dict[str, Any] = self._call("GET", "/api/v1/stages")
        return told

    def phase(self, symbol: str, phase: str) -> list[dict[str, Any]]:
        """Brings an instrument into another phase, as the venue's operator."""
        return self.ask({"ask": "operate", "act": {"act": "phase", "symbol": symbol, "phase": phase}})

    def ask(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        """Any question to the administration socket, in its own terms; the lines of the answer."""
        lines: list[dict[str, Any]] = self._call("POST", "/api/v1/ask", request)["lines"]
        return lines

    def _enter(self, side: str, symbol: str, quantity: int, price: Decimal | None, tif: str) -> Order:
        ticket = {
            "symbol": symbol,
            "side": side,
            "quantity": quantity,
            "price": None if price is None else str(price),
            "tif": tif,
        }
        return orders.order(self._call("POST", "/api/v1/orders", ticket))

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            f"http://{self._host}{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"X-Rialto-Key": self._key, "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            problem = json.load(error)
            raise Refused(error.code, problem.get("detail", error.reason), problem.get("mend", "")) from None
