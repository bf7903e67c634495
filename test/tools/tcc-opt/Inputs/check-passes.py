#!/usr/bin/env python3
"""Checks that every pass in Passes.td files stands in the help of tcc-opt.

Usage: check-passes.py HELP Passes.td...
"""
import re
import sys


def main(help_path, *td_paths):
    known = set(re.findall(r"--([\w-]+)", open(help_path).read()))
    missing = [(path, name) for path in td_paths
               for name in re.findall(r'Pass<"([\w-]+)"', open(path).read())
               if name not in known]
    for path, name in missing:
        print(f"{path}: error: expected tcc-opt to have --{name}, got no such pass")
    return bool(missing)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
