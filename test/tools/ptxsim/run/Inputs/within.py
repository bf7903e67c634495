"""Runs a command: within.py MEGABYTES SECONDS COMMAND…

Fails if it takes more memory, or more seconds of a processor."""

import resource
import subprocess
import sys

megabytes, seconds = int(sys.argv[1]), int(sys.argv[2])
result = subprocess.run(sys.argv[3:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
assert result.returncode == 0, result.returncode
assert used.ru_maxrss <= megabytes << 10, f"{used.ru_maxrss} kB"
assert used.ru_utime <= seconds, f"{used.ru_utime} s"
