"""Orders, and why they are refused."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any


class Refused(Exception):
    """The exchange said no: why, and what to do about it (RFC 9457)."""

    def __init__(self, status: int, detail: str, mend: str) -> None:
        super().__init__(f"{detail}: {mend}" if mend else detail)
        self.status, self.detail, self.mend = status, detail, mend


@dataclass(frozen=True)
class Order:
    """An order of the gateway's own session."""

    number: int
    symbol: str
    side: str
    quantity: int
    price: Decimal | None
    open: int
    executed: int
    state: str
    reason: str | None


def order(told: dict[str, Any]) -> Order:
    """From the gateway's JSON."""
    limit = told["price"]
    return Order(
        number=told["order"],
        symbol=told["symbol"],
        side=told["side"],
        quantity=told["quantity"],
        price=None if limit is None else Decimal(limit),
        open=told["open"],
        executed=told["executed"],
        state=told["state"],
        reason=told["reason"],
    )
