"""Interrupts a run on the simulated GPU: interrupt-gpu.py TCC-RUN MODEL

It ends between two steps: with the text so far, without a message, and with all
memory given back.
"""

import signal
import subprocess
import sys

program, model = sys.argv[1:]
process = subprocess.Popen(
    [program, model, "--device=h100-sim", "--prompt", "", "--max-tokens", "400"],
    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
# Text comes when a step has ended: the next one is under way.
first = process.stdout.read(1)
process.send_signal(signal.SIGINT)
text, messages = process.communicate(timeout=60)
text = first + text
if (process.returncode, messages) != (130, b"") or not text.endswith(b"\n"):
    sys.exit(f"expected 130 and a text, got {process.returncode}: {messages}, {text}")
