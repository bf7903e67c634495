"""Checks the buffers of a plan that is written by hand.

usage: check-plan.py < PLAN.mlir

What a launch or collective names is within the `live` of the buffer; buffers that live at
the same time of one step do not overlap, for some sizes of a step; everything is within the
arena. A plan has one step or two, and a buffer is used in one of them.
"""

import re
import sys

# T, B, R, X, E
SIZES = [(1, 1, 1, 0, 0), (2, 1, 1, 2, 1), (7, 3, 2, 4, 1), (64, 5, 64, 60, 2),
         (513, 9, 1, 0, 0), (513, 9, 1, 513, 9)]


def value(expression, sizes):
    letters = dict(zip("TBRXE", sizes))
    letters["A"] = letters["T"] - letters["X"]
    total = 0
    for term in expression.split("+"):
        number, *letter = term.split()
        total += int(number) * (letters[letter[0]] if letter else 1)
    return total


def check_lifetimes(buffers, launches):
    """Returns the names of the buffers that the launches use."""
    used = set()
    for number, arguments in enumerate(launches):
        for name in re.findall(r"@(\w+)", arguments):
            if name in buffers:
                used.add(name)
                first, last = buffers[name][2:]
                if not first <= number <= last:
                    sys.exit(f"@{name}: expected to live at launch {number}, "
                             f"got live({first}, {last})")
    return used


def check_places(buffers, arena):
    for sizes in SIZES:
        ranges = {name: (value(offset, sizes), value(offset, sizes) + value(size, sizes))
                  for name, (offset, size, _, _) in buffers.items()}
        for a in buffers:
            if ranges[a][1] > value(arena, sizes):
                sys.exit(f"@{a}: expected an end within the arena, got {ranges[a][1]}")
            for b in buffers:
                apart = ranges[a][1] <= ranges[b][0] or ranges[b][1] <= ranges[a][0]
                dead = buffers[a][3] < buffers[b][2] or buffers[b][3] < buffers[a][2]
                if a < b and not apart and not dead:
                    sys.exit(f"@{a} and @{b}: expected memory of their own for "
                             f"T, B, R, X, E = {sizes}, got {ranges[a]} and {ranges[b]}")


def main():
    text = sys.stdin.read()
    buffers = {
        name: (offset, size, int(first), int(last))
        for name, offset, size, first, last in re.findall(
            r"plan\.buffer @(\w+) offset\((.*?)\) bytes\((.*?)\) live\((\d+), (\d+)\)", text)
    }
    unused = set(buffers)
    for step in text.split("plan.step ")[1:]:
        arena = re.search(r" arena\((.*?)\)", step)[1]
        launches = re.findall(r"plan\.(?:launch|collective) @?\w+\((.*?)\)", step)
        used = check_lifetimes(buffers, launches)
        if not used <= unused:
            sys.exit(f"expected buffers of one step, got {sorted(used - unused)} in two")
        unused -= used
        check_places({name: buffers[name] for name in used}, arena)
    if unused or not buffers:
        sys.exit(f"expected launches that use all buffers, got none of {sorted(unused)}")


main()
