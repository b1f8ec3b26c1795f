"""How a spread developed: the market at ten moments of the past.   usage: rewind.py CONSOLE SYMBOL"""

import sys

from rialto import Gateway

gateway, symbol = Gateway(sys.argv[1]), sys.argv[2]
last = gateway.picture().seq
for moment in range(1, 11):
    past = gateway.at(last * moment // 10)
    print(f"{past.seq:>9} spread {past[symbol].spread} hash {past.state_hash}")
