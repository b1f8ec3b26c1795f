"""Enters an order that rests, takes it off again, and shows what a refusal says.   usage: order.py CONSOLE"""

import sys
from decimal import Decimal

from rialto import Gateway, Refused

gateway = Gateway(sys.argv[1])
order = gateway.buy("ACME", 100, Decimal("1.00"))
print(f"order {order.number}: {order.state}, {order.open} open")
print(f"order {order.number}: {gateway.cancel(order).state}")
try:
    gateway.buy("ACME", 100, Decimal("1.00005"))
except Refused as refused:
    print(f"refused: {refused}")
