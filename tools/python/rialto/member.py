"""A member firm at the HTTP gateway: orders, what became of them, and what is held."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from rialto.gateway import TIMEOUT_S
from rialto.orders import Refused

# Statuses that say later: the same wish may be sent again with the same idempotency key, and is carried out once.
LATER = (429, 503, 504)
AGAIN_S = 0.1
PAGE = 1_000

Row = TypeVar("Row")


@dataclass(frozen=True)
class Standing:
    """An order as the exchange took it."""

    user_ref: int
    replaces: int | None
    symbol: str
    side: str
    quantity: int
    price: Decimal | None
    state: str


@dataclass(frozen=True)
class Gone:
    """An order that was taken off."""

    user_ref: int
    state: str
    cancelled: int
    reason: str


@dataclass(frozen=True)
class Execution:
    """What the firm was told of an order of its own. Prices are in units of the instrument's scale, 0.0001 by default."""

    number: int
    seq: int
    stamp_ns: int
    what: str
    account: int
    session: int
    user_ref: int
    order: int
    instrument: int
    side: str | None
    price: int
    quantity: int
    leaves: int
    trade: int | None
    reason: str | None
    client_id: str


@dataclass(frozen=True)
class Missed:
    """Executions that the exchange has forgotten: from where to where."""

    first: int
    last: int


@dataclass(frozen=True)
class Position:
    """What is held of an instrument, by an account or, where that is None, in all. Paid is in price units, fees in hundredths
    of one."""

    account: int | None
    instrument: int
    net: int
    bought: int
    sold: int
    paid: int
    fees: int


@dataclass(frozen=True)
class MemberOrder:
    """An order of the firm, by whatever door it came."""

    seq: int
    order: int
    session: int
    user_ref: int
    account: int
    instrument: int
    side: str
    price: int
    leaves: int
    executed: int
    state: str


@dataclass(frozen=True)
class Fill:
    """One side of a trade. The fee is in hundredths of a price unit, a rebate below zero."""

    seq: int
    stamp_ns: int
    trade: int
    order: int
    account: int
    instrument: int
    side: str
    price: int
    quantity: int
    maker: bool
    fee: int
    busted: bool


class Member:
    """A firm by one of its keys, such as `rialto member key add NAME --firm N --role trader` gives.

    Whoever is told later is patient up to `timeout_s`: a wish has an idempotency key, so it is never carried out twice.
    """

    def __init__(self, gateway: str, name: str, secret: str, timeout_s: float = TIMEOUT_S) -> None:
        parts = urllib.parse.urlsplit(gateway if "//" in gateway else f"http://{gateway}")
        if not parts.netloc:
            raise ValueError(f"{gateway!r} is no address of a gateway: use http://HOST:PORT")
        self._host = parts.netloc
        self._bearer = f"Bearer {name}:{secret}"
        self._timeout_s = timeout_s

    def enter(
        self,
        symbol: str,
        side: str,
        quantity: int,
        price: Decimal | None = None,
        tif: str = "day",
        *,
        post_only: bool = False,
        hidden: bool = False,
        display: int | None = None,
        minimum: int | None = None,
        key: str | None = None,
    ) -> Standing:
        """Enters an order; without a price at any. `Refused` says why it was not taken. Who states a key may send the same
        order with it as often as wanted, also after a restart: it is one order, and has one answer."""
        ticket = {
            "symbol": symbol,
            "side": side,
            "quantity": quantity,
            "price": _text(price),
            "tif": tif,
            "post_only": post_only,
            "hidden": hidden,
            "display": display,
            "minimum": minimum,
        }
        return _standing(self._wish("POST", "/api/v1/member/orders", ticket, key))

    def buy(self, symbol: str, quantity: int, price: Decimal | None = None, tif: str = "day") -> Standing:
        """Enters an order to buy."""
        return self.enter(symbol, "buy", quantity, price, tif)

    def sell(self, symbol: str, quantity: int, price: Decimal | None = None, tif: str = "day") -> Standing:
        """Enters an order to sell."""
        return self.enter(symbol, "sell", quantity, price, tif)

    def replace(
        self, order: Standing | int, quantity: int, price: Decimal | None = None, *, key: str | None = None
    ) -> Standing:
        """Puts a new order in the place of one of this session; `quantity` counts what was executed already."""
        change = {"quantity": quantity, "price": _text(price)}
        return _standing(self._wish("PUT", f"/api/v1/member/orders/{_user_ref(order)}", change, key))

    def cancel(self, order: Standing | int) -> Gone:
        """Takes an order off."""
        told = self._later("DELETE", f"/api/v1/member/orders/{_user_ref(order)}")
        return Gone(**_own(Gone, told))

    def portfolio(self) -> Iterator[Position]:
        """What is held in all of each instrument, page by page."""
        return self._pages("/api/v1/portfolio", {}, _position)

    def positions(self, account: int | None = None) -> Iterator[Position]:
        """What is held by each account, or by one, page by page."""
        return self._pages("/api/v1/member/positions", {"account": account}, _position)

    def orders(self, account: int | None = None) -> Iterator[MemberOrder]:
        """The firm's open orders and the last that are over, page by page."""
        return self._pages("/api/v1/member/orders", {"account": account}, _member_order)

    def fills(self, account: int | None = None) -> Iterator[Fill]:
        """The firm's fills, page by page."""
        return self._pages("/api/v1/member/fills", {"account": account}, _fill)

    def executions(self, after: int = 0) -> Iterator[Execution | Missed]:
        """What the firm was told behind a number, up to now."""
        while True:
            told = self._later("GET", f"/api/v1/member/executions?after={after}&limit={PAGE}")
            yield from _executions(told)
            if told["next"] is None:
                return
            after = told["next"]

    def stream(self, after: int = 0) -> Iterator[Execution | Missed]:
        """What the firm is told behind a number, as it comes, over a WebSocket. Ends with the connection: the number of the
        last that came is where another one goes on. `Refused` says why the exchange ended it."""
        import websocket

        socket = websocket.create_connection(
            f"ws://{self._host}/api/v1/member/stream?after={after}",
            timeout=self._timeout_s,
            header=[f"Authorization: {self._bearer}"],
        )
        try:
            while text := socket.recv():
                told = json.loads(text)
                if (problem := told.get("problem")) is not None:
                    raise Refused(403, problem["detail"], problem["mend"])
                yield from _executions(told["executions"])
        except websocket.WebSocketConnectionClosedException:
            return
        finally:
            socket.close()

    def _wish(self, method: str, path: str, body: dict[str, Any], key: str | None) -> Any:
        return self._later(method, path, body, {"Idempotency-Key": key or str(uuid.uuid4())})

    def _pages(self, path: str, query: dict[str, int | None], row: Callable[[dict[str, Any]], Row]) -> Iterator[Row]:
        asked: dict[str, int] = {name: value for name, value in query.items() if value is not None}
        asked["limit"] = PAGE
        while True:
            told = self._later("GET", f"{path}?{urllib.parse.urlencode(asked)}")
            yield from map(row, told["rows"])
            if told["next"] is None:
                return
            asked["after"] = told["next"]

    def _later(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> Any:
        """The answer, asked for again for as long as the exchange says later."""
        until = time.monotonic() + self._timeout_s
        while True:
            try:
                return self._call(method, path, body, headers or {})
            except Refused as refused:
                if refused.status not in LATER or time.monotonic() > until:
                    raise
            time.sleep(AGAIN_S)

    def _call(self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]) -> Any:
        request = urllib.request.Request(
            f"http://{self._host}{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": self._bearer, "Content-Type": "application/json", **headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            problem = json.load(error)
            raise Refused(error.code, problem.get("detail", error.reason), problem.get("mend", "")) from None


def _text(price: Decimal | None) -> str | None:
    return None if price is None else str(price)


def _user_ref(order: Standing | int) -> int:
    return order if isinstance(order, int) else order.user_ref


def _own(kind: Any, told: dict[str, Any]) -> dict[str, Any]:
    """What this class knows of a row: a newer exchange may say more."""
    return {name: told[name] for name in kind.__dataclass_fields__}


def _standing(told: dict[str, Any]) -> Standing:
    limit = told["price"]
    return Standing(**_own(Standing, {**told, "price": None if limit is None else Decimal(limit)}))


def _position(told: dict[str, Any]) -> Position:
    return Position(**_own(Position, told))


def _member_order(told: dict[str, Any]) -> MemberOrder:
    return MemberOrder(**_own(MemberOrder, told))


def _fill(told: dict[str, Any]) -> Fill:
    return Fill(**_own(Fill, told))


def _executions(told: dict[str, Any]) -> Iterator[Execution | Missed]:
    if told["missed"] is not None:
        yield Missed(*told["missed"])
    for row in told["rows"]:
        yield Execution(**_own(Execution, row))
