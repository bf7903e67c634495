"""Runs under limits of the system: limits.py TCC-RUN MODEL FOLDER"""

import os
import re
import resource
import shutil
import subprocess
import sys

program, model, folder = sys.argv[1:]
shutil.rmtree(folder, ignore_errors=True)
os.mkdir(folder)


def check(what, result, code, message):
    """`message` is a regular expression for all of stderr."""
    if (result.returncode != code or os.listdir(folder) or
            not re.fullmatch(f"tcc-run: error: {message}\n", result.stderr)):
        sys.exit(f"{what}: expected {code}: {message}, got {result.returncode}: "
                 f"{result.stderr}, {os.listdir(folder)}")


def run(*arguments, limits=None, stdout=subprocess.DEVNULL):
    def limit():
        for kind, value in (limits or {}).items():
            resource.setrlimit(kind, (value, value))
    return subprocess.run([program, model, *arguments], cwd=folder, text=True,
                          stdout=stdout, stderr=subprocess.PIPE, preexec_fn=limit,
                          timeout=60)


# Files of at most 8,192 bytes: three rows and a header are 6,272, five 10,368.
result = run("--tokens", "1,2,3", "--max-tokens", "0", "--logits", "a.npy",
             limits={resource.RLIMIT_FSIZE: 8192})
assert result.returncode == 0, result.stderr
os.remove(os.path.join(folder, "a.npy"))
result = run("--tokens", "1,2,3,4,5", "--max-tokens", "0", "--logits", "a.npy",
             limits={resource.RLIMIT_FSIZE: 8192})
check("a full disk", result, 73, "a.npy: cannot write: File too large")

# Output that goes nowhere ends the generation: of 500 tokens the logits of a few
# are computed.
with open("/dev/full", "w") as full:
    for arguments in (["--prompt", ""], ["--tokens", "1"], ["--info"], ["--help"],
                      ["--prompt", "", "--prompt", "a"], ["--bench=1,1"]):
        if arguments[0] in ("--prompt", "--tokens"):
            arguments += ["--max-tokens", "500"]
        check(f"{arguments}, /dev/full", run(*arguments, stdout=full), 73,
              "standard output: cannot write: No space left on device")
    result = run("--prompt", "", "--max-tokens", "500", "--logits", "a.npy", stdout=full,
                 limits={resource.RLIMIT_FSIZE: 30000})
    check("/dev/full and logits", result, 73,
          "standard output: cannot write: No space left on device")
reading, writing = os.pipe()
os.close(reading)
check("a closed pipe", run("--prompt", "", "--max-tokens", "500", "--logits", "a.npy",
                           stdout=writing),
      73, "standard output: cannot write: Broken pipe")
os.close(writing)

# No file that is opened takes the place of stdout.
result = subprocess.run(
    [program, model, "--tokens", "1,2,3", "--max-tokens", "1", "--logits", "a.npy"],
    cwd=folder, text=True, stderr=subprocess.PIPE, preexec_fn=lambda: os.close(1))
check("no stdout", result, 73, "standard output: cannot write: Bad file descriptor")

# More than a terabyte of cache is refused before anything is computed.
check("the memory of the machine", run("--bench=1,510,1048576"), 71,
      r"\S*m\.bin: memory: expected room for weights \(1 MB\), key/value cache "
      r"\(\d{7} MB\) and buffers \(\d+ MB\), got \d+ MB; \d+ of the 1048576 prompts at "
      r"once would fit")

# From far too little address space to enough of it, in steps of 60 KB: whatever
# cannot be allocated, there is a message, unless the program cannot even be started.
# AddressSanitizer reserves terabytes of it.
with open(program, "rb") as file:
    if b"__asan_init" in file.read():
        sys.exit()
codes, megabyte = [], 1 << 20
for size in range(2 * megabyte, 200 * megabyte, 60 << 10):
    result = run("--prompt", "", "--max-tokens", "5", "--threads", "4",
                 limits={resource.RLIMIT_AS: size})
    # The loader, or the kernel, ends what does not fit; we have begun after that.
    if not codes and (result.returncode < 0 or result.returncode == 127):
        continue
    codes.append(result.returncode)
    if result.returncode != 0:
        check(f"{size} bytes of address space", result, 71,
              r"(\S*m\.bin: )?(memory|cannot map|code): .*")
    if codes[-20:] == [0] * 20:
        break
assert 71 in codes and codes[-1] == 0, codes
print("a message for each")
