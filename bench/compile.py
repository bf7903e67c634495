#!/usr/bin/env python3
"""Measures what compiling takes: seconds from descriptions, and packing of weights.

For the descriptions under test/tools/tcc/Inputs (Llama 1B to 405B), and for DeepSeek-V3
and the same with 5 layers: the seconds of `tcc CONFIG --no-weights`, medians, and the
ratio of the slowest to the fastest of each family.

For each checkpoint:

  packing    bytes of the checkpoint a second while weights are packed, that is
             beyond what `tcc CHECKPOINT --no-weights` takes, as a share of the
             bytes a second of `cp` to the same folder
  anonymous  the most memory that is not of mapped files, in MiB

usage: compile.py [--build DIR] [--repeat N] [--folder DIR] [CHECKPOINT...]
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LLAMAS = os.path.join(ROOT, "test", "tools", "tcc", "Inputs")
DEEPSEEK = os.path.join(ROOT, "test", "frontends", "deepseek", "Inputs", "v3.json")


def seconds(*command):
    start = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    return time.monotonic() - start


def peak_anonymous(*command):
    """The largest RssAnon of a command, in bytes, looked at every millisecond."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                for line in status:
                    if line.startswith("RssAnon:"):
                        peak = max(peak, int(line.split()[1]) * 1024)
        except (FileNotFoundError, ProcessLookupError):
            break
        time.sleep(0.001)
    if process.wait() != 0:
        raise SystemExit(f"{' '.join(command)}: exit status {process.returncode}")
    return peak


def files_of(checkpoint):
    if os.path.isfile(checkpoint):
        return [checkpoint]
    return [os.path.join(checkpoint, name) for name in sorted(os.listdir(checkpoint))
            if name.endswith(".safetensors")]


def measure_packing(tcc, checkpoint, folder, repeat):
    files = files_of(checkpoint)
    size = sum(map(os.path.getsize, files))
    copy, model = (os.path.join(folder, name) for name in ("copy", "model.bin"))
    rates = {"copy": [], "pack": []}
    for _ in range(repeat):
        # Each writes new files while the checkpoint is in the page cache.
        rates["copy"].append(size / sum(seconds("cp", file, copy) for file in files))
        os.remove(copy)
        description = seconds(tcc, checkpoint, "--no-weights", "-o", model)
        os.remove(model)  # ext4 waits for the disk when a file is replaced.
        whole = seconds(tcc, checkpoint, "-o", model)
        rates["pack"].append(size / max(whole - description, 1e-9))
        os.remove(model)
    copied, packed = (statistics.median(rates[key]) for key in ("copy", "pack"))
    anonymous = peak_anonymous(tcc, checkpoint, "-o", model)
    os.remove(model)
    print(f"{os.path.basename(os.path.normpath(checkpoint)):28} "
          f"copy {copied / 1e9:5.2f} GB/s   packing {packed / 1e9:5.2f} GB/s, "
          f"{100 * packed / copied:5.1f} %   anonymous {anonymous / 2**20:6.0f} MiB")


def measure_descriptions(tcc, configs, folder, repeat):
    medians = []
    for config in configs:
        model = os.path.join(folder, "model.bin")
        times = [seconds(tcc, config, "--no-weights", "-o", model)
                 for _ in range(repeat)]
        medians.append(statistics.median(times))
        print(f"{os.path.basename(config):28} {medians[-1]:6.2f} s "
              f"({min(times):.2f} to {max(times):.2f})")
    print(f"{'slowest / fastest':28} {max(medians) / min(medians):6.2f}")


def cut_layers(config, layers, folder):
    """Writes `config` with so many layers to `folder`; returns its path."""
    with open(config, encoding="utf-8") as file:
        fields = json.load(file)
    path = os.path.join(folder, f"{layers}-layers.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**fields, "num_hidden_layers": layers}, file)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoints", nargs="*")
    parser.add_argument("--build", default="build")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--folder", help="where to write (default: a temporary one)")
    options = parser.parse_args()
    tcc = os.path.join(options.build, "bin", "tcc")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        llamas = [os.path.join(LLAMAS, name) for name in sorted(os.listdir(LLAMAS))
                  if name.endswith(".json")]
        measure_descriptions(tcc, llamas, folder, options.repeat)
        deepseeks = [DEEPSEEK, cut_layers(DEEPSEEK, 5, folder)]
        measure_descriptions(tcc, deepseeks, folder, options.repeat)
        for checkpoint in options.checkpoints:
            measure_packing(tcc, checkpoint, folder, options.repeat)


if __name__ == "__main__":
    sys.exit(main())
