"""Ways to break the synchronisation of a kernel, one instruction at a time.

A rule says which instructions it is for and what can be done to them. Lines keep
their numbers: what is deleted leaves an empty line, what is added shares one.
"""

import dataclasses
import re


@dataclasses.dataclass
class Mutation:
    """A kernel with one mistake."""

    line: int
    label: str  # before it
    instruction: str
    what: str  # was done to it
    text: str

    def __str__(self):
        return f"{self.line}: {self.instruction}: {self.what}"


RULES = []


def rule(pattern):
    """Makes a function a rule for the lines that match.

    It takes the match and the line after, and yields what is done to the line and
    what then stands in its place; a pair stands for that line and the next one.
    """
    def add(function):
        RULES.append((re.compile(r"^(\s*)(@!?%\w+ )?" + pattern), function))
        return function
    return add


def weakened(line):
    """The same instruction with less order or less scope."""
    for word in ("release", "acquire"):
        if f".{word}." in line:
            yield f"{word} made relaxed", line.replace(word, "relaxed")
            if f".{word}.cluster" in line:
                yield ("cluster made cta",
                       line.replace(f".{word}.cluster", f".{word}.cta"))


def counts(match, what, steps, least=1):
    """The number in group 3 of a match with each step that leaves enough."""
    number = int(match[3])
    for step in steps:
        if number + step >= least:
            yield (f"{what} {number + step} in place of {number}",
                   match.string[:match.start(3)] + str(number + step) +
                   match.string[match.end(3):])


@rule(r"mbarrier\.init\..*, (\d+);")
def init(match, _):
    yield "deleted", ""
    yield from counts(match, "count", (-1, 1))
    yield "by all threads", match.string.replace(match[2], "", 1)


@rule(r"mbarrier\.try_wait\.parity\..* (%p), \[.*\], (%\w+|\d);")
def wait(match, after):
    line = match.string
    yield "deleted", ("", "")
    yield "tried once", (line, "")
    for what, mutant in weakened(line):
        yield what, mutant
    yield ("other parity",
           f"  {{ .reg .b32 %flipped; xor.b32 %flipped, {match[4]}, 1; "
           f"{line.strip().replace(match[4] + ';', '%flipped;')} }}"
           if match[4][0] == "%" else
           line.replace(f", {match[4]};", f", {1 - int(match[4])};"))


@rule(r"xor\.b32 %parity\w*,")
def toggle(match, _):
    yield "parity never changes", ""


@rule(r"mov\.u32 %parity\w*, ([01]);")
def first_parity(match, _):
    yield ("begins at the other parity",
           match.string.replace(f", {match[3]};", f", {1 - int(match[3])};"))


@rule(r"mbarrier\.arrive\.release\.")
def arrive(match, _):
    line = match.string
    yield "deleted", ""
    yield "executed twice", line + line
    yield from weakened(line)
    if match[2]:
        yield "by all threads", line.replace(match[2], "", 1)


@rule(r"mapa\.shared::cluster\.u32 .*, (%\w+);")
def remote(match, _):
    yield "own block only", match.string.replace(f"{match[3]};", "%rank;")


@rule(r"mbarrier\.arrive\.expect_tx\..*, (\d+);")
def expect(match, _):
    line = match.string
    yield "deleted", ""
    yield ("expects no bytes",
           line.replace(".expect_tx", "").replace(f", {match[3]};", ";"))
    yield from counts(match, "bytes", (-16, 16))
    yield from weakened(line)


@rule(r"fence\.mbarrier_init\.")
def fence_init(match, _):
    yield "deleted", ""


@rule(r"fence\.proxy\.async\.shared::cta;")
def fence_proxy(match, _):
    yield "deleted", ""
    yield "by one thread", ("  { .reg .pred %one; setp.eq.u32 %one, %member, 0; "
                            f"@%one {match.string.strip()} }}")
    yield "of another space", match.string.replace("shared::cta", "global")


@rule(r"wgmma\.(fence|commit_group)\.")
def fence_or_commit(match, _):
    yield "deleted", ""


@rule(r"wgmma\.wait_group\.sync\.aligned (\d+);")
def wait_products(match, _):
    yield "deleted", ""
    yield from counts(match, "groups", (1,))


@rule(r"cp\.async\.bulk\.commit_group;")
def commit_stores(match, _):
    yield "deleted", ""


@rule(r"cp\.async\.bulk\.wait_group\.read (\d+);")
def wait_stores(match, _):
    yield "deleted", ""
    yield from counts(match, "groups", (1,))


@rule(r"mov\.u16 %all, (\d+);")
def multicast(match, _):
    for mask in (1, 2):
        yield (f"multicast mask {mask}",
               match.string.replace(f", {match[3]};", f", {mask};"))


@rule(r"barrier\.cluster\.arrive\.")
def arrive_cluster(match, after):
    line = match.string
    yield "deleted", ""
    yield from weakened(line)
    if "barrier.cluster.wait" in after:
        yield "deleted with its wait", ("", "")


@rule(r"barrier\.cluster\.wait\.")
def wait_cluster(match, _):
    yield "deleted", ""


@rule(r"bar\.sync (%?\w+)(?:, (\d+))?;")
def barrier(match, _):
    line = match.string
    yield "deleted", ""
    if not match[4]:
        yield "made bar.arrive", f"{match[1]}bar.arrive {match[3]}, 384;"
        return
    yield "made bar.arrive", line.replace("bar.sync", "bar.arrive")
    yield from named_barrier(match)


@rule(r"bar\.arrive (%?\w+), (\d+);")
def arrive_barrier(match, _):
    yield "deleted", ""
    yield from named_barrier(match)


def named_barrier(match):
    line = match.string
    threads = int(match[4])
    for count in (threads - 32, threads + 32):
        yield (f"count {count} in place of {threads}",
               line.replace(f", {threads};", f", {count};"))
    yield "another barrier", line.replace(f" {match[3]},", " 15,")


@rule(r"bar\.warp\.sync ")
def barrier_warp(match, _):
    yield "deleted", ""


@rule(r"elect\.sync _\|%p")
def elect(match, _):
    yield "all lanes elected", f"{match[1]}setp.eq.u32 %p, 0, 0;"


@rule(r"setmaxnreg\.\w+\.sync\.aligned\.u32 (\d+);")
def registers(match, _):
    yield "deleted", ""
    yield from counts(match, "registers", (-8, 8), least=24)


def mutations(text):
    """Every mistake that the rules know, in the order of the lines."""
    lines = text.split("\n")
    label = ""
    for i, line in enumerate(lines):
        if line.endswith(":"):
            label = line[:-1]
        for pattern, function in RULES:
            match = pattern.match(line)
            if match is None:
                continue
            for what, new in function(match, lines[i + 1]):
                place = [new] if isinstance(new, str) else list(new)
                mutant = lines[:i] + place + lines[i + len(place):]
                yield Mutation(i + 1, label, line.strip().rstrip(";"), what,
                               "\n".join(mutant))
