"""A firm's day in small: what it is told of its orders as it comes, over a WebSocket, while it enters, changes and takes off.

usage: member.py GATEWAY KEY SECRET
"""

import sys
import uuid
from decimal import Decimal

from rialto import Execution, Member, Refused

gateway, name, secret = sys.argv[1:4]
member = Member(gateway, name, secret)
told = list(member.executions())
before = told[-1].number if told and isinstance(told[-1], Execution) else 0

key = str(uuid.uuid4())
first = member.enter("ACME", "buy", 300, Decimal("1.00"), key=key)
assert member.enter("ACME", "buy", 300, Decimal("1.00"), key=key) == first, "a retry is the same order"
second = member.replace(first, 200, Decimal("1.01"))
gone = member.cancel(second)
member.buy("ACME", 100, Decimal("500.00"), tif="ioc")
print(f"order {first.user_ref} became {second.user_ref} at {second.price}, of which {gone.cancelled} were taken off")
try:
    member.buy("ACME", 100, Decimal("1.005"))
except Refused as refused:
    print(f"refused: {refused}")

# The firm's other sessions are told of too; the gateway enters by one of its own. The refused order is its last.
session = None
number = before
for one in member.stream(before):
    assert isinstance(one, Execution), f"{one} are forgotten already"
    number += 1
    assert one.number == number, f"{one.number} follows {number - 1}"
    if session is None and (one.user_ref, one.price, one.quantity) == (first.user_ref, 10_000, 300):
        session = one.session
    if one.session == session:
        print(f"{one.number}: {one.what} {one.user_ref} {one.quantity} at {one.price}, {one.leaves} open")
        if one.what == "rejected":
            break
for position in member.portfolio():
    print(f"instrument {position.instrument}: {position.net} held, {position.paid} paid")
print(f"{sum(1 for _ in member.orders())} orders, {sum(1 for _ in member.fills())} fills")
