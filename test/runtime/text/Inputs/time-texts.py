"""Encodes and decodes texts of a megabyte: time-texts.py TCC-RUN MODEL.bin FILE"""

import json
import subprocess
import sys
import time

LIMIT = 10  # Seconds for each; a thousand times less is usual.
TEXTS = ["a" * 10**6, "the" * 333333, " " * 10**6, "\n" * 10**6, "7" * 10**6,
         "!" * 10**6, "世" * 333333, "👍" * 250000, (" " * 999 + "x") * 1000,
         "<|begin|>" * 100000, "<|" * 500000, "▁" * 333333]


def convert(program, model, mode, path, value):
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps(value) + "\n")
    start = time.monotonic()
    result = subprocess.run([program, model, mode, path], stdout=subprocess.PIPE,
                            timeout=LIMIT, check=True)
    return json.loads(result.stdout), time.monotonic() - start


def main():
    program, model, path = sys.argv[1:]
    for text in TEXTS:
        ids, encoding = convert(program, model, "--tokenize", path, text)
        decoded, decoding = convert(program, model, "--detokenize", path, ids)
        print(f"{ascii(text[:12])}: {encoding:.2f} s, {decoding:.2f} s")
        # The decoder of Llama 2 takes U+2581 for a space.
        if decoded.replace("▁", " ") != text.replace("▁", " "):
            sys.exit(f"{ascii(text[:12])}: another text came back")


main()
