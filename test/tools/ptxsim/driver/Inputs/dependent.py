"""A kernel that may start while the one before it still runs.

Usage: dependent.py CASE
"""

import sys

from cuda import (allocate, call, check, function, launch, launch_ex, load, make,
                  read, start)

TEXT = """
// Lets the next kernel start, then writes i + 1 to word i.
.visible .entry first(.param .u64 words) {
  .reg .b64 %a;
  .reg .b32 %i;
  ld.param.u64 %a, [words];
  griddepcontrol.launch_dependents;
  mov.u32 %i, %tid.x;
  mad.wide.u32 %a, %i, 4, %a;
  add.u32 %i, %i, 1;
  st.global.u32 [%a], %i;
  ret;
}

// The same, but the next kernel starts when it has ended.
.visible .entry alone(.param .u64 words) {
  .reg .b64 %a;
  .reg .b32 %i;
  ld.param.u64 %a, [words];
  mov.u32 %i, %tid.x;
  mad.wide.u32 %a, %i, 4, %a;
  add.u32 %i, %i, 1;
  st.global.u32 [%a], %i;
  ret;
}

// Adds word i to sum i.
.visible .entry waits(.param .u64 words, .param .u64 sums) {
  .reg .b64 %a, %s;
  .reg .b32 %i, %v, %w;
  ld.param.u64 %a, [words];
  ld.param.u64 %s, [sums];
  mov.u32 %i, %tid.x;
  mad.wide.u32 %a, %i, 4, %a;
  mad.wide.u32 %s, %i, 4, %s;
  griddepcontrol.wait;
  ld.global.u32 %v, [%a];
  ld.global.u32 %w, [%s];
  add.u32 %w, %w, %v;
  st.global.u32 [%s], %w;
  ret;
}

// One thread waits for all.
.visible .entry leader(.param .u64 words, .param .u64 sums) {
  .reg .b64 %a, %s;
  .reg .b32 %i, %v;
  .reg .pred %p;
  ld.param.u64 %a, [words];
  ld.param.u64 %s, [sums];
  mov.u32 %i, %tid.x;
  mad.wide.u32 %a, %i, 4, %a;
  mad.wide.u32 %s, %i, 4, %s;
  setp.ne.u32 %p, %i, 0;
  @%p bra MEET;
  griddepcontrol.wait;
MEET:
  bar.sync 0;
  ld.global.u32 %v, [%a];
  st.global.u32 [%s], %v;
  ret;
}

.visible .entry forgets(.param .u64 words, .param .u64 sums) {
  .reg .b64 %a, %s;
  .reg .b32 %i, %v, %w;
  ld.param.u64 %a, [words];
  ld.param.u64 %s, [sums];
  mov.u32 %i, %tid.x;
  mad.wide.u32 %a, %i, 4, %a;
  mad.wide.u32 %s, %i, 4, %s;
  ld.global.u32 %v, [%a];
  griddepcontrol.wait;
  ld.global.u32 %w, [%s];
  add.u32 %w, %w, %v;
  st.global.u32 [%s], %w;
  ret;
}

// What the first kernel reads is overwritten too early.
.visible .entry reads(.param .u64 words, .param .u64 sums) {
  .reg .b64 %a, %s;
  .reg .b32 %i, %v;
  ld.param.u64 %a, [words];
  ld.param.u64 %s, [sums];
  griddepcontrol.launch_dependents;
  mov.u32 %i, %tid.x;
  mad.wide.u32 %a, %i, 4, %a;
  mad.wide.u32 %s, %i, 4, %s;
  ld.global.u32 %v, [%a];
  st.global.u32 [%s], %v;
  ret;
}

// Kernels between the two.
.visible .entry lets_begin() {
  griddepcontrol.launch_dependents;
  ret;
}
.visible .entry does_nothing() {
  ret;
}
.visible .entry lets_begin_and_waits() {
  griddepcontrol.launch_dependents;
  griddepcontrol.wait;
  ret;
}
.visible .entry waits_and_lets_begin() {
  griddepcontrol.wait;
  griddepcontrol.launch_dependents;
  ret;
}
"""


# The kernels of each case.
CASES = {
    "waits": ("first", "waits"),
    "leader": ("first", "leader"),
    "forgets": ("first", "forgets"),
    "overwrites": ("reads", "first"),
    "ordinary": ("first", "forgets"),  # Not launched as a dependent.
    "untriggered": ("alone", "forgets"),
    "synchronised": ("first", "forgets"),  # The host waits in between.
    "chain": ("first", "lets_begin_and_waits", "waits"),
    "long_chain": ("first", *6 * ("lets_begin_and_waits",), "waits"),
    "chain_waits_early": ("first", "waits_and_lets_begin", "forgets"),
    "chain_untriggered": ("alone", "lets_begin", "waits"),
    "chain_forgets": ("first", "lets_begin", "waits"),
    "chain_ends": ("first", "does_nothing", "waits"),
    "long_chain_forgets": ("first", "lets_begin", "lets_begin_and_waits", "waits"),
    "chain_waits_late": ("first", "lets_begin_and_waits", "forgets"),
}


def main(which):
    start()
    module, stream = load(TEXT), make("cuStreamCreate", 1)
    words, sums = allocate(64), allocate(64)
    between = ("lets_begin", "does_nothing", "lets_begin_and_waits",
               "waits_and_lets_begin")
    arguments = {"first": (words,), "alone": (words,),
                 **{name: () for name in between}}
    begin, *others = CASES[which]
    result = launch(function(module, begin), arguments.get(begin, (words, sums)),
                    block=64, stream=stream)
    assert result == "CUDA_SUCCESS", result
    if which == "synchronised":
        check("cuStreamSynchronize", stream)
    attributes = {} if which == "ordinary" else {"programmatic": (1,)}
    for name in others:
        launch_ex(function(module, name), arguments.get(name, (words, sums)),
                  block=64, stream=stream, **attributes)
    result = call("cuStreamSynchronize", stream)
    print(which, result)
    if result == "CUDA_SUCCESS":
        values = read(sums, 64)
        print(values[0], values[63])


main(sys.argv[1])
