"""Interrupts runs in the middle: interrupt.py TCC-RUN MODEL FOLDER"""

import array
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import termios
import time

program, model, folder = sys.argv[1:]
shutil.rmtree(folder, ignore_errors=True)
os.mkdir(folder)
logits = os.path.join(folder, "logits.npy")


def start(*arguments):
    """A run whose output goes to a pipe with room for 40 bytes, so that it cannot
    end before somebody reads; returns it, the pipe and what lies in it."""
    reading, writing = os.pipe()
    size = fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    filled = os.write(writing, b"x" * (size - 40))
    process = subprocess.Popen([program, model, *arguments], stdout=writing,
                               stderr=subprocess.PIPE, cwd=folder)
    os.close(writing)
    return process, reading, filled


def wait_for_text(process, reading, filled):
    """Waits until something was written."""
    while True:
        buffer = array.array("i", [0])
        fcntl.ioctl(reading, termios.FIONREAD, buffer)
        if buffer[0] > filled:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.001)


def finish(process, reading, filled, what):
    """The text of a run that was interrupted."""
    with open(reading, "rb") as file:
        text = file.read()[filled:]
    messages = process.communicate(timeout=60)[1]
    if (process.returncode, messages, os.listdir(folder)) != (130, b"", []):
        sys.exit(f"{what}: expected 130 and no trace, got {process.returncode}: "
                 f"{messages}, {os.listdir(folder)}")
    return text


# The complete text, streamed to its end.
whole = subprocess.run([program, model, "--prompt", "", "--max-tokens", "500"],
                       capture_output=True, check=True).stdout

for sent in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
    process, reading, filled = start("--prompt", "", "--max-tokens", "500",
                                     "--logits", logits)
    wait_for_text(process, reading, filled)
    assert len(os.listdir(folder)) == 1
    process.send_signal(sent)
    text = finish(process, reading, filled, sent.name)
    assert text.endswith(b"\n") and len(text) < len(whole), text
    assert whole.startswith(text[:-1]), text

# A second signal does not wait for the pipe.
process, reading, filled = start("--prompt", "", "--max-tokens", "500",
                                 "--logits", logits)
wait_for_text(process, reading, filled)
time.sleep(0.3)  # The rest of the pipe is filled in a millisecond.
process.send_signal(signal.SIGINT)
while process.poll() is None:
    process.send_signal(signal.SIGINT)
    time.sleep(0.001)
finish(process, reading, filled, "two signals")

# A bench, which writes nothing, takes seconds and says nothing when it begins.
process = subprocess.Popen([program, model, "--bench=10,500,64"], cwd=folder,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
caught = 0
while not caught >> (signal.SIGINT - 1) & 1:
    with open(f"/proc/{process.pid}/status") as file:
        caught = int(next(line for line in file if line.startswith("SigCgt:"))
                     .split()[1], 16)
process.send_signal(signal.SIGINT)
output, messages = process.communicate(timeout=60)
assert (process.returncode, output, messages) == (130, b"", b""), (
    process.returncode, output, messages)
