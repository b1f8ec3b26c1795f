"""The conflated feed as bytes and as books: the message tables of `feed/conflate/SPEC.md`."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from rialto.market import price

_MASK = (1 << 64) - 1
_UPDATE = struct.Struct(">cBHQQQH")
_LEVEL = struct.Struct(">cIQ")
_SNAPSHOT = struct.Struct(">ccH8s7QI8x")
_TRADE = struct.Struct(">ccHQQQQQIQcB8x")
_PASSED = struct.Struct(">cxHQQ")


class Broken(Exception):
    """The feed broke its contract: a range with a gap, or a book whose checksum is not the one that was told."""


@dataclass(frozen=True)
class BookUpdate:
    """A book as it stands behind message `last` of the full feed; its checksum has been verified."""

    symbol: str
    last: int
    conflated: bool
    bids: tuple[tuple[Decimal, int], ...]
    asks: tuple[tuple[Decimal, int], ...]


@dataclass(frozen=True)
class FeedTrade:
    """A trade; trades are never merged."""

    symbol: str
    number: int
    price: Decimal
    shares: int
    time_ns: int


@dataclass(frozen=True)
class Resync:
    """The subscriber was too slow: so many trades and shares were not told."""

    symbol: str
    missed_trades: int
    missed_shares: int


Update = BookUpdate | FeedTrade | Resync


def _mix(v: int) -> int:
    v = (v + 0x9E3779B97F4A7C15) & _MASK
    v = ((v ^ (v >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    v = ((v ^ (v >> 27)) * 0x94D049BB133111EB) & _MASK
    return v ^ (v >> 31)


def checksum(levels: dict[tuple[bytes, int], int]) -> int:
    """Of a book: {(b"B" or b"S", price in 0.0001): shares}."""
    return sum(_mix(_mix(side[0] << 32 | units) ^ shares) for (side, units), shares in levels.items()) & _MASK


class Books:
    """Every book of a subscription, from its messages."""

    def __init__(self) -> None:
        self._levels: dict[int, dict[tuple[bytes, int], int]] = defaultdict(dict)
        self._symbols: dict[int, str] = {}
        self._last: dict[int, int] = {}
        self._open: dict[int, tuple[int, int]] = {}

    def take(self, message: bytes) -> Iterator[Update]:
        """What one message says. `Broken` where it cannot be."""
        match message[:1]:
            case b"S":
                self.__init__()  # type: ignore[misc]
            case b"N":
                yield from self._snapshot(message)
            case b"U":
                yield from self._update(message)
            case b"T":
                _, _, locate, first, last, number, time_ns, _, units, shares, _, _ = _TRADE.unpack(message)
                self._enter(locate, first, last)
                yield FeedTrade(self._symbol(locate), number, price(units), shares, time_ns)
            case b"P":
                _, locate, first, last = _PASSED.unpack_from(message)
                self._enter(locate, first, last)
                self._directory(message[_PASSED.size :])

    def _snapshot(self, message: bytes) -> Iterator[Update]:
        _, cause, locate, stock, first, last, _, _, trades, shares, _, _ = _SNAPSHOT.unpack(message)
        self._symbols[locate] = stock.decode().rstrip()
        self._levels[locate].clear()
        if cause == b"J":
            self._last[locate] = 0
        self._open.pop(locate, None)
        self._enter(locate, first, last)
        if trades or cause == b"R":
            yield Resync(self._symbol(locate), trades, shares)

    def _update(self, message: bytes) -> Iterator[Update]:
        _, flags, locate, first, last, told, count = _UPDATE.unpack_from(message)
        self._enter(locate, first, last)
        levels = self._levels[locate]
        for place in range(count):
            side, units, shares = _LEVEL.unpack_from(message, _UPDATE.size + place * _LEVEL.size)
            if shares:
                levels[side, units] = shares
            else:
                levels.pop((side, units), None)
        if flags & 2:
            return
        summed = checksum(levels)
        if summed != told:
            raise Broken(f"{self._symbol(locate)} at {last}: checksum {summed:016x}, told {told:016x}")
        self._last[locate] = last
        del self._open[locate]

        def side_of(which: bytes) -> tuple[tuple[Decimal, int], ...]:
            own = ((units, shares) for (side, units), shares in levels.items() if side == which)
            return tuple((price(units), shares) for units, shares in sorted(own, reverse=which == b"B"))

        if locate:
            yield BookUpdate(self._symbol(locate), last, bool(flags & 1), side_of(b"B"), side_of(b"S"))

    def _directory(self, itch: bytes) -> None:
        if itch[:1] == b"R":
            (locate,) = struct.unpack_from(">H", itch, 1)
            self._symbols[locate] = itch[11:19].decode().rstrip()

    def _symbol(self, locate: int) -> str:
        return self._symbols.get(locate, f"#{locate}")

    def _enter(self, locate: int, first: int, last: int) -> None:
        if self._open.setdefault(locate, (first, last)) != (first, last):
            raise Broken(f"{self._symbol(locate)}: {first}..{last} within {self._open[locate]}")
        if first != self._last.get(locate, 0) + 1 or last < first:
            raise Broken(f"{self._symbol(locate)}: {first}..{last} after {self._last.get(locate, 0)}")
