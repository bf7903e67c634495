"""The instructions that the fuzzer knows: how each is written in PTX, and the
function of integers.h or floats.h that computes the same.

`kinds` names the destinations and, after a colon, the sources: h, r and d are
registers of 16, 32 and 64 bits, or constants; p a predicate, q one that may be negated; b a number of bits to shift by
or to take; i a constant of 8 bits. Capitals are registers, too, never constants. In
both texts {d} and {e} are the destinations, {a}, {b}, {c} and {f} the sources.
"""
import collections

Operation = collections.namedtuple("Operation", "family ptx kinds cpp")
TABLE = []
REGISTER = {8: "h", 16: "h", 32: "r", 64: "d"}
MODES = ("rn", "rz", "rm", "rp")


def add(family, ptx, kinds, cpp):
    """Adds an instruction; one without operands in `ptx` has them in order."""
    if "{" not in ptx:
        targets, sources = kinds.split(":")
        names = [*"de"[:len(targets)], *"abcf"[:len(sources)]]
        ptx += " " + ", ".join("{%s}" % name for name in names)
    lines = [line + ";" for line in ptx.split(";")]
    # Which NaN comes out of these is not defined.
    if kinds[0] == "D":
        lines += ["setp.nan.f64 %canon, {d}, {d};",
                  "selp.b64 {d}, 0x7ff8000000000000, {d}, %canon;"]
    if ".f32.f64" in ptx:
        lines += ["setp.nan.f32 %canon, {d}, {d};", "selp.b32 {d}, 0x7fffffff, {d}, %canon;"]
    if "{d} = " not in cpp:
        cpp = "{d} = " + cpp
    TABLE.append(Operation(family, lines, kinds, cpp + ";"))


def integer_types(*sizes):
    return [(sign + str(size), size, REGISTER[size]) for size in sizes for sign in "us"]


def integers():
    for t, size, k in integer_types(16, 32, 64):
        for name, function in [("add", "add"), ("sub", "sub"), ("mul.lo", "mulLo"),
                               ("mul.hi", "mulHi"), ("div", "div"), ("rem", "rem"),
                               ("min", "minimum"), ("max", "maximum")]:
            add("integer", f"{name}.{t}", f"{k}:{k}{k}", f"{function}<{t}>({{a}}, {{b}})")
        for name, function in [("mad.lo", "madLo"), ("mad.hi", "madHi"), ("sad", "sad")]:
            add("integer", f"{name}.{t}", f"{k}:{k}{k}{k}",
                f"{function}<{t}>({{a}}, {{b}}, {{c}})")
        if size < 64:
            wide, kind = t[0] + str(2 * size), REGISTER[2 * size]
            add("integer", f"mul.wide.{t}", f"{kind}:{k}{k}",
                f"mulWide<{wide}, {t}>({{a}}, {{b}})")
            add("integer", f"mad.wide.{t}", f"{kind}:{k}{k}{kind}",
                f"madWide<{wide}, {t}>({{a}}, {{b}}, {{c}})")
        if t[0] == "s":
            add("integer", f"abs.{t}", f"{k}:{k}", f"absolute<{t}>({{a}})")
            add("integer", f"neg.{t}", f"{k}:{k}", f"negate<{t}>({{a}})")
        add("bits", f"shr.{t}", f"{k}:{k}b", f"shr<{t}>({{a}}, {{b}})")
    add("integer", "add.sat.s32", "r:rr", "addSat<s32>({a}, {b})")
    add("integer", "sub.sat.s32", "r:rr", "subSat<s32>({a}, {b})")
    add("integer", "mad.hi.sat.s32", "r:rrr", "madHiSat({a}, {b}, {c})")
    add("integer", "mad24.hi.sat.s32", "r:rrr", "mad24HiSat({a}, {b}, {c})")
    for relu, suffix in [("min", "minRelu"), ("max", "maxRelu")]:
        add("integer", f"{relu}.relu.s32", "r:rr", f"{suffix}<s32>({{a}}, {{b}})")
        add("integer", f"{relu}.relu.s16x2", "r:RR", f"halves<s16>({{a}}, {{b}}, {suffix}<s16>)")
    for t in ("u32", "s32"):
        for part in ("lo", "hi"):
            function = "24" + part.capitalize()
            add("integer", f"mul24.{part}.{t}", "r:rr", f"mul{function}<{t}>({{a}}, {{b}})")
            add("integer", f"mad24.{part}.{t}", "r:rrr", f"mad{function}<{t}>({{a}}, {{b}}, {{c}})")
        for u in ("u32", "s32"):
            byte, half = t[0] + "8", t[0] + "16"
            other = u[0] + "8"
            add("integer", f"dp4a.{t}.{u}", "r:rrr", f"dp4a<{byte}, {other}>({{a}}, {{b}}, {{c}})")
            for part in ("lo", "hi"):
                add("integer", f"dp2a.{part}.{t}.{u}", "r:rrr",
                    f"dp2a<{half}, {other}>({{a}}, {{b}}, {{c}}, {int(part == 'hi')})")
        for wraps, mode in enumerate(("clamp", "wrap")):
            add("bits", f"szext.{mode}.{t}", "r:rb", f"szext<{t}>({{a}}, {{b}}, {wraps})")
    for t in ("u16", "s16"):
        for name, function in [("add", "add"), ("min", "minimum"), ("max", "maximum")]:
            add("integer", f"{name}.{t}x2", "r:RR", f"halves<{t}>({{a}}, {{b}}, {function}<{t}>)")


def bits():
    for size, k in ((16, "h"), (32, "r"), (64, "d")):
        u = f"u{size}"
        for name, sign in (("and", "&"), ("or", "|"), ("xor", "^")):
            add("bits", f"{name}.b{size}", f"{k}:{k}{k}", f"{{a}} {sign} {{b}}")
        add("bits", f"not.b{size}", f"{k}:{k}", "~{a}")
        add("bits", f"cnot.b{size}", f"{k}:{k}", f"cnot<{u}>({{a}})")
        add("bits", f"shl.b{size}", f"{k}:{k}b", f"shl<{u}>({{a}}, {{b}})")
        add("bits", f"shr.b{size}", f"{k}:{k}b", f"shr<{u}>({{a}}, {{b}})")
        add("bits", f"selp.b{size}", f"{k}:{k}{k}p", "{c} ? {a} : {b}")
        add("bits", f"mov.b{size}", f"{k}:{k}", "{a}")
        for t in ("u", "s"):
            add("bits", f"selp.{t}{size}", f"{k}:{k}{k}p", "{c} ? {a} : {b}")
        add("bits", f"slct.b{size}.s32", f"{k}:{k}{k}r", "s32({c}) >= 0 ? {a} : {b}")
        add("bits", f"slct.u{size}.f32", f"{k}:{k}{k}R", "widen(f32, {c}) >= 0 ? {a} : {b}")
        add("bits", f"slct.ftz.s{size}.f32", f"{k}:{k}{k}R",
            "widen(f32, {c}, true) >= 0 ? {a} : {b}")
    for size, k in ((32, "r"), (64, "d")):
        add("bits", f"popc.b{size}", f"r:{k}", f"popc<u{size}>({{a}})")
        add("bits", f"clz.b{size}", f"r:{k}", f"clz<u{size}>({{a}})")
        add("bits", f"brev.b{size}", f"{k}:{k}", f"brev<u{size}>({{a}})")
        add("bits", f"bfi.b{size}", f"{k}:{k}{k}bb", f"bfi<u{size}>({{a}}, {{b}}, {{c}}, {{f}})")
        for t in (f"u{size}", f"s{size}"):
            add("bits", f"bfind.{t}", f"r:{k}", f"bfind<{t}>({{a}})")
            add("bits", f"bfind.shiftamt.{t}", f"r:{k}", f"bfindShift<{t}>({{a}})")
            add("bits", f"bfe.{t}", f"{k}:{k}bb", f"bfe<{t}>({{a}}, {{b}}, {{c}})")
    add("bits", "and.b32 %t, {b}, 31;fns.b32 {d}, {a}, %t, {c}", "r:rrb", "fns({a}, {b} & 31, {c})")
    for left, side in enumerate("rl"):
        for wraps, mode in enumerate(("clamp", "wrap")):
            add("bits", f"shf.{side}.{mode}.b32", "r:rrb",
                f"shf({{a}}, {{b}}, {{c}}, {left}, {wraps})")
    for wraps, mode in enumerate(("clamp", "wrap")):
        add("bits", f"bmsk.{mode}.b32", "r:bb", f"bmsk({{a}}, {{b}}, {wraps})")
    for _ in range(4):  # Most of what compilers make.
        add("bits", "lop3.b32", "r:rrri", "lop3({a}, {b}, {c}, {f})")
        add("bits", "prmt.b32", "r:rrr", "prmt({a}, {b}, {c})")
    for mode in ("f4e", "b4e", "rc8", "ecl", "ecr", "rc16"):
        add("bits", f"prmt.b32.{mode}", "r:rrr", f"prmtMode({{a}}, {{b}}, {{c}}, {mode})")
    for name, sign in (("and", "&"), ("or", "|"), ("xor", "^")):
        add("bits", f"{name}.pred", "p:pp", f"{{a}} {sign} {{b}}")
    add("bits", "not.pred", "p:p", "!{a}")
    add("bits", "mov.pred", "p:p", "{a}")
    add("bits", "mov.b64 {d}, {{{a}, {b}}}", "d:RR", "u64({b}) << 32 | {a}")
    add("bits", "mov.b64 {{{d}, {e}}}, {a}", "rr:D", "u64 t = {a}; {d} = u32(t); {e} = u32(t >> 32)")
    add("bits", "mov.b32 {d}, {{{a}, {b}}}", "r:HH", "u32({b}) << 16 | {a}")
    add("bits", "mov.b32 {{{d}, {e}}}, {a}", "hh:R", "u32 t = {a}; {d} = u16(t); {e} = u16(t >> 16)")


def carries():
    """Chains: no instruction may come between, and the flag is gone after them."""
    for size, k in ((32, "r"), (64, "d")):
        u = f"u{size}"
        for t in (u, f"s{size}"):
            for first, later, function in (("add", "addc", "addCarry"),
                                           ("sub", "subc", "subBorrow")):
                add("integer", f"{first}.cc.{t} {{d}}, {{a}}, {{b}};{later}.{t} {{e}}, {{c}}, {{f}}",
                    f"{k}{k}:{k.upper() * 4}",
                    f"bool f; {u} t = {function}<{u}>({{a}}, {{b}}, 0, f), s = {function}<{u}>({{c}}, "
                    f"{{f}}, f, f); {{d}} = t; {{e}} = s")
                add("integer", f"{first}.cc.{t} %t{size}, {{a}}, {{b}};{later}.cc.{t} {{d}}, {{b}}, {{c}};"
                    f"{later}.cc.{t} {{e}}, 0, 0;{later}.{t} {{e}}, {{e}}, 1",
                    f"{k}{k}:{k.upper() * 3}",
                    f"bool f; {function}<{u}>({{a}}, {{b}}, 0, f); {u} t = {function}<{u}>({{b}}, {{c}}, "
                    f"f, f), s = {function}<{u}>(0, 0, f, f); {{d}} = t; "
                    f"{{e}} = {function}<{u}>(s, 1, f, f)")
            for part in ("lo", "hi"):
                product = f"mul{part.capitalize()}<{t}>"
                add("integer", f"mad.{part}.cc.{t} %t{size}, {{a}}, {{b}}, {{c}};"
                    f"madc.hi.cc.{t} {{d}}, {{b}}, {{c}}, %t{size};addc.{t} {{e}}, 0, 0",
                    f"{k}{k}:{k.upper() * 3}",
                    f"bool f; {u} t = addCarry<{u}>({product}({{a}}, {{b}}), {{c}}, 0, f), s = "
                    f"addCarry<{u}>(mulHi<{t}>({{b}}, {{c}}), t, f, f); {{d}} = s; {{e}} = f")


def comparisons():
    for size, k in ((16, "h"), (32, "r"), (64, "d")):
        for sign, names in (("b", "eq ne"), ("u", "eq ne lt le gt ge lo ls hi hs"),
                            ("s", "eq ne lt le gt ge")):
            t = sign + str(size)
            u = t.replace("b", "u")
            for name in names.split():
                test = f'compare<{u}>("{name}", {{a}}, {{b}})'
                compare(name, t, k, test)
    for t, k, value in (("f16", "H", "widen(f16, {})"), ("bf16", "H", "widen(bf16, {})"),
                        ("f32", "R", "widen(f32, {})"), ("ftz.f32", "R", "widen(f32, {}, true)"),
                        ("ftz.f16", "H", "widen(f16, {}, true)"), ("f64", "D", "bitsToDouble({})")):
        for name in "eq ne lt le gt ge equ neu ltu leu gtu geu num nan".split():
            test = f'compareF("{name}", {value.format("{a}")}, {value.format("{b}")})'
            compare(name, t, k, test)
    for t, value in (("f16x2", "f16"), ("bf16x2", "bf16"), ("ftz.f16x2", "f16")):
        flag = ", true" if "ftz" in t else ""
        for name in "eq ne lt le gt ge equ neu ltu leu gtu geu num nan".split():
            test = (f'compareF("{name}", widen({value}, {{a}} >> %d & 0xffff{flag}), '
                    f'widen({value}, {{b}} >> %d & 0xffff{flag}))')
            add("half", f"setp.{name}.{t} {{d}}|{{e}}, {{a}}, {{b}}", "pp:RR",
                f"bool t = {test % (0, 0)}, s = {test % (16, 16)}; {{d}} = t; {{e}} = s")
    for t, k in (("f32", "R"), ("f64", "D")):
        for name in ("finite", "infinite", "number", "notanumber", "normal", "subnormal"):
            value = "widen(f32, {a})" if k == "R" else "bitsToDouble({a})"
            least = "0x1p-126" if k == "R" else "0x1p-1022"
            add("compare", f"testp.{name}.{t}", f"p:{k}",
                f'testp("{name}", {value}, {value} != 0 && std::fabs({value}) < {least})')


def compare(name, t, k, test):
    """setp and set in their forms."""
    add("compare", f"setp.{name}.{t}", f"p:{k}{k}", test)
    for word in ("and", "or", "xor"):
        add("compare", f"setp.{name}.{word}.{t}", f"p:{k}{k}q",
            f'combine("{word}", {test}, {{c}})')
    if "f16" not in t:
        add("compare", f"setp.{name}.{t} {{d}}|{{e}}, {{a}}, {{b}}", f"pp:{k}{k}",
            f"bool t = {test}; {{d}} = t; {{e}} = !t")
        ftz, _, plain = t.rpartition(".")
        ftz = ftz and ".ftz"
        add("compare", f"set.{name}{ftz}.u32.{plain}", f"r:{k}{k}", f"{test} ? ~0u : 0")
        add("compare", f"set.{name}{ftz}.f32.{plain}", f"r:{k}{k}", f"{test} ? 0x3f800000 : 0")
        add("compare", f"set.{name}.and{ftz}.s32.{plain}", f"r:{k}{k}q",
            f'combine("and", {test}, {{c}}) ? ~0u : 0')


def floats():
    for ftz in ("", ".ftz"):
        for sat in ("", ".sat"):
            finish = (ftz[1:] + sat[1:].capitalize() if ftz else sat[1:]) or "plain"
            for mode in MODES:
                for name in ("add", "sub", "mul"):
                    add("float", f"{name}.{mode}{ftz}{sat}.f32", "r:RR",
                        f"{name}F(f32, {{a}}, {{b}}, {mode}, {finish})")
                add("float", f"fma.{mode}{ftz}{sat}.f32", "r:RRR",
                    f"fmaF(f32, {{a}}, {{b}}, {{c}}, {mode}, {finish})")
        finish = ftz[1:] or "plain"
        for mode in MODES:
            add("float", f"div.{mode}{ftz}.f32", "r:RR", f"divF(f32, {{a}}, {{b}}, {mode}, {finish})")
            add("float", f"rcp.{mode}{ftz}.f32", "r:R",
                f"divF(f32, 0x3f800000, {{a}}, {mode}, {finish})")
            add("float", f"sqrt.{mode}{ftz}.f32", "r:R", f"sqrtF(f32, {{a}}, {mode}, {finish})")
        for name in ("abs", "neg"):
            add("float", f"{name}{ftz}.f32 {{d}}, {{a}};setp.nan.f32 %canon, {{d}}, {{d}};"
                "selp.b32 {d}, 0x7fffffff, {d}, %canon", "r:R", f"{name}F(f32, {{a}}, {finish})")
        for is_max, name in enumerate(("min", "max")):
            for spreads, word in enumerate(("", ".NaN")):
                arguments = f"(f32, {{a}}, {{b}}, {is_max}, {spreads}, {finish})"
                add("float", f"{name}{ftz}{word}.f32", "r:RR", "chooseF" + arguments)
                add("float", f"{name}{ftz}{word}.xorsign.abs.f32", "r:RR",
                    "chooseXorsign" + arguments)
    for mode in MODES:
        for name in ("add", "sub", "mul", "div"):
            add("double", f"{name}.{mode}.f64", "D:DD", f"{name}D({{a}}, {{b}}, {mode})")
        add("double", f"fma.{mode}.f64", "D:DDD", f"fmaD({{a}}, {{b}}, {{c}}, {mode})")
        add("double", f"rcp.{mode}.f64", "D:D", f"divD(0x3ff0000000000000, {{a}}, {mode})")
        add("double", f"sqrt.{mode}.f64", "D:D", f"sqrtD({{a}}, {mode})")
    for name in ("abs", "neg"):
        add("double", f"{name}.f64", "D:D", f"{name}D({{a}})")
    for is_max, name in enumerate(("min", "max")):
        add("double", f"{name}.f64", "D:DD", f"chooseD({{a}}, {{b}}, {is_max})")
    add("float", "copysign.f32", "r:RR", "({b} & 0x7fffffff) | ({a} & 0x80000000)")
    add("double", "copysign.f64", "D:DD",
        "canonical(bitsToDouble(({b} << 1 >> 1) | ({a} >> 63 << 63)))")


def both(family, name, kinds, function, arguments, packed=True):
    """A function of halves, and of each half of words."""
    add(family, name, kinds, f"{function}({arguments.format('{a}', '{b}', '{c}')})")
    if packed:
        words = [f"u16({{{letter}}} >> i)" for letter in "abc"]
        add(family, name + "x2", kinds.replace("H", "R").replace("h", "r"),
            f"eachHalf([&](int i) {{{{ return {function}({arguments.format(*words)}); }}}})")


def halves():
    for t in ("f16", "bf16"):
        for ftz in ("", ".ftz") if t == "f16" else ("",):
            for end in ("", ".sat") if t == "f16" else ("",):
                finish = (ftz[1:] + end[1:].capitalize() if ftz else end[1:]) or "plain"
                for name in ("add", "sub", "mul"):
                    both("half", f"{name}.rn{ftz}{end}.{t}", "h:HH", name + "F",
                         f"{t}, {{}}, {{}}, rn, {finish}")
            for end in ("", ".sat", ".relu") if t == "f16" else ("", ".relu"):
                finish = (ftz[1:] + end[1:].capitalize() if ftz else end[1:]) or "plain"
                both("half", f"fma.rn{ftz}{end}.{t}", "h:HHH", "fmaF",
                     f"{t}, {{}}, {{}}, {{}}, rn, {finish}")
            finish = ftz[1:] or "plain"
            for is_max, name in enumerate(("min", "max")):
                for spreads, word in enumerate(("", ".NaN")):
                    arguments = f"{t}, {{}}, {{}}, {is_max}, {spreads}, {finish}"
                    both("half", f"{name}{ftz}{word}.{t}", "h:HH", "chooseF", arguments)
                    both("half", f"{name}{ftz}{word}.xorsign.abs.{t}", "h:HH", "chooseXorsign",
                         arguments)
            for name in ("abs", "neg"):
                add("half", f"{name}{ftz}.{t} {{d}}, {{a}};setp.nan.{t} %canon, {{d}}, {{d}};"
                    "selp.b16 {d}, 0x7fff, {d}, %canon", "h:H", f"{name}F({t}, {{a}}, {finish})")


def conversions():
    whole = integer_types(8, 16, 32, 64)
    for target, size, k in whole:
        for source, other, j in whole:
            add("convert", f"cvt.{target}.{source}", f"{k}:{j.upper()}", f"{target}({source}({{a}}))")
            fits = other <= size and (target[0] == source[0] or
                                      (target[0] == "s" and other < size))
            if not fits:
                add("convert", f"cvt.sat.{target}.{source}", f"{k}:{j.upper()}",
                    f"clampTo<{target}>({source}({{a}}))")
        for mode in MODES:
            word = mode + "i"
            for t, j, value in (("f16", "H", "widen(f16, {a})"), ("bf16", "H", "widen(bf16, {a})"),
                                ("f32", "R", "widen(f32, {a})"), ("f64", "D", "bitsToDouble({a})")):
                if t == "bf16" and size == 8:
                    continue
                call = f"toInteger<{target}>({value}, {mode}, {int(t == 'f64')})"
                add("convert", f"cvt.{word}.{target}.{t}", f"{k}:{j}", call)
                if t == "f32":
                    add("convert", f"cvt.{word}.ftz.{target}.f32", f"{k}:{j}",
                        call.replace("{a})", "{a}, true)"))
            for t, j in (("f16", "h"), ("bf16", "h"), ("f32", "r")):
                if t == "bf16" and size == 8:
                    continue
                add("convert", f"cvt.{mode}.{t}.{target}", f"{j}:{k.upper()}",
                    f"fromInteger<{target}>({t}, {{a}}, {mode}, plain)")
            add("convert", f"cvt.{mode}.f64.{target}", f"D:{k.upper()}",
                f"integerToF64<{target}>({{a}}, {mode})")
        for t, j in (("f16", "h"), ("f32", "r")):
            add("convert", f"cvt.rn.sat.{t}.{target}", f"{j}:{k.upper()}",
                f"fromInteger<{target}>({t}, {{a}}, rn, sat)")


def float_conversions():
    value = {"f16": "widen(f16, {a})", "bf16": "widen(bf16, {a})", "f32": "widen(f32, {a})",
             "f64": "bitsToDouble({a})"}
    kind = {"f16": "H", "bf16": "H", "f32": "R", "f64": "D"}
    for t in value:
        k = kind[t]
        if t != "f64":
            for s in ("f16", "bf16"):
                if s != t and t == "f32":
                    add("convert", f"cvt.f32.{s}", "r:H", f"narrow(f32, {value[s]})")
                    add("convert", f"cvt.f64.{s}", "D:H", f"canonical({value[s]})")
            add("convert", f"cvt.f64.{t}", f"D:{k}", f"canonical({value[t]})")
        for mode in MODES:
            word = mode + "i"
            if t == "f64":
                add("convert", f"cvt.{word}.f64.f64", "D:D",
                    f"canonical(::whole({value[t]}, {mode}))")
            elif t != "bf16":
                add("convert", f"cvt.{word}.{t}.{t}", f"{k.lower()}:{k}",
                    f"narrow({t}, ::whole({value[t]}, {mode}))")
        for mode in MODES:
            for s in ("f32", "f64"):
                if s == t or t == "f64":
                    continue
                if t == "bf16" and mode in ("rm", "rp") and s == "f32":
                    pass
                add("convert", f"cvt.{mode}.{t}.{s}", f"{k.lower()}:{kind[s]}",
                    f"narrow({t}, {value[s]}, {mode})")
    add("convert", "cvt.ftz.f32.f16", "r:H", "narrow(f32, {v})".format(v=value["f16"]))
    add("convert", "cvt.rni.ftz.f32.f32", "r:R", "narrow(f32, ::whole(widen(f32, {a}, true), rn))")
    add("convert", "cvt.rzi.sat.f32.f32", "r:R", "narrow(f32, ::whole(widen(f32, {a}), rz), rn, sat)")
    add("convert", "cvt.sat.f32.f32", "r:R", "narrow(f32, widen(f32, {a}), rn, sat)")
    add("convert", "cvt.ftz.sat.f32.f32", "r:R", "narrow(f32, widen(f32, {a}, true), rn, ftzSat)")
    add("convert", "cvt.rn.ftz.f32.f64", "r:D", "narrow(f32, bitsToDouble({a}), rn, ftz)")
    add("convert", "cvt.rn.sat.f32.f64", "r:D", "narrow(f32, bitsToDouble({a}), rn, sat)")
    add("convert", "cvt.rn.ftz.f16.f32", "h:R", "narrow(f16, widen(f32, {a}, true))")
    add("convert", "cvt.rn.sat.f16.f32", "h:R", "narrow(f16, widen(f32, {a}), rn, sat)")
    add("convert", "cvt.rna.tf32.f32", "r:R", "narrow(tf32, widen(f32, {a}), rna)")
    for t in ("f16", "bf16"):
        for mode in ("rn", "rz"):
            add("convert", f"cvt.{mode}.relu.{t}.f32", "h:R",
                f"narrow({t}, widen(f32, {{a}}), {mode}, relu)")
            for end in ("", ".relu"):
                finish = end[1:] or "plain"
                add("convert", f"cvt.{mode}{end}.{t}x2.f32", "r:RR",
                    f"narrow({t}, widen(f32, {{a}}), {mode}, {finish}) << 16 | "
                    f"narrow({t}, widen(f32, {{b}}), {mode}, {finish})")
    for t in ("e4m3", "e5m2"):
        for end, finish in (("", "satfinite"), (".relu", "satfiniteRelu")):
            add("convert", f"cvt.rn.satfinite{end}.{t}x2.f32", "h:RR",
                f"narrow({t}, widen(f32, {{a}}), rn, {finish}) << 8 | "
                f"narrow({t}, widen(f32, {{b}}), rn, {finish})")
            add("convert", f"cvt.rn.satfinite{end}.{t}x2.f16x2", "h:R",
                f"narrow({t}, widen(f16, {{a}} >> 16), rn, {finish}) << 8 | "
                f"narrow({t}, widen(f16, {{a}} & 0xffff), rn, {finish})")
        for end, finish in (("", "plain"), (".relu", "relu")):
            add("convert", f"cvt.rn{end}.f16x2.{t}x2", "r:H",
                f"narrow(f16, widen({t}, {{a}} >> 8), rn, {finish}) << 16 | "
                f"narrow(f16, widen({t}, {{a}} & 0xff), rn, {finish})")


integers()
bits()
carries()
comparisons()
floats()
halves()
conversions()
float_conversions()
FAMILIES = sorted({operation.family for operation in TABLE})
