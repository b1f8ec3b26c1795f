"""A client of the Rialto exchange.

`Gateway` speaks to the HTTP gateway: pictures of the market, orders, the past, the operator's acts. `Member` is a firm there by
one of its keys: its orders, what became of them, what it holds. Both need the standard library alone, and `websocket-client`
for their `stream`. `rialto.quic.subscribe` follows the conflated feed over QUIC and
verifies every checksum; it needs `aioquic`.

Prices are `decimal.Decimal`, quantities whole shares, times nanoseconds since midnight of the trading day.
"""

from rialto.gateway import Gateway
from rialto.market import Auction, Instrument, Level, Picture, Trade
from rialto.member import Execution, Fill, Gone, Member, MemberOrder, Missed, Position, Standing
from rialto.orders import Order, Refused

__all__ = [
    "Auction",
    "Execution",
    "Fill",
    "Gateway",
    "Gone",
    "Instrument",
    "Level",
    "Member",
    "MemberOrder",
    "Missed",
    "Order",
    "Picture",
    "Position",
    "Refused",
    "Standing",
    "Trade",
]
