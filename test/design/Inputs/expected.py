"""Compares numbers on stdin, one a line, with the definition of a kernel.

usage: expected.py CASE < NUMBERS

The inputs are those that the `main` of each test makes. Everything is computed
in f64; only what the kernel rounds to bf16 as an operand is rounded here too.
"""

import math
import struct
import sys


def bf16(value):
    """Rounds to bf16, to nearest even."""
    bits = struct.unpack("<I", struct.pack("<f", value))[0]
    bits += 0x7FFF + (bits >> 16 & 1)
    return struct.unpack("<f", struct.pack("<I", bits & 0xFFFF0000))[0]


def number(i, j, a, b, m, unit):
    return ((i * a + j * b) % m - m // 2) * unit


def norm_swiglu():
    tokens, depth, units = 5, 64, 32
    weight = [[number(n, k, 13, 5, 23, 0.03125) for k in range(depth)]
              for n in range(2 * units)]
    for t in range(tokens):
        x = [number(t, k, 31, 7, 17, 0.25) for k in range(depth)]
        factor = 1 / math.sqrt(sum(e * e for e in x) / depth + 1e-5)
        operand = [bf16(e * factor * (1 + number(0, k, 1, 1, 5, 0.125)))
                   for k, e in enumerate(x)]
        for n in range(units):
            gate = sum(a * w for a, w in zip(operand, weight[n]))
            value = sum(a * w for a, w in zip(operand, weight[units + n]))
            yield gate / (1 + math.exp(-gate)) * value


def attention():
    # P = 16, H = 4, G = 2, D = E = 32.
    for sequence, position in enumerate([20, 15, 0]):
        for h in range(4):
            query = [number(sequence * 4 + h, d, 11, 3, 19, 0.125) for d in range(32)]
            scores, values = [], []
            for s in range(position + 1):
                row = (sequence * 2 + h // 2) * 32 + s
                key = [number(row, d, 5, 7, 29, 0.0625) for d in range(32)]
                scores.append(0.25 * sum(q * k for q, k in zip(query, key)))
                values.append([number(row, d, 3, 13, 31, 0.0625) for d in range(32)])
            powers = [math.exp(score - max(scores)) for score in scores]
            for d in range(32):
                yield (sum(p * value[d] for p, value in zip(powers, values))
                       / sum(powers))


def q4_0():
    # N = 24, K = 96: three blocks of 32 for each row of the weight.
    x = [number(0, k, 31, 7, 17, 0.25) for k in range(96)]
    for n in range(24):
        yield sum(x[k] * number(n, k // 32, 3, 7, 11, 0.03125)
                  * ((n * 5 + k * 3) % 16 - 8) for k in range(96))


def e4m3(code):
    """1 bit of sign, 4 of exponent with bias 7, 3 of fraction."""
    exponent, fraction = code >> 3 & 15, code & 7
    magnitude = (fraction * 2.0**-9 if exponent == 0
                 else (8 + fraction) * 2.0**(exponent - 10))
    return -magnitude if code & 128 else magnitude


def fp8():
    # N = K = 160: of the blocks of 128 by 128 those at the edges have 32 rows or columns.
    x = [number(0, k, 31, 7, 17, 0.25) for k in range(160)]
    for n in range(160):
        total = 0
        for k in range(160):
            code = (n * 7 + k * 13) % 256
            code = 1 if code & 127 == 127 else code
            scale = (1 + 2 * (n // 128) + k // 128) * 2.0**-10
            total += x[k] * e4m3(code) * scale
        yield total


# Each case: the expected numbers, the relative error allowed, and an absolute one
# for results that cancel. A result in bf16 is off by half a unit, 2^-9, and by
# another half where a sum in f32 crosses the border between two roundings.
CASES = {
    "attention": (attention, 2**-8, 1e-5),
    "norm-swiglu": (norm_swiglu, 2**-8, 1e-5),
    # Exact operands, sums in f32; six digits are printed.
    "q4_0": (q4_0, 1e-5, 1e-5),
    "fp8": (fp8, 1e-5, 1e-4),
}


def main():
    make, relative, absolute = CASES[sys.argv[1]]
    expected = list(make())
    got = [float(line) for line in sys.stdin]
    if len(got) != len(expected):
        sys.exit(f"expected {len(expected)} numbers, got {len(got)}")
    if max(map(abs, expected)) == 0:
        sys.exit("nothing but zeros is expected: the case shows nothing")
    for index, (want, have) in enumerate(zip(expected, got)):
        both_nan = math.isnan(want) and math.isnan(have)
        if not both_nan and not abs(want - have) <= relative * abs(want) + absolute:
            sys.exit(f"number {index}: expected {want}, got {have}")
    print(f"{len(got)} numbers agree", file=sys.stderr)


main()
