"""A client of the Rialto exchange.

`Gateway` speaks to the HTTP gateway: pictures of the market, orders, the past, the operator's acts. It needs the standard
library alone, and `websocket-client` for `Gateway.stream`. `rialto.quic.subscribe` follows the conflated feed over QUIC and
verifies every checksum; it needs `aioquic`.

Prices are `decimal.Decimal`, quantities whole shares, times nanoseconds since midnight of the trading day.
"""

from rialto.gateway import Gateway
from rialto.market import Auction, Instrument, Level, Picture, Trade
from rialto.orders import Order, Refused

__all__ = ["Auction", "Gateway", "Instrument", "Level", "Order", "Picture", "Refused", "Trade"]
