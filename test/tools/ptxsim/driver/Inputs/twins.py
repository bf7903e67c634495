"""Tells whether the loader chose the right one of the two libraries."""

from cuda import start

start()
loaded = {line.split()[-1] for line in open("/proc/self/maps")
          if "libcuda.so.1" in line}
flags = next(line for line in open("/proc/cpuinfo") if line.startswith("flags"))
level4 = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
wanted = level4 <= set(flags.split())
assert len(loaded) == 1, loaded
if ("x86-64-v4" in loaded.pop()) == wanted:
    print("the library for this CPU")
