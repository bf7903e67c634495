"""The kernels that ptxsim.py measures, as PTX with what they execute."""

HEADER = ".version 8.6\n.target sm_90a\n.address_size 64\n"
TURNS = 2000  # Of each loop.

# Bodies of loops: instructions, and how often they stand in one turn.
BODIES = {
    "integer": (["add.s32 %r0, %r1, %r2;", "mad.lo.s32 %r1, %r0, %r2, %r3;",
                 "xor.b32 %r2, %r0, %r1;", "shl.b32 %r3, %r1, 3;"], 8),
    "fma": (["fma.rn.f32 %f0, %f1, %f2, %f3;", "fma.rn.f32 %f1, %f0, %f2, %f3;",
             "fma.rn.f32 %f2, %f0, %f1, %f3;", "fma.rn.f32 %f3, %f1, %f2, %f0;"], 8),
    "shared": (["st.shared.f32 [%own], %f0;", "ld.shared.f32 %f1, [%own];",
                "ld.shared.f32 %f2, [%own+4096];", "st.shared.f32 [%own+4096], %f2;"], 8),
    "global": (["ld.global.f32 %f0, [%place];", "ld.global.f32 %f1, [%place+4096];",
                "ld.global.f32 %f2, [%place+8192];", "ld.global.f32 %f3, [%place+12288];"], 8),
    "branch": (["setp.eq.s32 %p, %turn, %r0;", "@%p bra END;"], 1),
    "mix": (["ld.global.f32 %f0, [%place];", "ld.shared.f32 %f1, [%own];",
             "ld.shared.f32 %f2, [%own+4096];", "fma.rn.f32 %f3, %f0, %f1, %f3;",
             "fma.rn.f32 %f4, %f0, %f2, %f4;", "fma.rn.f32 %f5, %f1, %f2, %f5;",
             "mul.f32 %f6, %f0, %f1;", "add.f32 %f7, %f6, %f3;",
             "add.s32 %r0, %r0, 1;", "mad.lo.s32 %r1, %r0, %r2, %r3;",
             "and.b32 %r2, %r1, 255;", "mad.wide.u32 %next, %r2, 4, %place;",
             "ld.global.f32 %f4, [%next];", "st.shared.f32 [%own], %f7;",
             "setp.lt.s32 %p, %r0, 0;", "@%p bra END;"], 2),
}


def ordinary(name):
    """A kernel of one loop, and the instructions that a thread executes."""
    body, copies = BODIES[name]
    # The branch body, copied, would be a loop of branches; it is one as it is.
    turn = ["HEAD:", *body * copies, "add.s32 %turn, %turn, 1;",
            f"setp.lt.s32 %p, %turn, {TURNS};", "@%p bra HEAD;", "END:"]
    text = HEADER + f"""
.visible .entry {name}(.param .u64 data)
{{
  .reg .b32 %r<4>, %t, %turn, %own;
  .reg .f32 %f<8>;
  .reg .b64 %place, %next;
  .reg .pred %p;
  .shared .align 16 .b8 common[8192];
  mov.u32 %t, %tid.x;
  ld.param.u64 %place, [data];
  mad.wide.u32 %place, %t, 4, %place;
  mov.u32 %own, common;
  mad.lo.s32 %own, %t, 4, %own;
  mov.b32 %r0, -1;
  mov.b32 %r1, %t;
  mov.b32 %r2, %t;
  mov.b32 %r3, 7;
  mov.b32 %turn, 0;
  ld.global.f32 %f0, [%place];
""" + "".join(f"  mov.f32 %f{i}, 0f3F800000;\n" for i in range(1, 8)) + """
  st.shared.f32 [%own], %f1;
  st.shared.f32 [%own+4096], %f1;
""" + "".join(f"  {line}\n" for line in turn) + """
  add.f32 %f0, %f0, %f1;
  add.f32 %f2, %f2, %f3;
  add.f32 %f4, %f4, %f5;
  add.f32 %f6, %f6, %f7;
  add.f32 %f0, %f0, %f2;
  add.f32 %f4, %f4, %f6;
  add.f32 %f0, %f0, %f4;
  cvt.rn.f32.s32 %f1, %r1;
  add.f32 %f0, %f0, %f1;
  st.shared.f32 [%own], %f0;
  ret;
}
"""
    return text, 38 + TURNS * (len(body) * copies + 3)


def wgmma():
    """Products of 64 x 256 x 64 of bf16 in shared memory without end, and their
    operations in a warpgroup."""
    turns = 200
    registers = ", ".join(f"%d{i}" for i in range(128))
    products = "".join(f"""
  wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16
    {{{registers}}}, %a{k}, %b{k}, 1, 1, 1, 0, 0;""" for k in range(4))
    steps = "".join(f"  add.u64 %a{k}, %a0, {2 * k};\n  add.u64 %b{k}, %b0, {2 * k};\n"
                    for k in range(1, 4))
    text = HEADER + f"""
.visible .entry wgmma(.param .u64 out)
{{
  .reg .f32 %d<128>;
  .reg .b64 %a<4>, %b<4>, %out, %base;
  .reg .b32 %t, %i, %place;
  .reg .pred %p;
  .shared .align 1024 .b8 a[8192];
  .shared .align 1024 .b8 b[32768];
  mov.u32 %t, %tid.x;
  shl.b32 %i, %t, 2;
FILLA:
  mov.u32 %place, a;
  add.s32 %place, %place, %i;
  st.shared.b32 [%place], 0x3f803f00;
  add.s32 %i, %i, 512;
  setp.lt.s32 %p, %i, 8192;
  @%p bra FILLA;
  shl.b32 %i, %t, 2;
FILLB:
  mov.u32 %place, b;
  add.s32 %place, %place, %i;
  st.shared.b32 [%place], 0x3f00bf80;
  add.s32 %i, %i, 512;
  setp.lt.s32 %p, %i, 32768;
  @%p bra FILLB;
  fence.proxy.async;
  bar.sync 0;
  mov.u32 %place, a;
  cvt.u64.u32 %base, %place;
  shr.u64 %base, %base, 4;
  or.b64 %a0, %base, 0x4000004000010000;
  mov.u32 %place, b;
  cvt.u64.u32 %base, %place;
  shr.u64 %base, %base, 4;
  or.b64 %b0, %base, 0x4000004000010000;
{steps}""" + "".join(f"  mov.f32 %d{i}, 0f00000000;\n" for i in range(128)) + f"""
  mov.u32 %i, 0;
HEAD:
  wgmma.fence.sync.aligned;{products}
  wgmma.commit_group.sync.aligned;
  wgmma.wait_group.sync.aligned 0;
  add.s32 %i, %i, 1;
  setp.lt.s32 %p, %i, {turns};
  @%p bra HEAD;
  ld.param.u64 %out, [out];
  mad.wide.u32 %out, %t, 4, %out;
""" + "".join(f"  add.f32 %d0, %d0, %d{i};\n" for i in range(1, 128)) + """
  st.shared.f32 [a], %d0;
  ret;
}
"""
    return text.replace("  st.shared.f32 [a], %d0;\n", ""), turns * 4 * 2 * 64 * 256 * 16


def touch():
    """Writes every word of a buffer and reads it again."""
    return HEADER + """
.visible .entry touch(.param .u64 data, .param .u64 words)
{
  .reg .b64 %data, %i, %words, %step, %place;
  .reg .b32 %t, %b, %n, %v;
  .reg .pred %p;
  ld.param.u64 %data, [data];
  ld.param.u64 %words, [words];
  mov.u32 %t, %tid.x;
  mov.u32 %b, %ctaid.x;
  mov.u32 %n, %ntid.x;
  mad.lo.s32 %t, %b, %n, %t;
  cvt.u64.u32 %i, %t;
  mov.u32 %v, %nctaid.x;
  mul.wide.u32 %step, %v, %n;
HEAD:
  mad.lo.u64 %place, %i, 16, %data;
  st.global.v4.b32 [%place], {%t, %b, %n, %t};
  ld.global.b32 %v, [%place+4];
  add.u64 %i, %i, %step;
  setp.lt.u64 %p, %i, %words;
  @%p bra HEAD;
  ret;
}
"""


def scatter(bytes):
    """Writes every element of a buffer of 4, 2 or 1 bytes, neighbours by different warps."""
    return HEADER + f"""
.visible .entry scatter(.param .u64 data, .param .u64 words)
{{
  .reg .b64 %data, %i, %words, %step, %place;
  .reg .b32 %t, %b, %n, %warps;
  .reg .pred %p;
  ld.param.u64 %data, [data];
  ld.param.u64 %words, [words];
  mul.lo.u64 %words, %words, {16 // bytes};
  mov.u32 %t, %tid.x;
  mov.u32 %b, %ctaid.x;
  mov.u32 %n, %ntid.x;
  mad.lo.s32 %b, %b, %n, %t;
  shr.u32 %b, %b, 5;
  mov.u32 %warps, %nctaid.x;
  mul.lo.s32 %warps, %warps, %n;
  cvt.u64.u32 %step, %warps;
  shr.u32 %warps, %warps, 5;
  and.b32 %t, %t, 31;
  mad.lo.s32 %t, %t, %warps, %b;
  cvt.u64.u32 %i, %t;
HEAD:
  mad.lo.u64 %place, %i, {bytes}, %data;
  st.global.b{8 * bytes} [%place], %b;
  add.u64 %i, %i, %step;
  setp.lt.u64 %p, %i, %words;
  @%p bra HEAD;
  ret;
}}
"""
