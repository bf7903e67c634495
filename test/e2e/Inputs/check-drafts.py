#!/usr/bin/env python3
"""Checks that greedy tokens are those without drafts: check-drafts.py TCC-RUN MODEL TOKENS...

TOKENS are the ids of a prompt each, separated by commas. For each prompt alone and for
all of them as one batch, the tokens with 1, 2 and 5 drafts a step, on 1 and 2 threads,
must be those without.
"""

import subprocess
import sys

program, model, *prompts = sys.argv[1:]


def run(*arguments):
    done = subprocess.run([program, model, *map(str, arguments)], capture_output=True,
                          text=True)
    if done.returncode:
        sys.exit(f"{arguments}: {done.returncode}: {done.stderr}")
    return done.stdout


for batch in [*[[prompt] for prompt in prompts], prompts]:
    asked = [argument for prompt in batch for argument in ("--tokens", prompt)]
    expected = run(*asked, "--max-tokens", 24)
    for drafts in 1, 2, 5:
        for threads in 1, 2:
            got = run(*asked, "--max-tokens", 24, f"--draft=mtp:{drafts}", "--threads",
                      threads)
            if got != expected:
                sys.exit(f"{batch}, {drafts} drafts, {threads} threads: expected\n"
                         f"{expected}got\n{got}")
print("equal")
