"""Makes random programs, each as a kernel in PTX and as a function in C++.

A program reads the state of its lane (registers and a little memory), changes it by
random instructions, branches and loops, and writes it back. Every result is also
folded into a sum, so that none is lost; with `trace`, it is logged instead.
"""
import random
import struct

import operations

COUNTS = {"d": 6, "r": 8, "p": 4, "h": 8}
MEMORY = 64  # Bytes of each of the three memories of a lane.
SPACES = ("global", "shared", "local")
STATE = struct.Struct(f"<2Q{COUNTS['d']}Q{COUNTS['r']}I{COUNTS['p']}I{COUNTS['h']}H{3 * MEMORY}s")
assert STATE.size % 16 == 0
LANES = 40  # A whole warp and a part of one.
TRACED = 1000  # Results of a lane that a trace holds.

STATE_CPP = f"""
struct State {{
  u64 sum, padding, d[{COUNTS['d']}];
  u32 r[{COUNTS['r']}], p[{COUNTS['p']}];
  u16 h[{COUNTS['h']}];
  u8 global[{MEMORY}], shared[{MEMORY}], local[{MEMORY}];
}};
static_assert(sizeof(State) == {STATE.size}, "as the kernels read it");
struct Trace {{
  u64 count, entries[{TRACED}][2];
}};
static void note(Trace *trace, u64 where, u64 value) {{
  if (trace->count < {TRACED}) {{
    trace->entries[trace->count][0] = where;
    trace->entries[trace->count][1] = value;
  }}
  ++trace->count;
}}
"""
SIZES = {"h": 16, "r": 32, "d": 64}
FOLD = "0x9e3779b97f4a7c15"


def special(random_, size):
    """A number of `size` bits that is likely to matter."""
    kind = random_.randrange(8)
    if kind < 3:
        value = random_.getrandbits(size)
    elif kind == 3:
        value = random_.randrange(-3, 70)
    elif kind == 4:
        value = (1 << random_.randrange(size)) + random_.randrange(-1, 2)
    elif kind == 5 and size > 16:  # Halves or words that are numbers of their own.
        value = special(random_, size // 2) | special(random_, size // 2) << (size // 2)
    else:
        value = special_float(random_, size)
    return value & ((1 << size) - 1)


def special_float(random_, size):
    """The bits of a number of f64, f32, f16 or bf16, often at an edge of its range."""
    mantissa = {64: 52, 32: 23, 16: random_.choice((10, 7))}[size]
    most = (1 << (size - 1 - mantissa)) - 1
    exponent = random_.choice((0, 1, 2, most // 2 - 1, most // 2, most // 2 + 1, most - 1, most,
                               random_.randrange(most // 2 - 12, min(most // 2 + 66, most)),
                               random_.randrange(most // 2 - 12, most // 2 + 12)))
    fraction = random_.choice((0, 0, 1, (1 << mantissa) - 1, 1 << (mantissa - 1),
                               random_.getrandbits(mantissa), random_.getrandbits(mantissa),
                               random_.getrandbits(5) << (mantissa - 5)))
    return random_.getrandbits(1) << (size - 1) | exponent << mantissa | fraction


def state(random_):
    """The bytes of a lane's state."""
    values = [special(random_, size) for kind, size in (("d", 64), ("r", 32))
              for _ in range(COUNTS[kind])]
    values += [random_.getrandbits(1) for _ in range(COUNTS["p"])]
    values += [special(random_, 16) for _ in range(COUNTS["h"])]
    memory = b"".join(special(random_, size).to_bytes(size // 8, "little")
                      for _ in range(3 * MEMORY // 16) for size in (16, 16, 32, 64))
    return STATE.pack(0, 0, *values, memory[:3 * MEMORY])


class Program:
    def __init__(self, name, seed, trace=False):
        self.name, self.seed, self.trace = name, seed, trace
        self.random = random.Random(seed)
        self.ptx, self.cpp = [], []
        self.where = self.labels = self.loops = 0
        # Programs differ in what they are mostly made of.
        families = self.random.sample(operations.FAMILIES, self.random.randrange(2, 8))
        self.table = [each for each in operations.TABLE if each.family in families]
        self.block(self.random.randrange(15, 40), 0, None)

    # Statements.

    def block(self, count, depth, loop):
        for _ in range(count):
            choice = self.random.randrange(40)
            if choice < 2 and depth < 3:
                self.branch(count // 4, depth, loop)
            elif choice == 2 and depth < 2:
                self.loop(count // 4, depth)
            elif choice == 3 and loop is not None:
                self.leave(loop)
            elif choice < 9:
                self.access()
            else:
                self.operation(self.random.choice(self.table))

    def branch(self, count, depth, loop):
        label = self.label()
        p, positive = self.register("p"), self.random.getrandbits(1)
        self.both(f"@{'!' * positive}{ptx(p)} bra ELSE{label};", f"if ({'!' * (not positive)}{p}) {{")
        self.block(count, depth + 1, loop)
        if self.random.getrandbits(1):
            self.both(f"bra ENDIF{label};", "} else {")
            self.both(f"ELSE{label}:", "")
            self.block(count, depth + 1, loop)
            self.both(f"ENDIF{label}:", "}")
        else:
            self.both(f"ELSE{label}:", "}")

    def loop(self, count, depth):
        label = self.label()
        turns = self.register("r")
        counter, most = f"%count{self.loops}", self.random.choice((1, 3, 7))
        self.loops += 1
        self.ptx += [f"and.b32 {counter}, {ptx(turns)}, {most};", f"HEAD{label}:",
                     f"setp.eq.u32 %canon, {counter}, 0;", f"@%canon bra DONE{label};",
                     f"sub.u32 {counter}, {counter}, 1;"]
        self.cpp.append(f"for (u32 n{label} = {turns} & {most}; n{label} != 0; --n{label}) {{")
        self.block(count, depth + 1, label)
        self.both(f"bra HEAD{label};\nDONE{label}:", "}")

    def leave(self, loop):
        p = self.register("p")
        self.both(f"@{ptx(p)} bra DONE{loop};", f"if ({p}) break;")

    def access(self):
        """A load or store of up to four elements in a random place."""
        space = self.random.choice(SPACES)
        size = self.random.choice((8, 16, 32, 64))
        kind = operations.REGISTER[size]
        if size < 64 and self.random.getrandbits(1):
            kind = self.random.choice([k for k in SIZES if SIZES[k] >= size])
        count = self.random.choice([n for n in (1, 1, 2, 4) if n * size <= 128])
        bytes_ = count * size // 8
        sign = self.random.choice("us")
        index = self.register("r")
        registers = self.distinct(kind, count)
        suffix = f".v{count}" if count > 1 else ""
        operand = ", ".join(map(ptx, registers))
        if count > 1:
            operand = "{" + operand + "}"
        self.ptx += [f"and.b32 %t, {ptx(index)}, {MEMORY - bytes_};",
                     f"and.b32 %t, %t, {-bytes_};",
                     f"cvt.u64.u32 %x, %t;", f"add.u64 %x, %x, %{space};"]
        # Before the load, which may change the index.
        self.cpp.append(f"{{ u8 *at = s->{space} + ({index} & {MEMORY - bytes_} & {-bytes_});")
        for i, register in enumerate(registers):
            t = f"{sign}{size}"
            place = f"at + {i * size // 8}"
            self.cpp.append(f"{t} v{i}; memcpy(&v{i}, {place}, {size // 8});")
        if self.random.randrange(3):
            self.ptx.append(f"ld.{space}{suffix}.{sign}{size} {operand}, [%x];")
            for i, register in enumerate(registers):
                self.cpp.append(f"{register} = v{i};")
            self.cpp.append("}")
            for register in registers:
                self.fold(kind, register, "", "")
        else:
            self.ptx.append(f"st.{space}{suffix}.{sign}{size} [%x], {operand};")
            for i, register in enumerate(registers):
                self.cpp.append(f"v{i} = {register}; memcpy(at + {i * size // 8}, &v{i}, {size // 8});")
            self.cpp.append("}")

    def operation(self, operation):
        targets, sources = operation.kinds.split(":")
        names, cpp = {}, {}
        for letter, kind in zip("abcf", sources):
            names[letter], cpp[letter] = self.source(kind)
        later = "".join(operation.ptx[1:])
        for letter, kind in zip("de", targets.lower()):
            # What later instructions of a group read must not be overwritten.
            taken = [cpp[each] for each in cpp if each in "de" or "{%s}" % each in later]
            free = [f"{kind}{i}" for i in range(COUNTS[kind]) if f"{kind}{i}" not in taken]
            cpp[letter] = self.random.choice(free)
            names[letter] = ptx(cpp[letter])
        results = [(kind, cpp[letter]) for letter, kind in zip("de", targets.lower())]
        guard, condition = "", ""
        if self.random.randrange(5) == 0:
            p, negated = self.register("p"), self.random.getrandbits(1)
            if p not in [register for _, register in results]:
                guard = f"@{'!' * negated}{ptx(p)} "
                condition = f"if ({'!' * negated}{p}) "
        self.ptx += [guard + line.format(**names) for line in operation.ptx]
        self.cpp.append(condition + "{ " + operation.cpp.format(**cpp) + " }")
        for kind, register in results:
            self.fold(kind, register, guard, condition)

    def fold(self, kind, register, guard, condition):
        """Makes a result count."""
        self.where += 1
        value = (f"selp.u64 %x, 1, 0, {ptx(register)};" if kind == "p" else
                 f"mov.u64 %x, {ptx(register)};" if kind == "d" else
                 f"cvt.u64.u{SIZES[kind]} %x, {ptx(register)};")
        if self.trace:
            self.ptx += [guard + line for line in (
                value, f"setp.lt.u64 %canon, %logged, {TRACED};",
                "mad.lo.u64 %place, %logged, 16, %trace;",
                "add.u64 %logged, %logged, 1;")]
            label = self.label()
            self.ptx += [f"{guard.replace('!', '') if '!' in guard else guard.replace('@', '@!')}"
                         f"bra SKIP{label};" if guard else "",
                         f"@%canon st.global.u64 [%place+8], {self.where};",
                         "@%canon st.global.u64 [%place+16], %x;",
                         f"SKIP{label}:"]
            self.cpp.append(f"{condition}note(trace, {self.where}, {register});")
            return
        self.ptx += [guard + value, f"{guard}mad.lo.u64 %sum, %sum, {FOLD}, %x;"]
        self.cpp.append(f"{condition}sum = sum * {FOLD} + {register};")

    # Operands.

    def register(self, kind):
        return f"{kind}{self.random.randrange(COUNTS[kind])}"

    def distinct(self, kind, count):
        return [f"{kind}{i}" for i in self.random.sample(range(COUNTS[kind]), count)]

    def source(self, kind):
        """An operand in PTX and in C++."""
        if kind == "i":
            value = str(self.random.randrange(256))
            return value, value
        if kind == "q":
            negated = "!" * self.random.getrandbits(1)
            register = self.register("p")
            return negated + ptx(register), negated + register
        if kind == "b":
            if self.random.randrange(3):
                value = str(self.random.randrange(70))
                return value, value
            kind = "R"
        if kind in SIZES and self.random.randrange(4) == 0:
            size = SIZES[kind]
            value = special(self.random, size)
            if self.random.getrandbits(1) and value >> (size - 1):
                value -= 1 << size
            if size == 16 and value >= 1 << 15:
                value -= 1 << 16
            text = str(value) if self.random.getrandbits(1) and value > -(1 << 63) else (
                hex(value & ((1 << size) - 1)) if size > 16 or value >= 0 else str(value))
            return text, f"u{size}({value & ((1 << size) - 1)}u{'l' * (size == 64)})"
        register = self.register(kind.lower())
        return ptx(register), register

    def label(self):
        self.labels += 1
        return self.labels

    def both(self, line, cpp):
        self.ptx.append(line)
        self.cpp.append(cpp)

    # Texts.

    def as_ptx(self):
        """The kernel: what loads the state, the program, and what stores it."""
        offsets, at = [], 16
        for kind, size in (("d", 8), ("r", 4), ("p", 4), ("h", 2)):
            for i in range(COUNTS[kind]):
                offsets.append((kind, f"%{kind}{i}", at))
                at += size
        load, store = [], []
        for kind, register, offset in offsets:
            if kind == "p":
                load += [f"ld.global.u32 %t, [%state+{offset}];", f"setp.ne.u32 {register}, %t, 0;"]
                store += [f"selp.u32 %t, 1, 0, {register};", f"st.global.u32 [%state+{offset}], %t;"]
            else:
                t = f"b{SIZES[kind]}"
                load.append(f"ld.global.{t} {register}, [%state+{offset}];")
                store.append(f"st.global.{t} [%state+{offset}], {register};")
        load.append(f"add.u64 %global, %state, {at};")
        for number, space in enumerate(SPACES):
            for i in range(0, MEMORY, 8):
                if space == "global":
                    continue
                place = f"[%state+{at + number * MEMORY + i}]"
                load += [f"ld.global.u64 %x, {place};", f"st.{space}.u64 [%{space}+{i}], %x;"]
                store += [f"ld.{space}.u64 %x, [%{space}+{i}];", f"st.global.u64 {place}, %x;"]
        start = f"""
.visible .entry {self.name}(.param .u64 states, .param .u64 traces)
{{
  .reg .b64 %d<{COUNTS['d']}>, %sum, %x, %state, %global, %shared, %local, %trace, %logged, %place;
  .reg .b64 %t64;
  .reg .b32 %r<{COUNTS['r']}>, %t, %t32, %count<{self.loops + 1}>;
  .reg .b16 %h<{COUNTS['h']}>;
  .reg .pred %p<{COUNTS['p']}>, %canon;
  .local .align 16 .b8 private[{MEMORY}];
  .shared .align 16 .b8 common[{MEMORY * LANES}];
  mov.u32 %t, %tid.x;
  ld.param.u64 %state, [states];
  mad.wide.u32 %state, %t, {STATE.size}, %state;
  ld.param.u64 %trace, [traces];
  mad.wide.u32 %trace, %t, {8 + 16 * TRACED}, %trace;
  mov.u64 %shared, common;
  mad.wide.u32 %shared, %t, {MEMORY}, %shared;
  mov.u64 %local, private;
  mov.u64 %logged, 0;
  mov.u64 %sum, 0;
"""
        end = ["st.global.u64 [%state], %sum;", "st.global.u64 [%trace], %logged;", "ret;"]
        lines = [*load, *self.ptx, *store, *end]
        return start + "".join(f"  {line}\n" for line in lines if line) + "}\n"

    def as_cpp(self):
        names = [(kind, i) for kind in COUNTS for i in range(COUNTS[kind])]
        types = {"d": "u64", "r": "u32", "p": "bool", "h": "u16"}
        load = [f"{types[kind]} {kind}{i} = s->{kind}[{i}];" for kind, i in names]
        store = [f"s->{kind}[{i}] = {kind}{i};" for kind, i in names]
        lines = ["u64 sum = 0;", *load, *self.cpp, *store, "s->sum = sum;"]
        return (f'extern "C" void {self.name}(State *s, Trace *trace) {{\n'
                + "".join(f"  {line}\n" for line in lines if line) + "}\n")


def ptx(register):
    return "%" + register


HEADER = ".version 8.6\n.target sm_90a\n.address_size 64\n"
