#!/usr/bin/env python3
"""Measures the simulator of tools/ptxsim beside the peaks of the same run.

  instructions  of ordinary kernels: lane-instructions a second, as a share of the
                multiply-adds of f32 a second that the machine can do
  wgmma         bf16 products a second, as shares of the peak of vdpbf16ps and of f32
                multiply-adds
  checks        seconds with PTXSIM_CHECK=all, and =memory, over those with =none
  load          seconds to load a module of 1 MB of PTX
  memory        peak memory of a process over what it allocates: its kernel fills 1 GB in
                whole lines, or 256 MB in elements of 4, 2 or 1 bytes whose neighbours
                other warps write

Medians of five launches, or more. Prints one line for each, or JSON with --json.

usage: ptxsim.py [--build DIR] [--json] [--only NAME...]
"""
import argparse
import ctypes
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import ptxsim_kernels as kernels

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / "test/tools/ptxsim/proof"), str(ROOT / "test/tools/ptxsim/driver/Inputs")]
BLOCKS, THREADS = 64, 256
GIGABYTE = 1 << 30


def worker(job):
    """In a process of its own: loads a module, launches its kernel a few times."""
    import cuda
    cuda.start()
    start = time.perf_counter()
    module, function = ctypes.c_void_p(), ctypes.c_void_p()
    cuda.check("cuModuleLoad", ctypes.byref(module), job["file"].encode())
    load = time.perf_counter() - start
    seconds = []
    if job.get("kernel"):
        cuda.check("cuModuleGetFunction", ctypes.byref(function), module,
                   job["kernel"].encode())
        data, words = ctypes.c_uint64(), ctypes.c_uint64(job["bytes"] // 16)
        cuda.check("cuMemAlloc_v2", ctypes.byref(data), ctypes.c_size_t(job["bytes"]))
        if job["fills"]:
            cuda.check("cuMemsetD32_v2", data, 0x3f800000, ctypes.c_size_t(job["bytes"] // 4))
        parameters = (ctypes.c_void_p * 2)(ctypes.addressof(data), ctypes.addressof(words))
        for _ in range(job["launches"]):
            start = time.perf_counter()
            cuda.check("cuLaunchKernel", function, job["blocks"], 1, 1, job["threads"], 1, 1, 0,
                       None, parameters, None)
            cuda.check("cuCtxSynchronize")
            seconds.append(time.perf_counter() - start)
        cuda.check("cuMemFree_v2", data)
    [peak] = re.findall(r"VmHWM:\s*(\d+)", pathlib.Path("/proc/self/status").read_text())
    print(json.dumps({"load": load, "seconds": seconds, "peak": int(peak) * 1024}))


class Bench:
    def __init__(self, build):
        self.build = build
        self.folder = tempfile.TemporaryDirectory()
        self.measured = []

    def peaks(self):
        """Measures the machine: again and again, since it changes."""
        done = subprocess.run([self.build / "bin/peaks", "2"], check=True, capture_output=True)
        self.measured.append(json.loads(done.stdout))

    def peak(self, name):
        return statistics.median(each[name] for each in self.measured)

    def write(self, name, text):
        path = pathlib.Path(self.folder.name) / f"{name}.ptx"
        path.write_text(text)
        return str(path)

    def environment(self, checks):
        return dict(os.environ, PTXSIM_CHECK=checks,
                    LD_LIBRARY_PATH=str(self.build / "lib/ptxsim"))

    def launch(self, text, checks="none", **job):
        job = {"file": self.write(job.get("kernel", "module"), text), "blocks": BLOCKS,
               "threads": THREADS, "bytes": 1 << 16, "launches": 6, "fills": True, **job}
        done = subprocess.run([sys.executable, __file__, "--worker", json.dumps(job)],
                              env=self.environment(checks), check=True, stdout=subprocess.PIPE)
        result = json.loads(done.stdout)
        # The first launch decodes the kernel.
        result["median"] = statistics.median(result["seconds"][1:] or [0])
        return result

    def all_checks(self, name, run):
        """Seconds of `run(checks)` without checks, and what checks cost."""
        none, memory, all_ = (run(checks) for checks in ("none", "memory", "all"))
        yield f"{name}, checks", {"all_over_none": all_ / none, "memory_over_none": memory / none,
                                  "none_seconds": none}

    # Each yields names and figures.

    def instructions(self):
        for name in kernels.BODIES:
            text, count = kernels.ordinary(name)
            run = lambda checks: self.launch(text, checks, kernel=name)["median"]
            self.peaks()
            seconds = run("none")
            rate = count * BLOCKS * THREADS / seconds
            yield name, {"lane_instructions": rate,
                         "share_of_fma": rate / (self.peak("fma_f32_flops") / 2)}
            yield from self.all_checks(name, run)

    def wgmma(self):
        text, count = kernels.wgmma()
        run = lambda checks: self.launch(text, checks, kernel="wgmma", blocks=8,
                                         threads=128)["median"]
        self.peaks()
        rate = 8 * count / run("none")
        dot = self.peak("dot_bf16_flops")
        yield "wgmma", {"flops": rate, "share_of_fma": rate / self.peak("fma_f32_flops"),
                        "share_of_vdpbf16ps": rate / dot if dot else None}
        yield from self.all_checks("wgmma", run)

    def proofs(self):
        """The kernels that prove the simulator, at sizes that take a while."""
        import cases
        large = [cases.Gemm(rows=512, columns=512, depth=1024, clusters=2),
                 cases.Attention(heads=2, queries=512, keys=512)]
        for case in large:
            case.write_inputs(self.folder.name)
            path = self.write(case.name, case.text)

            def run(checks):
                # The schedule of prove.py, but on as many threads as there are.
                os.environ["LD_LIBRARY_PATH"] = str(self.build / "lib/ptxsim")
                _, printed = case.run(str(self.build / "bin/ptx-run"), path, self.folder.name,
                                      "", checks, ("--repeat", "5"))
                return float(re.search(r"median ([\d.]+) ms", printed)[1]) / 1e3
            yield from self.all_checks(case.name, run)

    def load(self):
        import cases
        text, number = kernels.HEADER, 0
        sources = [case().text for case in (cases.Gemm, cases.Attention)]
        while len(text) < 1 << 20:
            body = sources[number % 2]
            body = body[body.index(".address_size 64") + len(".address_size 64"):]
            names = set(re.findall(r"\.(?:entry|func)\s+(\w+)", body)) | set(
                re.findall(r"\.shared[^;]*?\s(\w+)\[\];", body))
            for name in names:
                body = re.sub(rf"\b{name}\b", f"{name}_{number}", body)
            text += body
            number += 1
        file = self.write("large", text)
        runs = [self.launch(text, file=file)["load"] for _ in range(5)]
        yield "load", {"seconds": statistics.median(runs), "bytes": len(text)}

    def memory(self):
        for checks in ("none", "memory", "all"):
            cases = [("touch", kernels.touch(), GIGABYTE)]
            cases += [(f"scatter of {bytes}", kernels.scatter(bytes), GIGABYTE // 4)
                      for bytes in (4, 2, 1)]
            for name, text, size in cases:
                run = self.launch(text, checks, kernel=name.split()[0], bytes=size, launches=2,
                                  fills=False)
                yield f"memory, {name}, PTXSIM_CHECK={checks}", {
                    "peak_over_allocated": run["peak"] / size, "seconds": run["median"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", nargs="+",
                        default=["instructions", "wgmma", "proofs", "load", "memory"])
    parser.add_argument("--worker", type=json.loads)
    arguments = parser.parse_args()
    if arguments.worker:
        return worker(arguments.worker)
    bench = Bench(arguments.build.resolve())
    for _ in range(3):
        bench.peaks()
    results = {}
    for part in arguments.only:
        for name, figures in getattr(bench, part)():
            results[name] = figures
            if not arguments.json:
                print(f"{name:28}", ", ".join(
                    f"{key} {value:.4g}" for key, value in figures.items() if value), flush=True)
    results["peaks"] = {name: bench.peak(name) for name in bench.measured[0]}
    print(json.dumps(results, indent=2) if arguments.json else f"peaks {results['peaks']}")


main()
