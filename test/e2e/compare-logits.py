#!/usr/bin/env python3
"""Compares logits: compare-logits.py EXPECTED.npy GOT.npy --all 1e-5 --row 1e-5

Reads two .npy files (format 1 or 2; float32 or float64; [rows, columns] or one
row) and prints the relative L2 distance of the whole and of the worst row:

    |got - expected| / |expected|

Exits with 1 if one of the two is beyond its tolerance, if shapes differ, if the
one has a NaN or an infinity where the other has none, or if a file is not as
described. Needs only the standard library.
"""

import argparse
import array
import ast
import math
import struct
import sys


def read_npy(path):
    """Returns (shape, list of values) of `path`; the shape has two sizes."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise SystemExit(f"{path}: {error.strerror}")
    if data[:6] != b"\x93NUMPY" or data[6:7] not in (b"\1", b"\2"):
        raise SystemExit(f"{path}: expected .npy of format 1 or 2, "
                         f"got {data[:8].hex(' ') or 'nothing'}")
    length, begin = ("<H", 10) if data[6] == 1 else ("<I", 12)
    try:
        begin += struct.unpack_from(length, data, 8)[0]
        header = ast.literal_eval(data[8 + struct.calcsize(length):begin].decode())
        kind, shape = header["descr"], header["shape"]
        columns_first = header["fortran_order"]
        size = {"<f4": 4, "<f8": 8}.get(kind)
        assert isinstance(shape, tuple) and all(type(n) is int for n in shape)
    except (struct.error, ValueError, SyntaxError, KeyError, TypeError,
            AssertionError):
        raise SystemExit(f"{path}: expected the header of .npy, got something else")
    if size is None:
        raise SystemExit(f"{path}: expected float32 or float64, got '{kind}'")
    if columns_first or len(shape) not in (1, 2):
        order = "column" if columns_first else "row"
        raise SystemExit(f"{path}: expected one or two dimensions in row order, "
                         f"got {shape} in {order} order")
    if len(data) - begin != math.prod(shape) * size:
        raise SystemExit(f"{path}: expected {math.prod(shape) * size} bytes for "
                         f"{shape}, got {len(data) - begin}")
    values = array.array("f" if size == 4 else "d", data[begin:])
    if sys.byteorder == "big":
        values.byteswap()
    return (1, *shape)[-2:], values.tolist()


def distance(expected, got, where):
    """Returns the squares of |got - expected| and |expected|, for one row."""
    difference, size = [], []
    for column, (e, g) in enumerate(zip(expected, got)):
        if math.isfinite(e) and math.isfinite(g):
            difference.append((g - e) * (g - e))
            size.append(e * e)
        elif e != g and not (math.isnan(e) and math.isnan(g)):
            raise SystemExit(f"{where}, column {column}: expected {e}, got {g}")
    return math.fsum(difference), math.fsum(size)


def relative(difference, size):
    if difference == 0:
        return 0.0
    return math.sqrt(difference / size) if size else math.inf


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("expected")
    parser.add_argument("got")
    parser.add_argument("--all", type=float, required=True, metavar="TOLERANCE",
                        help="the most for the whole")
    parser.add_argument("--row", type=float, required=True, metavar="TOLERANCE",
                        help="the most for every row")
    arguments = parser.parse_args()

    shape, expected = read_npy(arguments.expected)
    other, got = read_npy(arguments.got)
    if shape != other:
        raise SystemExit(f"{arguments.got}: expected {shape[0]} x {shape[1]} logits, "
                         f"got {other[0]} x {other[1]}")
    rows, columns = shape
    squares = []
    for row in range(rows):
        place = slice(row * columns, (row + 1) * columns)
        squares.append(distance(expected[place], got[place],
                                f"{arguments.got}: row {row}"))
    whole = relative(*(math.fsum(s) for s in zip(*squares))) if squares else 0.0
    worst, row = max(((relative(*s), -i) for i, s in enumerate(squares)),
                     default=(0.0, 0))
    print(f"relative L2 of all: {whole:.2e}, of the worst row ({-row}): {worst:.2e}",
          flush=True)

    failures = []
    if not whole <= arguments.all:
        failures.append(f"{arguments.got}: expected a relative L2 of at most "
                        f"{arguments.all:g} for the whole, got {whole:.3g}")
    if not worst <= arguments.row:
        failures.append(f"{arguments.got}: expected a relative L2 of at most "
                        f"{arguments.row:g} for every row, got {worst:.3g} for "
                        f"row {-row}")
    if failures:
        raise SystemExit("\n".join(failures))


if __name__ == "__main__":
    main()
