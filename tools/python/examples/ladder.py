"""Prints the best prices as they change.   usage: ladder.py CONSOLE [PICTURES]"""

import sys

from rialto import Gateway

gateway = Gateway(sys.argv[1])
wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 20
for number, picture in enumerate(gateway.stream(), start=1):
    for instrument in picture.instruments:
        print(f"{picture.seq:>9} {instrument.symbol:8} {instrument.bid} x {instrument.ask}")
    if number == wanted:
        break
