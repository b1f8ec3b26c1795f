"""The market as the gateway tells it, in types."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

PRICE_UNIT = Decimal("0.0001")


def price(units: int) -> Decimal:
    """A price from the feed's whole number of 0.0001."""
    return units * PRICE_UNIT


@dataclass(frozen=True)
class Level:
    """A price of one side of a book."""

    price: Decimal
    shares: int
    orders: int


@dataclass(frozen=True)
class Auction:
    """What an auction would do now."""

    price: Decimal
    paired: int
    imbalance: int
    side: str | None


@dataclass(frozen=True)
class Instrument:
    """One book; both sides have their best price first."""

    symbol: str
    last: Decimal | None
    volume: int
    phase: str
    auction: Auction | None
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]

    @property
    def bid(self) -> Decimal | None:
        return self.bids[0].price if self.bids else None

    @property
    def ask(self) -> Decimal | None:
        return self.asks[0].price if self.asks else None

    @property
    def spread(self) -> Decimal | None:
        return self.ask - self.bid if self.ask is not None and self.bid is not None else None


@dataclass(frozen=True)
class Trade:
    """An execution, as the feed tells it."""

    symbol: str
    price: Decimal
    shares: int
    taker: str | None
    time_ns: int


@dataclass(frozen=True)
class Picture:
    """The market behind command `seq`."""

    seq: int
    instruments: tuple[Instrument, ...]
    trades: tuple[Trade, ...]
    state_hash: str | None
    """Of the venue's whole state; told of the past only."""

    def __getitem__(self, symbol: str) -> Instrument:
        for instrument in self.instruments:
            if instrument.symbol == symbol:
                return instrument
        raise KeyError(symbol)


def _auction(told: dict[str, Any]) -> Auction:
    return Auction(price(told["price"]), told["paired"], told["imbalance"], told["side"])


def _instrument(told: dict[str, Any]) -> Instrument:
    def side(levels: list[list[int]]) -> tuple[Level, ...]:
        return tuple(Level(price(units), shares, orders) for units, shares, orders in levels)

    last, auction = told["last"], told["auction"]
    return Instrument(
        symbol=told["symbol"],
        last=None if last is None else price(last),
        volume=told["volume"],
        phase=told["phase"],
        auction=None if auction is None else _auction(auction),
        bids=side(told["bids"]),
        asks=side(told["asks"]),
    )


def _trade(told: dict[str, Any]) -> Trade:
    return Trade(told["symbol"], price(told["price"]), told["shares"], told["taker"], told["time_ns"])


def picture(told: dict[str, Any]) -> Picture:
    """From the gateway's JSON."""
    return Picture(
        seq=told["seq"],
        instruments=tuple(map(_instrument, told["instruments"])),
        trades=tuple(map(_trade, told.get("trades", ()))),
        state_hash=told.get("state_hash"),
    )
