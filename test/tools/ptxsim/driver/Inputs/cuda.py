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


def make(name, *arguments):
    """Calls a function that returns a handle through its first parameter."""
    handle = ctypes.c_void_p()
    check(name, ctypes.byref(handle), *arguments)
    return handle


def start():
    """Initialises the driver and makes a context."""
    check("cuInit", 0)
    return make("cuCtxCreate_v2", 0, 0)


def allocate(words):
    """Returns the address of `words` zero words of 32 bits."""
    address = ctypes.c_uint64()
    check("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(4 * words))
    check("cuMemsetD32_v2", address, 0, ctypes.c_size_t(words))
    # Streams that do not wait for the default one must find the zeros.
    check("cuCtxSynchronize")
    return address


def read(address, words):
    values = (ctypes.c_uint32 * words)()
    check("cuMemcpyDtoH_v2", values, address, ctypes.c_size_t(4 * words))
    return list(values)


def load(text):
    """Loads PTX without its head and returns the module."""
    head = ".version 9.0\n.target sm_90a\n.address_size 64\n"
    return make("cuModuleLoadData", (head + text).encode())


def function(module, name):
    return make("cuModuleGetFunction", module, name.encode())


def pointers(arguments):
    """The array of pointers to ctypes values that a launch takes."""
    addresses = [ctypes.addressof(argument) for argument in arguments]
    return (ctypes.c_void_p * max(len(addresses), 1))(*addresses)


def launch(kernel, arguments=(), grid=1, block=1, shared=0, stream=None):
    """Launches and returns the name of the result."""
    return call("cuLaunchKernel", kernel, grid, 1, 1, block, 1, 1, shared, stream,
                pointers(arguments), None)


class LaunchAttribute(ctypes.Structure):
    _fields_ = [("id", ctypes.c_uint32), ("pad", ctypes.c_uint32),
                ("value", ctypes.c_uint32 * 16)]


class LaunchConfig(ctypes.Structure):
    _fields_ = [("grid", ctypes.c_uint32 * 3), ("block", ctypes.c_uint32 * 3),
                ("shared", ctypes.c_uint32), ("stream", ctypes.c_void_p),
                ("attributes", ctypes.POINTER(LaunchAttribute)),
                ("count", ctypes.c_uint32)]


CLUSTER, COOPERATIVE, PROGRAMMATIC, UPDATABLE, UNKNOWN = 4, 2, 6, 13, 77


def launch_ex(kernel, arguments=(), grid=1, block=1, shared=0, stream=None,
              **attributes):
    """Launches with attributes, as cluster=(2, 1, 1) or cooperative=(1,)."""
    numbers = {"cluster": CLUSTER, "cooperative": COOPERATIVE,
               "programmatic": PROGRAMMATIC, "updatable": UPDATABLE,
               "unknown": UNKNOWN}
    values = [LaunchAttribute(numbers[name], 0, (ctypes.c_uint32 * 16)(*value))
              for name, value in attributes.items()]
    array = (LaunchAttribute * max(len(values), 1))(*values)
    config = LaunchConfig((grid, 1, 1), (block, 1, 1), shared, stream, array,
                          len(values))
    return call("cuLaunchKernelEx", ctypes.byref(config), kernel,
                pointers(arguments), None)
