"""Prints, of each layer of StreamedLinearKernel, what the simulator counted.

What memory delivered is compared with the weight, the inputs and the results, and
accesses of shared memory in the loops over K with those without bank conflicts.
"""

import json
import sys

ROWS, COLUMNS = 1024, 2048  # N and K.
BITS = {"bf16": 16, "f16": 16, "q8_0": 8.5, "q4_0": 4.5, "q4_1": 5}
RUNS = [1, 1, 1, 8, 8, 8]  # Rows of the input of the launches of a layer.
SECTOR = 32

report = json.load(open(sys.argv[1]))


def compulsory_bytes(bits, rows):
    return ROWS * COLUMNS * bits / 8 + rows * (COLUMNS + ROWS) * 4 + COLUMNS * 4


def memory_bytes(launch):
    hbm = launch["totals"]["hbm"]
    return (hbm["readSectors"] + hbm.get("writeSectors", 0)) * SECTOR


def loop_conflicts(kernel):
    """Wavefronts too many, of what is executed with each product."""
    products = max(line["issued"] for line in kernel["lines"] if "mma.sync" in line["text"])
    conflicts = reads = 0
    for line in kernel["lines"]:
        text = line["text"]
        isRead = text.startswith("ld.shared.") and line["issued"] * 2 >= products
        isCopy = text.startswith("cp.async.c")
        for access in ("sharedLoad", "sharedStore"):
            if access in line and (isRead or isCopy):
                reads += 1
                conflicts += line[access]["wavefronts"] - line[access]["idealWavefronts"]
    return f"{conflicts} conflicts" if reads else "no accesses"


launches = iter(report["launches"])
for number, kernel in enumerate(report["kernels"]):
    name, bits = list(BITS.items())[number % len(BITS)]
    ratio = max(memory_bytes(next(launches)) / compulsory_bytes(bits, rows) for rows in RUNS)
    verdict = "once" if ratio <= 1.05 else f"{ratio:.2f} times"
    print(f"{name}: {verdict}, {loop_conflicts(kernel)}")
