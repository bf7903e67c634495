"""Templates of the instruction families, for spellings.py."""

SHARED = "<|.shared|.shared::cta>"
SPACE = "<|.global|.shared|.shared::cta|.shared::cluster>"
ORDER = "<|.relaxed|.acquire|.release|.acq_rel>"
SCOPE = "<|.cta|.cluster|.gpu|.sys>"
HINTS = "<||.L1::evict_last|.L1::no_allocate><||.L2::evict_first><||.L2::128B>"
SCALARS = "<b8|b16|b32|b64|b128|u8|u16|u32|u64|s8|s16|s32|s64|f32|f64>"
INTEGERS = "<u32|s32|u64|s64>"

MEMORY = [
    f"ld<|.weak|.volatile>.<global|shared|local|const|param|shared::cluster|shared::cta><|.v2|.v4>.{SCALARS} $V, [$b64]",
    f"ld<.relaxed|.acquire>{SCOPE}{SPACE}<|.v2|.v4>.{SCALARS} $V, [$b64]",
    f"ld<|.weak>{SPACE}<|.ca|.cg|.cs|.lu|.cv>{HINTS}<|.v2|.v4|.v8>.{SCALARS} $V, [$b64+16]",
    f"ld.global<|.ca|.cg|.cs>.nc{HINTS}<|.v2|.v4>.{SCALARS} $V, [$b64]",
    f"ld<.mmio.relaxed|.mmio><.sys|.gpu|><.global|>.{SCALARS} $T, [$b64]",
    f"ld<|.global>.L2::cache_hint<|.v2|.v4>.{SCALARS} $V, [$b64], $b64",
    f"ldu<|.global><|.v2|.v4>.{SCALARS} $V, [$b64]",
    f"st<|.weak|.volatile>.<global|shared|local|shared::cluster|shared::cta|param><|.v2|.v4>.{SCALARS} [$b64], $V",
    f"st<.relaxed|.release>{SCOPE}{SPACE}<|.v2|.v4>.{SCALARS} [$b64], $V",
    f"st<|.weak>{SPACE}<|.wb|.cg|.cs|.wt>{HINTS}<|.v2|.v4|.v8>.{SCALARS} [$b64], $V",
    f"st<.mmio.relaxed|.mmio><.sys|.gpu|><.global|>.{SCALARS} [$b64], $T",
    f"st<|.global>.L2::cache_hint<|.v2|.v4>.{SCALARS} [$b64], $V, $b64",
    "prefetch<|.global|.local|.shared>.<L1|L2|L2::evict_last|L2::evict_normal> [$b64]",
    "prefetchu.<L1|L2> [$b64]",
    "prefetch<|.const|.param|.global>.tensormap [$b64]",
    "<discard|applypriority><|.global>.<L2|L2::evict_normal> [$b64], <128|64>",
    "cvta<|.to>.<const|global|local|shared|shared::cta|shared::cluster|param>.<u64|u32> $T, $T",
    "isspacep.<const|global|local|shared|shared::cta|shared::cluster|param> $p, <$b64|$b32|$b16>",
    "mapa<.shared::cluster|>.<u32|u64> $T, $T, <$u32|1>",
    "getctarank<.shared::cluster|>.<u32|u64> $u32, $T",
    "mov.<b16|b32|b64|u16|u32|u64|s32|f32|f64|f16|pred|f16x2> $T, <$T|5|1.0>",
    "mov.<b16|b32|b64|b128|f32|u32> <$T, $2b8|$T, $2b16|$T, $4b8|$T, $2b32|$T, $4b16|$T, $2b64>",
    "mov.<b16|b32|b64|b128|f64|u64> <$2b8, $T|$2b16, $T|$4b8, $T|$2b32, $T|$4b16, $T|$2b64, $T>",
]

def atom(rest, operands, reduction=True):
    """The three orders in which the words of an atomic are written."""
    heads = [
        f"{ORDER}{SCOPE}{SPACE}{{op}}",
        f"{SPACE}{ORDER}{SCOPE}{{op}}",
        f"{SPACE}{{op}}{ORDER}{SCOPE}",
        f"{SPACE}{SCOPE}{ORDER}{{op}}",
    ]
    op, types = rest
    lines = [f"atom{h.format(op=op)}{types} $V, [$b64], {operands}" for h in heads]
    if reduction:
        lines += [f"red{h.format(op=op)}{types} [$b64], {operands}" for h in heads]
    return lines


HINT = "<|||.L2::cache_hint>"
ATOMIC = [
    *atom((".<add|min|max>", f".{INTEGERS}"), "<$T|7>"),
    *atom((".<and|or|xor|inc|dec>", ".<b32|b64|u32|s32|u64>"), "$T"),
    *atom((".exch", ".<b16|b32|b64|b128|u32|u64|s32|f32>"), "$T", False),
    *atom((".cas", ".<b16|b32|b64|b128|u32|u64|s32|f32>"), "$T, $T", False),
    *atom((".<add|min|max>", ".<f32|f64>"), "$T"),
    *atom((".<add|min|max>", "<|.noftz>.<f16|bf16|f16x2|bf16x2>"), "$T"),
    *atom((".<add|min|max>", "<|.noftz><|.v2|.v4|.v8>.<f16|bf16|f16x2|bf16x2|f32>"), "$V"),
    *atom((".add", ".L2::cache_hint.<u32|f32|f64|u64>"), "$T, $b64"),
]

COLLECTIVE = [
    "shfl.sync.<up|down|bfly|idx>.b32 <$b32|$b32|$p|_|$p>, <$b32|3>, <$b32|1>, <$b32|0x1f>, <$b32|-1>",
    "shfl<|.sync>.<up|down|bfly|idx>.<b32|b64> $b32|$p, $b32, $b32, 31<|, -1>",
    "vote<|.sync>.<all|any|uni>.pred $p, <|!>$p<|, -1|, $b32>",
    "vote<.sync.ballot|.ballot|.ballot.sync>.b32 $b32, <|!>$p<|, -1|, $b32>",
    "vote.<all|any|uni>.sync.pred $p, $p, -1",
    "match.<any|all>.sync.<b32|b64> $b32, <$T|5>, <-1|$b32>",
    "match.<any|all>.sync.<b32|b64> <$b32|_>|$p, $T, <-1|$b32>",
    "redux.sync.<add|min|max|and|or|xor>.<u32|s32|b32> $T, <$T|5>, <-1|$b32>",
    "redux.sync.<min|max><|.abs><|.NaN>.f32 $f32, $f32, -1",
    "elect.sync <$b32|_>|$p, <-1|$b32>",
    "elect.sync $b32, -1",
    "activemask.b32 $b32",
    "bar.warp.sync <-1|$b32>",
]

BARRIER = [
    "<bar|barrier><|.cta>.<sync|arrive><|.aligned> <0|$u32|16><|, 64|, $u32|, 33>",
    "<bar|barrier><|.cta>.red.popc<|.aligned>.u32 $u32, <0|$u32><|, 64|, $u32>, <|!>$p",
    "<bar|barrier><|.cta>.red.<and|or><|.aligned>.pred $p, <0|$u32><|, 64|, $u32>, <|!>$p",
    "barrier.cluster.<arrive|wait><|.release|.relaxed|.acquire><|.aligned> ",
    "membar.<cta|gl|sys|gpu> ",
    "fence<|.sc|.acq_rel|.acquire|.release><|.cta|.cluster|.gpu|.sys> ",
    "fence.<acquire|release>.<sync_restrict::shared::cluster|sync_restrict::shared::cta>.<cluster|cta> ",
    "fence.mbarrier_init<|.release><.cluster|.cta|> ",
    "<fence|membar>.proxy.<alias|async><|.global|.shared::cta|.shared::cluster|.shared> ",
    "fence.proxy.async::generic.<acquire|release>.<sync_restrict::shared::cluster|sync_restrict::shared::cta>.<cluster|cta> ",
    "fence.proxy.tensormap::generic.release.<cta|cluster|gpu|sys> ",
    "fence.proxy.tensormap::generic.acquire.<cta|cluster|gpu|sys> [$b64], <128|64>",
]

CTA = "<|.cta|.cluster|.gpu>"
ANY = "<|.shared|.shared::cta|.shared::cluster>"
MBARRIER = [
    f"mbarrier.init{ANY}.b64 [$b64], <$u32|5>",
    f"mbarrier.inval{ANY}.b64 [$b64]",
    f"mbarrier.<arrive|arrive_drop><|.release|.relaxed>{CTA}{ANY}.b64 <$b64, |_, |>[$b64]<|, 3|, $u32>",
    f"mbarrier.<arrive|arrive_drop>.expect_tx<|.release|.relaxed>{CTA}{ANY}.b64 <$b64, |_, |>[$b64], <64|$u32>",
    f"mbarrier.<arrive|arrive_drop>.noComplete<|.release>{CTA}{ANY}.b64 <$b64, |_, |>[$b64]<|, 3|, $u32>",
    f"mbarrier.<expect_tx|complete_tx><|.relaxed>{CTA}{ANY}.b64 [$b64], <$u32|64>",
    f"mbarrier.<test_wait|try_wait><|.parity><|.acquire|.relaxed>{CTA}{ANY}.b64 $p, [$b64], <$b64|$u32|1><|, $u32|, 100>",
    "mbarrier.pending_count.b64 $u32, $b64",
    f"cp.async.mbarrier.arrive<|.noinc>{ANY}.b64 [$b64]",
]

DONE = ".mbarrier::complete_tx::bytes"
POLICY = "<, $b64|>"
COPY = [
    f"cp.async.<ca|cg><.shared|.shared::cta>.global<|.L2::64B|.L2::128B|.L2::256B> [$b64], [$b64], <4|8|16><|, $u32|, 8|, $p>",
    f"cp.async.<ca|cg>.shared.global.L2::cache_hint<|.L2::128B> [$b64], [$b64], <4|16><|, $u32|, $p>{POLICY}",
    "cp.async.<commit_group|wait_all> ",
    "cp.async.<wait_group|bulk.wait_group|bulk.wait_group.read> <2|$u32>",
    "cp.async.bulk.commit_group ",
    f"cp.async.bulk.<shared::cluster|shared::cta>.global{DONE}<|.multicast::cluster><|.L2::cache_hint> [$b64], [$b64], <$u32|64>, [$b64]<|, $b16><|, $b64>",
    f"cp.async.bulk.<shared::cluster|shared::cta>.<shared::cta|shared>{DONE} [$b64], [$b64], $u32, [$b64]",
    "cp.async.bulk.global.shared::cta<|.bulk_group><|.L2::cache_hint><|.cp_mask> [$b64], [$b64], <$u32|64><|, $b64><|, $b16>",
    f"cp.reduce.async.bulk.shared::cluster.shared::cta{DONE}.<and|or|xor|add|inc|dec|min|max>.<b32|u32|s32|u64|s64> [$b64], [$b64], $u32, [$b64]",
    "cp.reduce.async.bulk.global.shared::cta.bulk_group<|.L2::cache_hint>.<and|or|xor|add|inc|dec|min|max><|.noftz>.<f16|bf16|b32|u32|s32|b64|u64|s64|f32|f64> [$b64], [$b64], $u32<|, $b64>",
    "cp.async.bulk.prefetch.L2.global<|.L2::cache_hint> [$b64], <$u32|64><|, $b64>",
    f"st.async<|.weak>.shared::cluster{DONE}<|.v2|.v4>.<b32|b64|u32|u64|s32|s64|f32|f64> [$b32], $V, [$b32]",
    f"st.async<|.weak>{DONE}<|.shared::cluster><|.v2|.v4>.<b32|b64|u32|u64|s32|s64|f32|f64|b16> [$b64], $V, [$b64]",
    f"red.async<|.relaxed><|.cluster>{DONE}<|.shared::cluster>.<inc|dec|min|max|add|and|or|xor>.<u32|s32|u64|b32|s64> [$b64], $T, [$b64]",
]

XYZ = {1: "{$s32}", 2: "{$s32, 0}", 3: "$3s32", 4: "$4s32", 5: "$5s32"}
TENSOR = [
    line
    for d in range(1, 6)
    for line in [
        f"cp.async.bulk.tensor.{d}d.<shared::cluster|shared::cta>.global<|.tile>{DONE}<|.multicast::cluster><|.L2::cache_hint> [$b64], [$b64, {XYZ[d]}], [$b64]<|, $b16><|, $b64>",
        f"cp.async.bulk.tensor.{d}d.global.shared::cta<|.tile|.im2col_no_offs>.bulk_group<|.L2::cache_hint> [$b64, {XYZ[d]}], [$b64]<|, $b64>",
        f"cp.reduce.async.bulk.tensor.{d}d.global.shared::cta.<add|min|max|inc|dec|and|or|xor><|.tile|.im2col_no_offs>.bulk_group<|.L2::cache_hint> [$b64, {XYZ[d]}], [$b64]<|, $b64>",
        f"cp.async.bulk.prefetch.tensor.{d}d.L2.global<|.tile><|.L2::cache_hint> [$b64, {XYZ[d]}]<|, $b64>",
    ]
] + [
    f"cp.async.bulk.tensor.{d}d.shared::cluster.global.im2col{DONE}<|.multicast::cluster><|.L2::cache_hint> [$b64], [$b64, {XYZ[d]}], [$b64], {o}<|, $b16|, $b16, $b64>"
    for d, o in [(2, "$1b16"), (3, "$1b16"), (4, "$2b16"), (5, "$3b16")]
] + [
    "tensormap.replace.tile.<global_address|rank|box_dim|global_dim|global_stride|element_stride><|.global|.shared::cta|.shared>.b1024.<b32|b64> [$b64]<|, 1|, $b32>, <$T|5>",
    "tensormap.replace.tile.<elemtype|interleave_layout|swizzle_mode|swizzle_atomicity|fill_mode><|.global|.shared::cta>.b1024.<b32|b64> [$b64], <0|1|3|7|$b32>",
    "tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic.release.<cta|cluster|gpu|sys>.sync.aligned [$b64], [$b64], <128|64>",
]

MATRIX = [
    "ldmatrix.sync.aligned<.m8n8|.m16n16><.x1|.x2|.x4><|.trans><|.shared|.shared::cta><.b16|.b8> <$1b32|$2b32|$4b32>, [$b64]",
    "ldmatrix.sync.aligned<.x1|.x2|.x4>.m8n8<|.trans>.shared.b16 <$1b32|$2b32|$4b32|$b32>, [$b64]",
    "stmatrix.sync.aligned<.m8n8|.m16n8><.x1|.x2|.x4><|.trans><|.shared|.shared::cta><.b16|.b8> [$b64], <$1b32|$2b32|$4b32>",
    "movmatrix.sync.aligned.m8n8<|.trans>.b16 $b32, $b32",
    "mma.sync.aligned.m16n8k<8|16>.row.col.f32.<f16|bf16>.<f16|bf16>.f32 $4f32, <$2b32|$4b32>, <$1b32|$2b32>, $4f32",
    "mma.sync.aligned.m16n8k<8|16>.row.col.<f16|f32>.f16.f16.<f16|f32> <$2b32|$4f32>, <$2b32|$4b32>, <$1b32|$2b32>, <$2b32|$4f32>",
    "mma.sync.aligned.m8n8k4.<row|col>.<row|col>.<f16|f32>.f16.f16.<f16|f32> <$4b32|$8f32>, $2b32, $2b32, <$4b32|$8f32>",
    "mma.sync.aligned.m16n8k<4|8>.row.col.f32.<tf32|bf16>.<tf32|bf16>.f32 $4f32, <$2b32|$4b32>, <$1b32|$2b32>, $4f32",
    "mma.sync.aligned.m16n8k<16|32>.row.col.<f32|f16>.<e4m3|e5m2>.<e4m3|e5m2>.<f32|f16> <$4f32|$2b32>, <$2b32|$4b32>, <$1b32|$2b32>, <$4f32|$2b32>",
    "mma.sync.aligned.m<8|16>n8k<16|32|64>.row.col<|.satfinite>.s32.<u8|s8|u4|s4>.<u8|s8|u4|s4>.s32 <$2s32|$4s32>, <$1b32|$2b32|$4b32>, <$1b32|$2b32>, <$2s32|$4s32>",
    "mma.sync.aligned.m<8|16>n8k<128|256>.row.col.s32.b1.b1.s32.<and|xor>.popc <$2s32|$4s32>, <$1b32|$2b32|$4b32>, <$1b32|$2b32>, <$2s32|$4s32>",
    "mma.sync.aligned.m<8|16>n8k<4|8|16>.row.col<|.rn|.rz>.f64.f64.f64.f64 <$2f64|$4f64>, <$1f64|$2f64|$4f64|$8f64>, <$1f64|$2f64|$4f64>, <$2f64|$4f64>",
    "mma.<sp|sp::ordered_metadata>.sync.aligned.m16n8k<16|32>.row.col.f32.<f16|bf16>.<f16|bf16>.f32 $4f32, <$2b32|$4b32>, <$2b32|$4b32>, $4f32, $b32, <0|1|2|$b32>",
    "mma.<sp|sp::ordered_metadata>.sync.aligned.m16n8k<8|16>.row.col.f32.tf32.tf32.f32 $4f32, <$2b32|$4b32>, <$2b32|$4b32>, $4f32, $b32, <0|1|2>",
    "mma.<sp|sp::ordered_metadata>.sync.aligned.m16n8k<32|64|128>.row.col<|.satfinite>.s32.<u8|s8|u4|s4>.<u8|s8|u4|s4>.s32 $4s32, <$2b32|$4b32>, <$2b32|$4b32>, $4s32, $b32, <0|1|2>",
    "mma.<sp|sp::ordered_metadata>.sync.aligned.m16n8k64.row.col.<f32|f16>.<e4m3|e5m2>.<e4m3|e5m2>.<f32|f16> <$4f32|$2b32>, $4b32, $4b32, <$4f32|$2b32>, $b32, <0|1>",
]

WMMA = [
    "wmma.load.<a|b>.sync.aligned.<row|col>.<m16n16k16|m8n32k16|m32n8k16><|.global|.shared>.<f16|bf16|u8|s8> <$8b32|$4b32|$2b32|$1b32>, [$b64]<|, $u32>",
    "wmma.load.c.sync.aligned.<row|col>.<m16n16k16|m8n32k16|m32n8k16|m16n16k8><|.global|.shared>.<f16|f32|s32> <$8f32|$4b32|$8s32>, [$b64]<|, $u32>",
    "wmma.load.<a|b>.sync.aligned.<row|col>.m16n16k8.tf32 <$4b32|$2b32>, [$b64], $u32",
    "wmma.load.<a|b|c>.sync.aligned.<row|col>.m8n8k4.f64 <$1f64|$2f64>, [$b64]",
    "wmma.load.<a|b>.sync.aligned.<row|col>.<m8n8k32.s4|m8n8k32.u4|m8n8k128.b1> $1b32, [$b64]",
    "wmma.store.d.sync.aligned.<row|col>.<m16n16k16|m8n32k16|m32n8k16|m16n16k8><|.global|.shared>.<f16|f32|s32> [$b64], <$8f32|$4b32|$8s32><|, $u32>",
    "wmma.mma.sync.aligned.<row|col>.<row|col>.<m16n16k16|m8n32k16|m32n8k16>.<f16|f32>.<f16|f32><|.satfinite> <$8f32|$4b32>, $8b32, $8b32, <$8f32|$4b32>",
    "wmma.mma.sync.aligned.<row|col>.<row|col>.<m16n16k16|m8n32k16|m32n8k16>.s32.<u8|s8>.<u8|s8>.s32<|.satfinite> $8s32, <$4b32|$2b32|$1b32>, <$4b32|$2b32|$1b32>, $8s32",
    "wmma.mma.sync.aligned.<row|col>.<row|col>.<m16n16k16|m8n32k16|m32n8k16>.f32.bf16.bf16.f32 $8f32, <$4b32|$2b32|$8b32>, <$4b32|$2b32|$8b32>, $8f32",
    "wmma.mma.sync.aligned.<row|col>.<row|col>.m16n16k8.f32.tf32.tf32.f32 $8f32, $4b32, $4b32, $8f32",
    "wmma.mma.sync.aligned.<row|col>.<row|col>.m8n8k4<|.rn|.rz|.rm|.rp>.f64.f64.f64.f64 $2f64, $1f64, $1f64, $2f64",
    "wmma.mma<|.and.popc|.xor.popc>.sync.aligned.row.col.<m8n8k128.s32.b1.b1|m8n8k32.s32.s4.s4|m8n8k32.s32.u4.u4>.s32<|.satfinite> $2s32, $1b32, $1b32, $2s32",
]

A = "<$b64|$4b32>"
WGMMA = [
    f"wgmma.mma_async.sync.aligned.m64n<8|16>k<16|8>.f32.<f16|bf16>.<f16|bf16> <$4f32|$8f32>, {A}, $b64, <$p|1>, <1|-1|0>, <1|-1>, <0|1><|, 0|, 1|, 2>",
    f"wgmma.mma_async.sync.aligned.m64n<8|16|24>k16.f16.f16.f16 <$2b32|$4b32|$6b32>, {A}, $b64, $p, 1, 1, <0|1><|, 0>",
    f"wgmma.mma_async.sync.aligned.m64n<8|16>k<8|16>.f32.tf32.tf32 <$4f32|$8f32>, {A}, $b64, $p, <1|-1>, 1<|, 0>",
    f"wgmma.mma_async.sync.aligned.m64n<8|16>k<32|16>.<f32|f16>.<e4m3|e5m2>.<e4m3|e5m2> <$4f32|$8f32|$2b32>, {A}, $b64, $p, <1|-1>, 1<|, 0>",
    f"wgmma.mma_async.sync.aligned.m64n<8|16|24|32|40>k32.<satfinite.s32.u8.s8|s32.satfinite.s8.s8|s32.u8.u8.satfinite|s32.s8.u8> <$4s32|$8s32|$12s32|$16s32|$20s32>, {A}, $b64, $p<|, 1, 1>",
    f"wgmma.mma_async.sync.aligned.m64n<8|16>k256.s32.b1.b1.<and|xor>.popc <$4s32|$8s32>, {A}, $b64, $p",
    f"wgmma.mma_async.sp.sync.aligned.m64n<8|16>k<32|16>.f32.<f16|bf16>.<f16|bf16> <$4f32|$8f32>, {A}, $b64, $b32, <0|1|2>, $p, 1, 1<|, 0>, <0|1>",
    f"wgmma.mma_async.sp.sync.aligned.m64n<8|16>k<16|8>.f32.tf32.tf32 <$4f32|$8f32>, {A}, $b64, $b32, <0|1|2>, $p, 1, 1",
    f"wgmma.mma_async.sp.sync.aligned.m64n<8|16>k64<|.satfinite>.s32.<u8|s8>.<u8|s8> <$4s32|$8s32>, {A}, $b64, $b32, <0|1>, $p",
    f"wgmma.mma_async.sp.sync.aligned.m64n<8|16>k64.<f32|f16>.<e4m3|e5m2>.<e4m3|e5m2> <$4f32|$8f32|$2b32>, {A}, $b64, $b32, <0|1>, $p, 1, 1",
    "wgmma.<fence|commit_group>.sync.aligned ",
    "wgmma.wait_group.sync.aligned <0|1|7|$u32>",
    "setmaxnreg.<inc|dec>.sync.aligned.u32 <24|40|256|23|264|16|$u32>",
    "griddepcontrol.<launch_dependents|wait> ",
    "nanosleep.u32 <$u32|100>",
    "pmevent<|.mask> <1|17>",
]

WORD = "<s32|u32>"
OPS = "<add|sub|absdiff|min|max>"
VIDEO = [
    f"v{OPS}.{WORD}.{WORD}.{WORD}<|.sat><||.add|.min|.max> $u32<||.b0|.h1|.b10>, $s32<|.b3|.h1|.b4>, $u32<|.b0|.h0|.h10><|, $u32>",
    f"vset.{WORD}.{WORD}.<lt|eq|hi><||.add|.max> $u32<||.b0|.h1>, $s32<|.b3|.h1>, $u32<|.b0|.h0><|, $u32>",
    f"v<shl|shr>.{WORD}.{WORD}.u32<|.sat>.<clamp|wrap><||.add> $u32<|.b0>, $s32<|.b3|.h1>, $u32<|.b0|.h0><|, $u32>",
    f"vmad.{WORD}.{WORD}.{WORD}<|||.po><|.sat><||.shr7|.shr15> $u32<||.b0>, <||-|>$s32<|.b3|.h1>, <||-|>$u32<|.b0|.h0>, <||-|>$u32",
    f"v<add|sub|avrg|absdiff|min|max>2.{WORD}.{WORD}.{WORD}<|.sat|.add> $u32<|.h1|.h10|.h01|.b1>, $s32<|.h32|.h1|.h00>, $u32<|.h10|.b3210><|, $u32>",
    f"v<add|sub|avrg|absdiff|min|max>4.{WORD}.{WORD}.{WORD}<|.sat|.add> $u32<|.b1|.b310|.b012>, $s32<|.b7654|.b10>, $u32<|.b0123|.h10><|, $u32>",
    f"vset<2|4>.{WORD}.{WORD}.<lt|ge><|.add> $u32<|.h1|.b30>, $s32<|.h32|.b7654>, $u32<|.h10|.b3210>, $u32",
]

# What ptxas takes although the manual knows no such operands, and we do not.
QUIRKS = [
    r"st\.async\S* \S+ [^\[]*$",  # No mbarrier.
    r"red\.async\S* \S+ [^\[]*$",
    r"st\.async(?!\S*\.v[24])\S* \[\S+\], [{\d]",  # A vector without .v2.
    r"st\.async\S*\.v[24]\S* \[\S+\], [%\d]",  # One value for a vector.
    r"st\S*\.shared::cluster\S*\.v8\.",  # .v8 of bytes and halves.
    r"mma\.sp\S* .*, [23]$",  # Selectors that the shape does not have.
    r"mma\S*m16n8k16\S*\.e[45]m",  # Two registers for B where one suffices.
    r"(atom|red)\S*\.v[248]\.",  # Types of all registers but one.
]

FAMILIES = {
    "memory": MEMORY,
    "atomic": ATOMIC,
    "collective": COLLECTIVE,
    "barrier": BARRIER,
    "mbarrier": MBARRIER,
    "copy": COPY,
    "tensor": TENSOR,
    "matrix": MATRIX,
    "wmma": WMMA,
    "wgmma": WGMMA,
    "video": VIDEO,
}
