"""Prints the PTX of the first gpu.binary on stdin.

usage: extract-ptx.py < BINARY.mlir
"""

import re
import sys

text = sys.stdin.read()
assembly = re.search(r'assembly = "((?:[^"\\]|\\.)*)"', text)
if not assembly:
    sys.exit("expected a gpu.binary with assembly, got none")
print(re.sub(r"\\([0-9A-Fa-f]{2})|\\(.)",
             lambda m: chr(int(m[1], 16)) if m[1] else m[2], assembly[1]).rstrip("\0"))
