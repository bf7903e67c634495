"""Ends tcc and tcc-import in every way: process.py FOLDER-OF-PROGRAMS FOLDER"""

import os
import pathlib
import resource
import signal
import subprocess
import sys
import time

import shared

programs, folder = sys.argv[1:]
output = os.path.join(folder, "output")
os.mkdir(output)
MEMORY = ("error: memory: the system gives no more; raise the limit of address space "
          "(ulimit -v) or close other programs\n")


def command(program, *arguments):
    return [os.path.join(programs, program), *arguments]


def check(what, result, code, message):
    """`result` has returncode and all of stderr."""
    got = result.returncode, result.stderr, os.listdir(output)
    if got != (code, message, []):
        sys.exit(f"{what}: expected {code}, {message!r} and no file, got {got}")


def run(*words, limit=None, stdout=subprocess.PIPE):
    def set_limit():
        if limit:
            resource.setrlimit(limit[0], (limit[1], limit[1]))
    return subprocess.run(command(*words), cwd=output, text=True, stdout=stdout,
                          stderr=subprocess.PIPE, preexec_fn=set_limit, timeout=60)


def interrupt(what, number, arguments, is_reached):
    """Sends the signal as soon as `is_reached`; false if the run was faster."""
    process = subprocess.Popen(command(*arguments), cwd=output, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while process.poll() is None and not is_reached(process):
        time.sleep(0.0005)
    process.send_signal(number)
    _, process.stderr = process.communicate(timeout=60)
    if process.returncode != 0:
        check(what, process, 130, "")
        return True
    os.remove(os.path.join(output, "x.bin"))
    return False


def interrupt_at(*arguments):
    if not any(interrupt(*arguments) for _ in range(5)):
        sys.exit(f"{arguments[0]}: expected a run that takes longer")


hole = shared.make_checkpoint(os.path.join(folder, "large"), 3)        # Writing its weights takes a while,
slow = shared.make_checkpoint(os.path.join(folder, "slow"), 200_000)    # reading its tokenizer as well.

for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
    interrupt_at(f"tcc writes, {number.name}", number, ("tcc", hole, "-o", "x.bin"),
                 lambda process: os.listdir(output))
    interrupt_at(f"tcc-import reads, {number.name}", number,
                 ("tcc-import", slow, "-o", "x.bin"),
                 lambda process: shared.catches(process, number))

# Weights that become shorter while they are read.
weights = os.path.join(hole, "model.safetensors")
size = os.path.getsize(weights)
for _ in range(5):
    process = subprocess.Popen(command("tcc", hole, "-o", "x.bin"), cwd=output, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while process.poll() is None and not os.listdir(output):
        time.sleep(0.0005)
    os.truncate(weights, 100_000)
    _, process.stderr = process.communicate(timeout=60)
    os.truncate(weights, size)
    if process.returncode != 0:
        check("tcc reads what is cut off", process, 65,
              "tcc: error: a file became shorter while it was read; leave files alone "
              "until the program ends\n")
        break
    os.remove(os.path.join(output, "x.bin"))
else:
    sys.exit("tcc reads what is cut off: expected a run that takes longer")


# A full disk.
fixture = str(pathlib.Path(__file__).resolve().parents[3] / "fixtures/llama/mha-defaults")
for program, arguments in [("tcc", []), ("tcc", ["--emit=plan"]), ("tcc-import", [])]:
    result = run(program, fixture, *arguments, "-o", "x",
                 limit=(resource.RLIMIT_FSIZE, 1000))
    check(f"{program} {arguments}, limit of a file", result, 73,
          f"{program}: error: x: cannot write: File too large\n")
result = run("tcc", fixture, "--interpret", "--tokens=1", "--logits=x",
             limit=(resource.RLIMIT_FSIZE, 1000))
check("tcc --interpret, limit of a file", result, 73,
      "tcc: error: x: cannot write: File too large\n")

# Output that goes nowhere.
reading, writing = os.pipe()
os.close(reading)
with open("/dev/full", "w") as full:
    for words in (["tcc", "--help"], ["tcc", "--version"], ["tcc-import", "--help"],
                  ["tcc-import", "--version"],
                  ["tcc", fixture, "--report", "-o", "x.bin"],
                  ["tcc", fixture, "--stop-after=graph"], ["tcc", fixture, "--emit=asm"]):
        for stdout, reason in (full, "No space left on device"), (writing, "Broken pipe"):
            check(f"{words}, {reason}", run(*words, stdout=stdout), 73,
                  f"{words[0]}: error: standard output: cannot write: {reason}\n")

# Enough address space for the program, too little for the tokenizer.
# AddressSanitizer reserves terabytes of it.
with open(os.path.join(programs, "tcc"), "rb") as file:
    if b"__asan_init" in file.read():
        sys.exit()
for program, megabytes in ("tcc", 360), ("tcc-import", 50):
    result = run(program, slow, "--no-weights", "-o", "x.bin",
                 limit=(resource.RLIMIT_AS, megabytes << 20))
    check(f"{program}, {megabytes} MB", result, 71, f"{program}: {MEMORY}")

# Between the two, threads get no stack. A pass that gets no memory is code 70; packing
# goes on with the threads that it has.
for megabytes in range(440, 540, 10):
    result = run("tcc", fixture, "-o", "x.bin",
                 limit=(resource.RLIMIT_AS, megabytes << 20))
    left = [name for name in os.listdir(output) if ".part-" in name]
    if result.returncode not in (0, 70, 71) or left:
        sys.exit(f"tcc, {megabytes} MB: expected 0, 70 or 71 and no file, got "
                 f"{result.returncode}, {left}: {result.stderr}")
    for name in os.listdir(output):
        os.remove(os.path.join(output, name))
