"""Spellings of instructions, right and wrong, made from templates.

A template is a line of PTX in which `<a|b|>` is one of several texts and

  $T  a register of the type that the words name last
  $U  one of the type before it, or the same if there is one alone
  $V  as many of $T as .v2, .v4 or .v8 says, in braces
  $Nb a vector of N registers of type b, as in $4b32
  $b  a register of type b, as in $b64
  $p  a predicate
"""

import random
import re

TYPES = (
    "b8 b16 b32 b64 b128 u8 u16 u32 u64 s8 s16 s32 s64 f16 f16x2 bf16 bf16x2"
    " f32 f64 tf32 e4m3 e5m2"
).split()
# What registers are declared with, by the types that they hold.
DECLARED = {
    "bf16": "b16", "bf16x2": "b32", "tf32": "b32", "e4m3": "b32",
    "e5m2": "b32", "f16": "b16", "f16x2": "b32",
}
REGISTERS = (
    "b16 b32 b64 b128 u16 u32 u64 s16 s32 s64 f32 f64 f16 f16x2 u8 s8 b8"
).split()


def choose(template, generator):
    """Replaces every `<…>` by one of its alternatives."""
    return re.sub(
        r"<([^<>]*)>", lambda m: generator.choice(m.group(1).split("|")), template
    )


def register(kind, number):
    kind = DECLARED.get(kind, kind)
    return f"%{kind}_{number % 40}"


def fill(line, generator):
    """Replaces the `$…` of a line by operands."""
    head, _, operands = line.partition(" ")
    words = head.split(".")
    types = [word for word in words if word in TYPES] or ["b32"]
    elements = next((int(w[1]) for w in words if w in ("v2", "v4", "v8")), 1)
    count = generator.randrange(8)

    def operand(match):
        nonlocal count
        name = match.group(1)

        def one(kind):
            nonlocal count
            count += 1
            return register(kind, count)

        if name == "T":
            return one(types[-1])
        if name == "U":
            return one(types[-2] if len(types) > 1 else types[-1])
        if name == "p":
            count += 1
            return f"%p_{count % 8}"
        if name == "V" and elements == 1:
            return one(types[-1])
        if name == "V":
            return "{" + ", ".join(one(types[-1]) for _ in range(elements)) + "}"
        vector = re.fullmatch(r"(\d+)([a-z]\w*)", name)
        if vector:
            kinds = [vector.group(2)] * int(vector.group(1))
            return "{" + ", ".join(one(kind) for kind in kinds) + "}"
        return one(name)

    return head + " " + re.sub(r"\$(\w+)", operand, operands)


def splitOperands(text):
    """The operands of an instruction, those in brackets and braces whole."""
    parts, depth, begin = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "[{") - (c in "]}")
        if c == "," and depth == 0:
            parts.append(text[begin:i].strip())
            begin = i + 1
    return parts + [text[begin:].strip()] if text.strip() else []


def spoil(line, vocabulary, generator):
    """Changes a word or an operand; the result may be right or wrong."""
    head, _, text = line.partition(" ")
    opcode, *words = head.split(".")
    operands = splitOperands(text)
    # ptxas does not look at the types of address registers everywhere.
    plain = [i for i, operand in enumerate(operands) if operand[0] != "["]
    vocabulary = [word for word in vocabulary if word not in words]
    way = generator.randrange(7 if vocabulary else 1)
    place = generator.randrange(len(words)) if words else 0
    if way == 0 and words:
        del words[place]
    elif way == 1 and words:
        words[place] = generator.choice(vocabulary)
    elif way == 2:
        words.insert(generator.randrange(len(words) + 1), generator.choice(vocabulary))
    elif way == 3 and len(words) > 1:
        place = generator.randrange(len(words) - 1)
        words[place], words[place + 1] = words[place + 1], words[place]
    elif way == 4 and operands:
        operands.pop()
    elif way == 5 and plain:
        place = generator.choice(plain)
        kind = generator.choice(REGISTERS)
        other = generator.choice(
            [register(kind, 20), "%p_1", "5", "0f3F800000", "_"]
        )
        operands[place] = other
    elif plain:
        place = generator.choice(plain)
        kind = register(generator.choice(REGISTERS), 21)
        operands[place] = re.sub(r"%[a-z]\w*", kind, operands[place], count=1)
    return ".".join([opcode, *words]) + " " + ", ".join(operands)


def spellings(templates, each, seed):
    """Returns `each` spellings of every template, a third of them spoilt."""
    generator = random.Random(seed)
    seen = {}
    for template in templates:
        vocabulary = sorted(set(re.findall(r"[a-zA-Z0-9:_]+", template.split(" ")[0])))
        for i in range(each):
            line = fill(choose(template, generator), generator)
            if i % 3 == 2:
                line = spoil(line, vocabulary, generator)
            seen[line.strip()] = None
    return list(seen)
