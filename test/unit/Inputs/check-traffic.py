"""Checks what launches of a report of the simulator do to memory.

usage: check-traffic.py FACTOR REPORT

Bytes of HBM are at most FACTOR times those that a launch cannot do without, and no
access of shared memory has a bank conflict.
"""

import json
import sys


def check(launch, factor):
    totals = launch["totals"]
    sectors = lambda name: sum(totals[name].values())
    print("launch %d: %.2f of the compulsory bytes" %
          (launch["launch"], sectors("hbm") / sectors("compulsory")))
    conflicts = sum(totals[name]["wavefronts"] - totals[name]["idealWavefronts"]
                    for name in ("sharedLoad", "sharedStore") if name in totals)
    return sectors("hbm") <= factor * sectors("compulsory") and conflicts == 0


def main():
    factor, path = float(sys.argv[1]), sys.argv[2]
    with open(path) as report:
        launches = json.load(report)["launches"]
    if not launches or not all([check(launch, factor) for launch in launches]):
        sys.exit("error: expected at most %g of the compulsory bytes, and no bank "
                 "conflicts" % factor)


main()
