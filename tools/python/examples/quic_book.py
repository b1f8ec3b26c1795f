"""Follows books over QUIC, every one verified.   usage: quic_book.py ADDRESS CERTIFICATE [UPDATES]"""

import asyncio
import sys
from contextlib import aclosing

from rialto.conflated import BookUpdate, FeedTrade
from rialto.quic import subscribe


async def main(address: str, certificate: str, wanted: int) -> None:
    books = 0
    async with aclosing(subscribe(address, "alpha1", "rialto", certificate, symbols=["ACME"], depth=5)) as updates:
        async for update in updates:
            match update:
                case BookUpdate(symbol=symbol, last=last, bids=bids, asks=asks):
                    books += 1
                    print(f"{last:>9} {symbol} {bids[:1]} {asks[:1]}")
                case FeedTrade(symbol=symbol, shares=shares, price=price):
                    print(f"          {symbol} traded {shares} at {price}")
            if books == wanted:
                return


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 20))
