#!/usr/bin/env python3
"""Checks that greedy tokens are those without drafts: check-drafts.py TCC-RUN MODEL

For prompts of several lengths, each alone and all as one batch, the tokens with 1, 2
and 5 drafts a step, on 1 to 3 threads, must be those without. For each length and number
of drafts some drafts must be accepted and some not.
"""

import json
import random
import subprocess
import sys

program, model = sys.argv[1:]
GENERATED = 40
# Pages have 64 positions and chunks of prompts have 512: what is generated crosses the
# end of a page in the second prompt and of a chunk in the third; the fourth has two
# chunks.
LENGTHS = 5, 50, 500, 600
DRAFTS = 1, 2, 5


def run(*arguments):
    done = subprocess.run([program, model, *map(str, arguments)], capture_output=True,
                          text=True)
    if done.returncode:
        sys.exit(f"{arguments}: {done.returncode}: {done.stderr}")
    return done.stdout


def check_texts(prompts):
    asked = [argument for prompt in prompts
             for argument in ("--tokens", ",".join(map(str, prompt)))]
    asked += "--max-tokens", GENERATED
    expected = run(*asked)
    for drafts in DRAFTS:
        for threads in 1, 2, 3:
            got = run(*asked, f"--draft=mtp:{drafts}", "--threads", threads)
            if got != expected:
                sys.exit(f"prompts of {[*map(len, prompts)]} tokens, {drafts} drafts, "
                         f"{threads} threads: expected\n{expected}got\n{got}")


def check_acceptance(length, drafts):
    report = json.loads(run(f"--bench={length},{GENERATED}", f"--draft=mtp:{drafts}",
                            "--json"))["draft"]
    if not 0 < report["accepted"] < report["drafted"]:
        sys.exit(f"a prompt of {length} tokens, {drafts} drafts: expected some that are "
                 f"accepted and some that are not, got {report}")
    return report["acceptance"]


rates = [check_acceptance(length, drafts) for length in LENGTHS for drafts in DRAFTS]
print(f"accepted: {min(rates):.2f} to {max(rates):.2f} of all drafts", flush=True)
generator = random.Random(0)
prompts = [[generator.randrange(128) for _ in range(length)] for length in LENGTHS]
for batch in [*[[prompt] for prompt in prompts], prompts]:
    check_texts(batch)
