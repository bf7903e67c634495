"""Advice about managed memory and prefetches of it, and what is known of them."""

import ctypes

from cuda import call, check, start

SIZE, POINTER = ctypes.c_size_t, ctypes.c_void_p
PAGE = 4096
DEVICE, HOST, NUMA = 1, 2, 3


class Location(ctypes.Structure):
    _fields_ = [("type", ctypes.c_uint32), ("id", ctypes.c_int)]


def get(first, pages, attribute, entries=1, address=None):
    values = (ctypes.c_int * entries)(*[77] * entries)
    at = ctypes.c_uint64((address or base) + first * PAGE)
    result = call("cuMemRangeGetAttribute", values, SIZE(4 * entries), attribute, at,
                  SIZE(pages * PAGE))
    return list(values) if result == "CUDA_SUCCESS" else result


def advise(first, bytes, advice, *location):
    return call("cuMemAdvise_v2", ctypes.c_uint64(base + first * PAGE), SIZE(bytes), advice,
                Location(*location))


def prefetch(first, pages, *location):
    return call("cuMemPrefetchAsync_v2", ctypes.c_uint64(base + first * PAGE),
                SIZE(pages * PAGE), Location(*location), 0, None)


start()
memory = ctypes.c_uint64()
check("cuMemAllocManaged", ctypes.byref(memory), SIZE(8 * PAGE), 1)
base = memory.value
print("fresh", [get(0, 8, attribute) for attribute in range(1, 9)])
print(advise(2, 2 * PAGE, 1, 0, 0))
print("read mostly", get(2, 2, 1), get(3, 1, 1), get(0, 8, 1), get(4, 1, 1))
print(advise(3, 1, 2, 0, 0), "a byte is its page", get(2, 1, 1), get(3, 1, 1))
print(advise(0, 4 * PAGE, 3, DEVICE, 0), advise(4, 4 * PAGE, 3, HOST, 5))
print("preferred", get(0, 4, 2), get(4, 4, 2), get(0, 8, 2), get(0, 4, 5), get(4, 4, 5),
      get(4, 4, 6))
print(advise(1, PAGE, 4, 0, 0), get(0, 4, 2), get(2, 2, 2), get(1, 1, 2))
print(advise(6, PAGE, 3, NUMA, 1), get(6, 1, 5), get(6, 1, 6))
print(advise(0, 8 * PAGE, 5, DEVICE, 0), advise(0, 2 * PAGE, 5, HOST, 0))
print("accessed by", get(0, 2, 3, 3), get(0, 8, 3, 3), get(0, 2, 3, 1))
print(advise(1, PAGE, 6, DEVICE, 0), get(1, 1, 3, 2), get(0, 2, 3, 2))
print(prefetch(0, 8, DEVICE, 0), prefetch(6, 2, HOST, 0))
print("last prefetch", get(0, 6, 4), get(6, 2, 4), get(0, 8, 4), get(0, 6, 7), get(6, 2, 7))
values = [ctypes.c_int(), (ctypes.c_int * 2)()]
result = call("cuMemRangeGetAttributes",
              (POINTER * 2)(*[ctypes.addressof(value) for value in values]),
              (SIZE * 2)(4, 8), (ctypes.c_uint32 * 2)(4, 3), SIZE(2), memory,
              SIZE(PAGE))
print("several", result, values[0].value, list(values[1]))
print("wrong", advise(0, PAGE, 3, DEVICE, 1), advise(0, PAGE, 7, DEVICE, 0),
      advise(0, PAGE, 3, 9, 0), advise(7, 2 * PAGE, 1, 0, 0), get(0, 1, 9), get(0, 1, 0),
      get(0, 1, 1, 2), get(0, 9, 1), get(0, 1, 3, 0))
check("cuMemFree_v2", memory)
device = ctypes.c_uint64()
check("cuMemAlloc_v2", ctypes.byref(device), SIZE(PAGE))
print("not managed", get(0, 1, 1, address=device.value), get(0, 1, 1))
