#!/usr/bin/env python3
"""Compares the logits of every tiny DeepSeek with those of other programs.

usage: check-deepseeks.py BIN FIXTURES SCRATCH {interpreter | MARCH}

BIN is the folder of tcc and tcc-run, FIXTURES the one of test/fixtures/deepseek.
Prints a line for each comparison; ends with 1 if one is beyond its tolerance.

Compiled models are held against an oracle in float64: 1e-5 where weights are f32,
1e-2 where activations are bf16, 2e-2 where weights are FP8, and 6e-2 where activations
are FP8 as well, which must change the logits. The interpreter too, to 1e-10, and
against transformers, which keeps norms, softmax, rotation and routers in float32: 2e-6
in all, 1e-5 in the worst row. Logits of multi-token prediction likewise, where there is
a module for it.

Every row is compared: margins of routing exceed what these roundings move.
"""

import importlib.util
import json
import pathlib
import subprocess
import sys

COMPARE = pathlib.Path(__file__).resolve().parent.parent / "compare-logits.py"

# What scores of choice move by at most where weights are FP8, and otherwise; make.py
# of the fixtures asserts half of it.
MARGINS = {"FP8": 0.04, "BF16": 0.02, "F16": 0.02, "F32": 0.02}


def import_compare():
    spec = importlib.util.spec_from_file_location("compare_logits", COMPARE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*command):
    """Runs a command that must succeed."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def compare(fixture, name, got, whole, row):
    figures = run(sys.executable, COMPARE, fixture / f"{name}.npy", got,
                  "--all", whole, "--row", row)
    print(f"{fixture.name} {name}: {figures}", flush=True)


def storage(fixture):
    """Returns how projections are stored, as the headers of safetensors say."""
    types = set()
    for file in fixture.glob("*.safetensors"):
        data = file.read_bytes()
        header = json.loads(data[8:8 + int.from_bytes(data[:8], "little")])
        types |= {entry["dtype"] for name, entry in header.items()
                  if name.endswith("_proj.weight")}
    return "FP8" if "F8_E4M3" in types else max(types)


def check_margins(fixture, kind):
    for file in fixture.glob("*margins.npy"):
        _, margins = import_compare().read_npy(file)
        if margins and min(margins) < MARGINS[kind]:
            raise SystemExit(f"{file}: expected margins of at least {MARGINS[kind]}, "
                             f"got {min(margins)}")


def main():
    tools, fixtures, scratch = map(pathlib.Path, sys.argv[1:4])
    scratch.mkdir(parents=True, exist_ok=True)
    for tokens in sorted(fixtures.glob("*/tokens.json")):
        fixture = tokens.parent
        ids = ",".join(map(str, json.loads(tokens.read_text())))
        kind = storage(fixture)
        check_margins(fixture, kind)
        kinds = ["", "mtp-"] if (fixture / "mtp-logits-f64.npy").exists() else [""]
        files = {prefix: scratch / f"{prefix}{fixture.name}.npy" for prefix in kinds}
        outputs = [argument for prefix, file in files.items()
                   for argument in (f"--{prefix}logits", file)]
        if sys.argv[4] == "interpreter":
            run(tools / "tcc", fixture, "--interpret", "--tokens", ids, *outputs)
            for prefix, file in files.items():
                compare(fixture, f"{prefix}logits-f64", file, 1e-10, 1e-10)
                name = f"{prefix}logits-transformers"
                if (fixture / f"{name}.npy").exists():
                    compare(fixture, name, file, 2e-6, 1e-5)
            continue
        model = scratch / f"{fixture.name}.bin"

        def check_compiled(tolerance, *options):
            run(tools / "tcc", fixture, f"--march={sys.argv[4]}", "-o", model, *options)
            run(tools / "tcc-run", model, "--tokens", ids, "--max-tokens", 0, *outputs)
            for prefix, file in files.items():
                compare(fixture, f"{prefix}logits-f64", file, tolerance, tolerance)
            return [file.read_bytes() for file in files.values()]

        usual = check_compiled({"F32": 1e-5, "FP8": 2e-2}.get(kind, 1e-2))
        if kind == "FP8":
            quantised = check_compiled(6e-2, "--fp8-activations")
            if any(a == b for a, b in zip(usual, quantised)):
                raise SystemExit(f"{fixture}: expected --fp8-activations to change logits")


main()
