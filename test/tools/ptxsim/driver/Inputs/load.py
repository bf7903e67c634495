"""Loads files as modules and runs their kernel `answer`."""

import ctypes
import os
import sys

from cuda import call, check, start

start()
address = ctypes.c_uint64()
check("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(4))
for path in sys.argv[1:]:
    module, function = ctypes.c_void_p(), ctypes.c_void_p()
    name = os.path.basename(path)
    result = call("cuModuleLoad", ctypes.byref(module), path.encode())
    if result != "CUDA_SUCCESS":
        print(f"{name}: {result}")
        continue
    check("cuModuleGetFunction", ctypes.byref(function), module, b"answer")
    parameters = (ctypes.c_void_p * 1)(ctypes.addressof(address))
    check("cuLaunchKernel", function, 1, 1, 1, 1, 1, 1, 0, None, parameters,
          None)
    answer = ctypes.c_int()
    check("cuMemcpyDtoH_v2", ctypes.byref(answer), address, ctypes.c_size_t(4))
    print(f"{name}: {result}, answer {answer.value}")
check("cuMemFree_v2", address)
