#!/usr/bin/env python3
"""Describes the inner loops of kernels in assembly, from standard input.

Usage: tcc INPUT --emit=asm --march=... | inner-loops.py

Prints for each kernel its inner loops that multiply and add: how many there are,
the most multiply-adds in one, the widest registers, and how many registers of
vectors they store to the stack. Then the number of calls in all kernels. Inner
loops are those that jump back to a label and contain no other.
"""

import re
import sys

PRODUCT = re.compile(r"\s+(vfn?madd\w+|vdpbf16ps)\s")
SPILL = re.compile(r"\s+vmov\w+\s+%[xyz]mm\d+, -?\d*\(%rsp\)")
WIDTHS = ("zmm", "ymm", "xmm")


def kernels(lines):
    """Yields (name, instructions) of every function."""
    name, body = None, []
    for line in lines:
        begin = re.match(r'"?([A-Za-z_][\w.]*)"?:', line)
        if begin:
            name, body = begin[1], []
        elif re.match(r"\s+\.cfi_endproc|\.Lfunc_end", line) and name:
            yield name, body
            name = None
        elif name:
            body.append(line.split("#")[0].rstrip())


def inner_loops(body):
    """The loops of `body` that contain no loop, as lists of instructions."""
    labels, loops = {}, []
    for number, line in enumerate(body):
        label = re.match(r"(\.L\w+):", line)
        if label:
            labels[label[1]] = number
        jump = re.match(r"\s+j\w+\s+(\.L\w+)", line)
        if jump and jump[1] in labels:
            loops.append((labels[jump[1]], number))
    return [body[begin:end + 1] for begin, end in loops
            if not any(begin <= b and e <= end and (b, e) != (begin, end)
                       for b, e in loops)]


def main():
    text = sys.stdin.read().splitlines()
    for name, body in kernels(text):
        loops = [loop for loop in inner_loops(body)
                 if any(PRODUCT.match(line) for line in loop)]
        products = [line for loop in loops for line in loop if PRODUCT.match(line)]
        if not products:
            continue
        most = max(sum(bool(PRODUCT.match(line)) for line in loop) for loop in loops)
        width = next(w for w in WIDTHS if any(w in line for line in products))
        dots = sum("vdpbf16ps" in line for line in products)
        spills = sum(bool(SPILL.match(line)) for loop in loops for line in loop)
        print(f"{name}: {len(loops)} loops, at most {most} products, {width}"
              f"{', vdpbf16ps' if dots else ''}, spills {spills}")
    calls = sum(bool(re.match(r"\s+call", line)) for line in text)
    print(f"calls: {calls}")


if __name__ == "__main__":
    main()
