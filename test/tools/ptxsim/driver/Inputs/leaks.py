"""Allocates and frees one of three."""

import ctypes
import sys

from cuda import check, start

start()
address = ctypes.c_uint64()
check("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(100))
check("cuMemFree_v2", address)
check("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(200))
pinned = ctypes.c_void_p()
check("cuMemHostAlloc", ctypes.byref(pinned), ctypes.c_size_t(300), 0)
print("done")
sys.stdout.flush()
