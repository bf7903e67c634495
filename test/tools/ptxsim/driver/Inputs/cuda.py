"""The driver API by ctypes, for tests."""

import ctypes

_library = ctypes.CDLL("libcuda.so.1")


def call(name, *arguments):
    """Calls a function and returns the name of its result."""
    result = getattr(_library, name)(*arguments)
    text = ctypes.c_char_p()
    _library.cuGetErrorName(result, ctypes.byref(text))
    return text.value.decode()


def check(name, *arguments):
    result = call(name, *arguments)
    assert result == "CUDA_SUCCESS", f"{name}: {result}"


def start():
    """Initialises the driver and makes a context."""
    context = ctypes.c_void_p()
    check("cuInit", 0)
    check("cuCtxCreate_v2", ctypes.byref(context), 0, 0)
    return context
