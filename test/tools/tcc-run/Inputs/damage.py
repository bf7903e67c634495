"""Damages a model.bin in many places: damage.py TCC-RUN MODEL DAMAGED

Every byte of the header, the ends of all parts, and places spread evenly over
manifest and code. Each damaged file must be refused with exit code 65 and one
message that names it, by --info and by a run.
"""

import random
import re
import struct
import subprocess
import sys

program, model, damaged = sys.argv[1:]
with open(model, "rb") as file:
    whole = file.read()
manifest = struct.unpack_from("<Q", whole, 32)[0]
manifest_end = 64 + manifest
code = -(-manifest_end // 4096) * 4096
assert struct.unpack_from("<Q", whole, 40)[0] == len(whole)


def code_bytes():
    """What --info says."""
    result = subprocess.run([program, model, "--info"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    line = next(line for line in result.stdout.splitlines()
                if line.startswith("code_bytes: "))
    return int(line.split()[1])


def spread(begin, end, count):
    return [begin + (end - begin) * i // count for i in range(count)]


def refused(data, what):
    with open(damaged, "wb") as file:
        file.write(data)
    for arguments in (["--info"], ["--tokens", "1,2", "--max-tokens", "2"]):
        result = subprocess.run([program, damaged] + arguments,
                                capture_output=True, text=True, timeout=60)
        if (result.returncode, result.stdout) == (65, "") and re.fullmatch(
                rf"tcc-run: error: {re.escape(damaged)}: (header: |manifest: |code: )?"
                "expected [^\n]+, got [^\n]+; [^\n]+\n", result.stderr):
            continue
        sys.exit(f"{what}, {arguments}: expected one message and 65, got "
                 f"{result.returncode}: {result.stderr} {result.stdout}")


random.seed(1)
cuts = {0, 1, 7, 8, 63, 64, 65, manifest_end - 1, manifest_end, code - 1, code,
        code + 1, len(whole) - 1}
cuts.update(spread(0, len(whole), 60))
for size in sorted(cuts):
    refused(whole[:size], f"cut to {size} bytes")
refused(whole + b"\0", "one byte more")

flips = set(range(64))
flips.update({64, manifest_end - 1, code, code + code_bytes() - 1})
flips.update(spread(64, manifest_end, 100))
flips.update(spread(code, code + code_bytes(), 100))
for place in sorted(flips):
    data = bytearray(whole)
    data[place] ^= 1 << random.randrange(8)
    refused(bytes(data), f"flipped byte {place}")
