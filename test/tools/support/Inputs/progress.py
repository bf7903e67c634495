"""Reads the progress of tcc and tcc-run: progress.py FOLDER-OF-PROGRAMS FOLDER"""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import shared

programs, folder = sys.argv[1:]


def read(terminal):
    """What was written to it since, or nothing if nobody can write to it any more."""
    try:
        return os.read(terminal, 4096).decode()
    except OSError:
        return ""


def watch(expected, is_reached, *command):
    """Runs `command` until it has shown a line for each regular expression, in order.

    From when `is_reached` on, it is held up before each line: what is fast would show
    nothing."""
    terminal, its_end = pty.openpty()
    process = subprocess.Popen([os.path.join(programs, command[0]), *command[1:]],
                               cwd=folder, stdout=subprocess.DEVNULL, stderr=its_end)
    os.close(its_end)
    while process.poll() is None and not is_reached(process):
        time.sleep(0.001)
    seen, waited = "", list(expected)
    while waited and process.poll() is None:
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.25)
        process.send_signal(signal.SIGCONT)
        # At first it may not have begun to count the time.
        if select.select([terminal], [], [], 60 if seen else 0.02)[0]:
            seen += read(terminal)
            if re.search(rf"\r{waited[0]}\x1b\[K", seen):
                del waited[0]
    if waited:
        sys.exit(f"{command[0]}: expected {waited[0]}, got {seen!r}")
    process.send_signal(signal.SIGINT)
    while text := read(terminal):
        seen += text
    process.wait(timeout=60)
    return seen


# The last of it removes the line.
seen = watch([r"reading prompts: \d+ of \d+ tokens", r"generated \d+ tokens"],
             lambda process: shared.catches(process, signal.SIGINT),
             "tcc-run", "stories.bin", "--max-tokens", "200", "--threads", "1",
             *(["--tokens", ",".join(["300"] * 300)] * 16))
if not seen.endswith("\r\x1b[K"):
    sys.exit(f"expected an empty line at last, got {seen!r}")

shared.make_checkpoint(os.path.join(folder, "hole"), 3)
watch([r"packing weights: \d+ of \d+ MB"],
      lambda process: any("hole.bin" in name for name in os.listdir(folder)),
      "tcc", "hole", "-o", "hole.bin")
