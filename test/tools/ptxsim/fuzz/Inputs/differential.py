"""Runs random programs on the simulator and, compiled from C++, on the processor.

    LD_LIBRARY_PATH=build/lib/ptxsim differential.py CLANG [--programs N] [--first SEED]

Prints how many programs differ; for each the first instruction whose result does,
in both languages. The same seed makes the same program.
"""
import argparse
import ctypes
import pathlib
import random
import subprocess
import sys
import tempfile

import cuda
import program
from program import LANES, STATE, TRACED

HERE = pathlib.Path(__file__).resolve().parent
TRACE_BYTES = 8 + 16 * TRACED


def launch(module, name, states, traces):
    """Runs a kernel on bytes; it changes both."""
    pointers = []
    for data in (states, traces):
        pointer = ctypes.c_uint64()
        cuda.check("cuMemAlloc_v2", ctypes.byref(pointer), ctypes.c_size_t(len(data)))
        cuda.check("cuMemcpyHtoD_v2", pointer, data, ctypes.c_size_t(len(data)))
        pointers.append(pointer)
    function = ctypes.c_void_p()
    cuda.check("cuModuleGetFunction", ctypes.byref(function), module, name.encode())
    parameters = (ctypes.c_void_p * 2)(*(ctypes.addressof(pointer) for pointer in pointers))
    cuda.check("cuLaunchKernel", function, 1, 1, 1, LANES, 1, 1, 0, None, parameters, None)
    cuda.check("cuCtxSynchronize")
    for data, pointer in zip((states, traces), pointers):
        cuda.check("cuMemcpyDtoH_v2", data, pointer, ctypes.c_size_t(len(data)))
        cuda.check("cuMemFree_v2", pointer)


def run(clang, programs):
    """Runs programs both ways; yields each with what the two made of it."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "p.ptx").write_text(
            program.HEADER + "".join(each.as_ptx() for each in programs))
        (folder / "p.cpp").write_text(
            '#include "floats.h"\n' + program.STATE_CPP
            + "".join(each.as_cpp() for each in programs))
        subprocess.run([clang, "-w", "-std=c++17", "-O1", "-frounding-math", "-ffp-contract=off",
                        "-march=x86-64-v3", "-fPIC", "-shared", f"-I{HERE}", folder / "p.cpp",
                        "-o", folder / "p.so"], check=True)
        library = ctypes.CDLL(str(folder / "p.so"))
        module = ctypes.c_void_p()
        cuda.check("cuModuleLoad", ctypes.byref(module), str(folder / "p.ptx").encode())
    for each in programs:
        random_ = random.Random(~each.seed)
        start = b"".join(program.state(random_) for _ in range(LANES))
        results = []
        for _ in range(2):
            results.append((ctypes.create_string_buffer(start, len(start)),
                            ctypes.create_string_buffer(TRACE_BYTES * LANES)))
        launch(module, each.name, *results[0])
        states, traces = map(ctypes.addressof, results[1])
        for lane in range(LANES):
            library[each.name](ctypes.c_void_p(states + lane * STATE.size),
                               ctypes.c_void_p(traces + lane * TRACE_BYTES))
        yield each, results
    cuda.check("cuModuleUnload", module)


def explain(clang, seed):
    """Says where a program first differs."""
    [(traced, results)] = run(clang, [program.Program("traced", seed, trace=True)])
    first = None
    for lane in range(LANES):
        logs = [memoryview(trace.raw).cast("Q")[lane * TRACE_BYTES // 8:][:TRACE_BYTES // 8]
                for _, trace in results]
        for at in range(1, 2 * min(TRACED, logs[0][0], logs[1][0]), 2):
            if logs[0][at:at + 2] != logs[1][at:at + 2]:
                if first is None or at < first[0]:
                    first = at, lane, logs
                break
    if first is None:
        print(f"program {seed}: differs, but not when it is traced")
        return
    at, lane, logs = first
    where = logs[1][at]
    cpp = "\n".join(traced.cpp).splitlines()
    note = next(i for i, line in enumerate(cpp) if f"note(trace, {where}," in line)
    line = next(i for i, line in enumerate(traced.ptx) if f"[%place+8], {where};" in line)
    print(f"program {seed}: lane {lane}, result {at // 2}: expected {logs[1][at + 1]:#x}, "
          f"got {logs[0][at + 1]:#x}" + ("" if logs[0][at] == where else " of another place"))
    print("  " + "\n  ".join(traced.ptx[max(line - 12, 0):line]))
    print("  " + "\n  ".join(cpp[max(note - 4, 0):note + 1]))
    before = [(logs[1][i], hex(logs[1][i + 1])) for i in range(max(1, at - 40), at, 2)]
    print("  results before:", *before[::-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("clang")
    parser.add_argument("--programs", type=int, default=100)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--batch", type=int, default=50)
    arguments = parser.parse_args()
    cuda.start()
    wrong = 0
    end = arguments.first + arguments.programs
    for first in range(arguments.first, end, arguments.batch):
        batch = [program.Program(f"p{seed}", seed)
                 for seed in range(first, min(first + arguments.batch, end))]
        for each, ((state, _), (expected, _)) in run(arguments.clang, batch):
            if state.raw != expected.raw:
                wrong += 1
                if wrong <= 10:
                    explain(arguments.clang, each.seed)
        sys.stdout.flush()
    print(f"{wrong} of {arguments.programs} programs differ")


main()
