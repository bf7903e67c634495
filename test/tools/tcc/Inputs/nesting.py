"""Gives tcc IR that nests as deep as is allowed, and deeper: nesting.py TCC"""

import re
import subprocess
import sys

TCC = sys.argv[1]
EXPECTED = (r"tcc: error: x\.mlir: cannot be parsed: x\.mlir:\d+:\d+: expected brackets, "
            r"operators and aliases that nest at most 512 deep, got more\n")


def nested(head, before, middle, after, tail=""):
    return lambda n: head + before * n + middle + after * n + tail


def aliases(first, following):
    """Aliases, each of which holds the one before it."""
    return lambda n: (first + "".join(following.format(i + 1, i) for i in range(n)) +
                      "module attributes {test.x = %sa%d} {}\n" % (first[0], n))


# What nests, how deep it is around that, and how deep each more is.
SHAPES = {
    "regions": (nested("", "module {", "", "}"), 0, 1),
    "arrays": (nested("module attributes {test.x = ", "[", "", "]", "} {}"), 1, 1),
    "types": (nested("module attributes {test.x = ", "tuple<", "i32", ">", "} {}"), 1, 1),
    "locations": (nested("module {} loc(", 'callsite("a" at ', '"b"', ")", ")"), 1, 1),
    "negations": (nested("module attributes {test.x = affine_map<(d0) -> (", "-", "d0", "",
                         ")>} {}"), 3, 1),
    "sums": (nested("module attributes {test.x = affine_map<(d0) -> (", "d0 + ", "d0", "",
                    ")>} {}"), 3, 1),
    "attribute aliases": (aliases("#a0 = [1]\n", "#a{} = [#a{}]\n"), 2, 2),
    "type aliases": (aliases("!a0 = tuple<i32>\n", "!a{} = tuple<!a{}>\n"), 2, 2),
}
# What does not nest, however often it occurs.
FLAT = ("// ((((\n" * 1000 + "module attributes {test.x = [" +
        '"((\\"((", ' * 1000 +
        "affine_map<(d0) -> (-d0 + 1, -d0)>, " * 1000 +
        "affine_set<(d0) : (d0 >= 0, 5 * d0 <= 1)>, " * 1000 +
        "() -> i32, " * 1000 +
        "-1, " * 1000 +
        "dense<[-1, -2]> : tensor<2xi32>]} {\n" +
        "".join(f"arith.constant -{i} : i32\n" for i in range(1, 1000)) + "}\n")


def run(text):
    with open("x.mlir", "w") as file:
        file.write(text)
    done = subprocess.run([TCC, "x.mlir", "--stop-after=import"], capture_output=True,
                          text=True, timeout=120)
    return done.returncode, done.stderr


for name, (make, around, each) in SHAPES.items():
    most = (512 - around) // each
    for depth in (most, most + 1, 100_000):
        code, message = run(make(depth))
        refused = code == 65 and re.fullmatch(EXPECTED, message)
        if not (refused if depth > most else code == 0):
            sys.exit(f"{name}, {depth} deep: got {code}\n{message[:2000]}")
code, message = run(FLAT)
if code != 0:
    sys.exit(f"flat: got {code}\n{message[:2000]}")
