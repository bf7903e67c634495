"""Crashes tcc while a pass runs: crash.py TCC FOLDER

Leaves tcc-reproducer.mlir in the folder."""

import os
import signal
import subprocess
import sys
import time

program, folder = sys.argv[1:]
os.chdir(folder)

# Passes need a second for this, so that the signal comes before they are done.
with open("large.mlir", "w") as file:
    for i in range(300):
        file.write(f"func.func @f{i}(%x0: f32) -> f32 {{\n")
        for j in range(300):
            file.write(f"  %x{j + 1} = arith.mulf %x{j}, %x{j} : f32\n")
        file.write("  return %x300 : f32\n}\n")

expected = ("tcc: error: internal: the compiler crashed; please report it with the lines "
            "below and the input",
            "tcc: note: to see it again: tcc-opt --run-reproducer tcc-reproducer.mlir")


def crash(delay):
    """What tcc says when it crashes so many seconds after its passes have a thread."""
    # On one CPU there is one thread for the file, one that the functions are shared
    # out to and, while passes run, one for them.
    process = subprocess.Popen(
        [program, "large.mlir", "--stop-after=graph"], text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]))
    while process.poll() is None and len(os.listdir(f"/proc/{process.pid}/task")) < 3:
        time.sleep(0.001)
    time.sleep(delay)
    process.send_signal(signal.SIGSEGV)
    _, messages = process.communicate(timeout=60)
    if process.returncode != -signal.SIGSEGV or not messages.startswith(expected[0]):
        sys.exit(f"expected {expected}, got {process.returncode} and\n{messages}")
    return messages


# At first the thread copies the module, and no pass runs.
messages = ""
for delay in 0.01, 0.02, 0.05, 0.1, 0.2:
    messages = crash(delay)
    if messages.splitlines()[-1] == expected[1]:
        sys.exit()
sys.exit(f"expected {expected}, got\n{messages}")
