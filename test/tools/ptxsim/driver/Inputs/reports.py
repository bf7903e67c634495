"""Processes that end in different ways, with PTXSIM_REPORT."""

import ctypes
import os
import signal
import sys

from cuda import allocate, call, check, function, launch, load, start

TEXT = """
.visible .entry store(.param .u64 to) {
  .reg .b64 %a;
  ld.param.u64 %a, [to];
  st.global.u32 [%a], 1;
  ret;
}
"""

start()
store = function(load(TEXT), "store")
word = allocate(1)


def run(address):
    launch(store, [ctypes.c_uint64(address)])
    return call("cuCtxSynchronize")


def nothing():
    pass


def failed():
    """A kernel error is what most aborts follow."""
    print(run(word.value), run(64), flush=True)
    os.abort()


def killed():
    print(run(word.value), flush=True)
    os.kill(os.getpid(), signal.SIGTERM)


def fork():
    """A child has no driver, and its end is not that of its parent."""
    run(word.value)
    child = os.fork()
    if child == 0:
        print("child:", run(word.value), call("cuInit", 0), flush=True)
        sys.exit(0)
    print("ended:", os.waitpid(child, 0)[1], flush=True)
    print("parent:", run(word.value), flush=True)
    check("cuMemFree_v2", word)


def number():
    run(word.value)
    check("cuMemFree_v2", word)
    print(os.getpid(), flush=True)


globals()[sys.argv[1]]()
