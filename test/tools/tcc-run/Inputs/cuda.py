"""Runs on drivers that cannot run a model: cuda.py TCC-RUN MODEL LIBRARIES FOLDER

LIBRARIES holds fake-cuda, a driver that computes nothing, fails when the variable
FAKE_CUDA says so, and names what it was not given back.
"""

import os
import re
import shutil
import subprocess
import sys

program, model, libraries, folder = sys.argv[1:]
shutil.rmtree(folder, ignore_errors=True)
os.mkdir(folder)


def run(settings, *arguments, library=os.path.join(libraries, "fake-cuda")):
    environment = dict(os.environ, LD_LIBRARY_PATH=library, FAKE_CUDA=settings)
    return subprocess.run([program, model, *arguments], env=environment, text=True,
                          capture_output=True, timeout=60)


def check(code, message, result):
    """`message` is a regular expression for all of stderr."""
    if result.returncode != code or not re.fullmatch(
            f"tcc-run: error: {message}\n" if code else "", result.stderr):
        sys.exit(f"expected {code}: {message}\ngot {result.returncode}: {result.stderr}")


# A driver of the right name that is none, in place of none: this machine may have one.
with open(os.path.join(folder, "libcuda.so.1"), "w"):
    pass
tokens = ("--device=cuda", "--tokens", "1,2")
check(69, r"cuda: expected NVIDIA's driver, got .*libcuda\.so\.1: file too short; "
      r"install the driver or use --device=cpu", run("", *tokens, library=folder))

check(69, "cuda: cuInit: CUDA_ERROR_NO_DEVICE", run("devices=0", *tokens))
check(69, "--device=cuda:9: expected a device below 2, the number that the driver sees",
      run("devices=2", "--device=cuda:9", "--tokens", "1"))
check(69, r"cuda: expected a GPU of compute capability 9\.0, such as an H100, got Fake "
      r"of 8\.0", run("capability=80", *tokens))
check(69, r"cuda: expected a driver of CUDA 12\.0 or newer, got one of 11\.8; install a "
      r"newer driver", run("version=11080", *tokens))
check(69, r"\S*m\.bin: code: expected a driver that takes PTX \d\.\d, got one of CUDA "
      r"12\.1; install a newer driver",
      run("version=12010,failing=cuModuleLoadDataEx,result=222", *tokens))
check(69, r"\S*m\.bin: code: cuda: cuModuleLoadDataEx: CUDA_ERROR_INVALID_PTX; the "
      r"driver's compiler says: line 9: no such register",
      run("failing=cuModuleLoadDataEx,result=218,log=line 9: no such register", *tokens))

# Memory: planned before anything is reserved, or refused by the driver.
check(71, r"\S*m\.bin: memory: expected room for weights \(0 MB\), key/value cache "
      r"\(0 MB\) and buffers \(0 MB\), got 0 MB; 1 of the 2 prompts at once or weights "
      r"in BF16 \(about 0 MB\) would fit",
      run("memory=67300000", *tokens, "--tokens", "1,2,3,4,5,6,7,8,9,10",
          "--max-tokens", "40"))
check(71, r"\S*m\.bin: memory: expected room for weights .* got 0 MB; no context, no "
      r"single prompt and no other type of weights would fit",
      run("memory=1000", *tokens))
check(71, r"memory: cannot reserve \d+ bytes of Fake for the weights; use a smaller model "
      r"\(\d+ bytes are free\)", run("failing=cuMemAlloc_v2,result=2", *tokens))
check(71, r"cuda: cuDevicePrimaryCtxRetain: CUDA_ERROR_OUT_OF_MEMORY",
      run("failing=cuDevicePrimaryCtxRetain,result=2", *tokens))

# A launch that fails, and one of which it is not known which.
error = "CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access was encountered"
check(69, f"(\\S*m\\.bin: )?cuda: cuLaunchKernelEx: {error}; in launch 5 of the step, "
      r"kernel \w+, layer 0", run("failing=cuLaunchKernelEx,after=4", *tokens))
check(69, f"(\\S*m\\.bin: )?cuda: cuStreamSynchronize: {error}; in launch 5 of the step, "
      r"kernel \w+, layer 0",
      run("failing=cuStreamSynchronize,after=6", *tokens, "--check-launches"))
check(69, f"(\\S*m\\.bin: )?cuda: cuStreamSynchronize after the launches of a step: "
      f"{error}; --check-launches says which",
      run("failing=cuStreamSynchronize,after=2", *tokens))

# Nothing is left behind where nothing fails.
check(0, "", run("", *tokens, "--max-tokens", "9"))
print("a message for each")
