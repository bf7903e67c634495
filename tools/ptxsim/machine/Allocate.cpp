// Allocates virtual registers to slots of a frame.
//
// PTX names a new register for nearly every value: thousands in a kernel of which
// some hundred live at once. Sharing their slots keeps a warp's frame in the L1
// cache. We compute which registers are live between basic blocks, take for each
// the interval from its first to its last occurrence in the text, and scan the
// intervals in order (linear scan, Poletto and Sarkar 1999). Slots are shared only
// between registers of one width.
//
// Two cases need care. A write under a guard leaves the other lanes as they were,
// so it does not end the old value. And a wgmma uses its registers until it is
// waited for: they stay in use until the last wait of the function.

#include "tools/ptxsim/machine/Draft.h"

#include <algorithm>
#include <map>

using namespace ptxsim;

namespace {
using BitSet = std::vector<uint64_t>;

struct BasicBlock {
  uint32_t begin = 0, end = 0; ///< Ops.
  std::vector<uint32_t> successors;
  BitSet used, defined; ///< Before any definition; without a guard.
  BitSet liveIn, liveOut;
};

struct Interval {
  uint32_t reg = 0;
  uint32_t begin = ~0u, end = 0; ///< First and last op; unused if begin > end.
};

class Allocator {
public:
  Allocator(Draft &draft, Code &code) : draft(draft), code(code) {}
  void run();

private:
  void findBlocks();
  void numberGlobals();
  void findUses();
  void solve();
  void findIntervals();
  void scan();
  void rewrite();
  void addOperands(const DraftOp &op);

  /// True if the old value of `reg` remains in some lanes. A temporary is only
  /// read under the guard that wrote it.
  bool isPartial(const DraftOp &op, uint32_t reg) const {
    return op.op.guard >= 0 && reg < code.function->registers.size();
  }
  static bool test(const BitSet &set, uint32_t bit) {
    return set[bit / 64] >> (bit % 64) & 1;
  }
  static void set(BitSet &set, uint32_t bit) {
    set[bit / 64] |= uint64_t(1) << (bit % 64);
  }

  Draft &draft;
  Code &code;
  std::vector<BasicBlock> blocks;
  std::vector<int32_t> globalOf; ///< Of a register: its bit, or -1.
  std::vector<uint32_t> globals;
  std::vector<Interval> intervals;
  std::vector<Slot> slotOf;
};
} // namespace

/// Cuts the ops at branches and at their targets.
void Allocator::findBlocks() {
  uint32_t count = uint32_t(draft.ops.size());
  std::vector<bool> leaders(count + 1, false);
  leaders[0] = true;
  for (uint32_t i = 0; i < count; ++i) {
    const DraftOp &op = draft.ops[i];
    if (op.isBranch)
      leaders[op.op.immediate] = true;
    if (op.isBranch || op.endsPath)
      leaders[i + 1] = true;
  }
  for (const std::vector<uint32_t> &table : code.tables)
    for (uint32_t target : table)
      leaders[target] = true;
  std::vector<uint32_t> blockOf(count);
  for (uint32_t i = 0; i < count; ++i) {
    if (leaders[i])
      blocks.push_back({i, i, {}, {}, {}, {}, {}});
    blockOf[i] = uint32_t(blocks.size() - 1);
    blocks.back().end = i + 1;
  }
  for (uint32_t b = 0; b < blocks.size(); ++b) {
    const DraftOp &last = draft.ops[blocks[b].end - 1];
    if (last.isBranch)
      blocks[b].successors.push_back(blockOf[last.op.immediate]);
    if (!last.endsPath && b + 1 < blocks.size())
      blocks[b].successors.push_back(b + 1);
    const ptx::Function &function = *code.function;
    if (last.instruction < function.instructions.size() &&
        function.instructions[last.instruction].opcode == "brx")
      for (uint32_t target : code.tables[last.op.immediate])
        blocks[b].successors.push_back(blockOf[target]);
  }
}

/// Gives a bit to each register that occurs in more than one block or may be
/// read before it is written in its only one.
void Allocator::numberGlobals() {
  std::vector<int32_t> home(draft.registers.size(), -1);
  std::vector<bool> global(draft.registers.size(), false);
  std::vector<bool> written(draft.registers.size(), false);
  for (uint32_t b = 0; b < blocks.size(); ++b) {
    auto occurs = [&](uint32_t reg) {
      if (home[reg] >= 0 && home[reg] != int32_t(b))
        global[reg] = true;
      home[reg] = int32_t(b);
    };
    for (uint32_t i = blocks[b].begin; i < blocks[b].end; ++i) {
      const DraftOp &op = draft.ops[i];
      for (uint32_t reg : op.sources) {
        occurs(reg);
        global[reg] = global[reg] || !written[reg];
      }
      for (uint32_t reg : op.destinations) {
        occurs(reg);
        written[reg] = written[reg] || !isPartial(op, reg);
        global[reg] = global[reg] || !written[reg];
      }
    }
  }
  globalOf.assign(draft.registers.size(), -1);
  for (uint32_t reg = 0; reg < global.size(); ++reg) {
    if (!global[reg])
      continue;
    globalOf[reg] = int32_t(globals.size());
    globals.push_back(reg);
  }
}

void Allocator::findUses() {
  size_t words = globals.size() / 64 + 1;
  for (BasicBlock &block : blocks) {
    block.used.assign(words, 0);
    block.defined.assign(words, 0);
    block.liveIn.assign(words, 0);
    block.liveOut.assign(words, 0);
    for (uint32_t i = block.begin; i < block.end; ++i) {
      const DraftOp &op = draft.ops[i];
      auto use = [&](uint32_t reg) {
        int32_t bit = globalOf[reg];
        if (bit >= 0 && !test(block.defined, uint32_t(bit)))
          set(block.used, uint32_t(bit));
      };
      for (uint32_t reg : op.sources)
        use(reg);
      for (uint32_t reg : op.destinations) {
        if (isPartial(op, reg))
          use(reg);
        else if (globalOf[reg] >= 0)
          set(block.defined, uint32_t(globalOf[reg]));
      }
    }
  }
}

/// Solves the equations of liveness, backwards until nothing changes.
void Allocator::solve() {
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t b = blocks.size(); b-- > 0;) {
      BasicBlock &block = blocks[b];
      for (uint32_t successor : block.successors)
        for (size_t w = 0; w < block.liveOut.size(); ++w)
          block.liveOut[w] |= blocks[successor].liveIn[w];
      for (size_t w = 0; w < block.liveIn.size(); ++w) {
        uint64_t live =
            block.used[w] | (block.liveOut[w] & ~block.defined[w]);
        changed |= live != block.liveIn[w];
        block.liveIn[w] = live;
      }
    }
  }
}

void Allocator::findIntervals() {
  intervals.resize(draft.registers.size());
  for (uint32_t reg = 0; reg < intervals.size(); ++reg)
    intervals[reg].reg = reg;
  auto extend = [&](uint32_t reg, uint32_t op) {
    intervals[reg].begin = std::min(intervals[reg].begin, op);
    intervals[reg].end = std::max(intervals[reg].end, op);
  };
  std::vector<bool> isParameter(draft.registers.size(), false);
  for (const ptx::Variable &parameter : code.function->parameters) {
    if (parameter.registerIndex < 0)
      continue;
    extend(uint32_t(parameter.registerIndex), 0);
    isParameter[size_t(parameter.registerIndex)] = true;
  }
  std::vector<uint32_t> pinned;
  uint32_t lastWait = 0;
  for (const BasicBlock &block : blocks) {
    for (uint32_t bit = 0; bit < globals.size(); ++bit) {
      if (test(block.liveIn, bit))
        extend(globals[bit], block.begin);
      if (test(block.liveOut, bit))
        extend(globals[bit], block.end - 1);
    }
    for (uint32_t i = block.begin; i < block.end; ++i) {
      const DraftOp &op = draft.ops[i];
      for (uint32_t reg : op.sources)
        extend(reg, i);
      for (uint32_t reg : op.destinations)
        extend(reg, i);
      if (op.waitsForPinned)
        lastWait = i;
      if (op.pinsRegisters) {
        pinned.insert(pinned.end(), op.sources.begin(), op.sources.end());
        pinned.insert(pinned.end(), op.destinations.begin(),
                      op.destinations.end());
      }
    }
  }
  // Nor do they share a slot with anything before: a write of the slot since the
  // last wgmma.fence is one of the register.
  for (uint32_t reg : pinned) {
    extend(reg, 0);
    extend(reg, std::max(lastWait, intervals[reg].end));
  }
  std::vector<bool> isWritten(draft.registers.size(), false);
  for (const DraftOp &op : draft.ops)
    for (uint32_t reg : op.destinations)
      isWritten[reg] = true;
  for (uint32_t bit = 0; bit < globals.size(); ++bit) {
    uint32_t reg = globals[bit];
    if (test(blocks[0].liveIn, bit) && !isParameter[reg])
      code.undefined.push_back({Slot(reg), draft.registers[reg].bytes,
                                int32_t(reg), false, isWritten[reg]});
  }
}

/// Gives each interval the first slot of its width that is free when it begins.
void Allocator::scan() {
  std::vector<const Interval *> order;
  for (const Interval &interval : intervals)
    if (interval.begin <= interval.end)
      order.push_back(&interval);
  std::sort(order.begin(), order.end(),
                   [](const Interval *a, const Interval *b) {
                     return a->begin != b->begin ? a->begin < b->begin
                                                : a->reg < b->reg;
                   });
  slotOf.assign(draft.registers.size(), -1);
  std::map<uint32_t, std::vector<Slot>> free; // By width.
  std::multimap<uint32_t, uint32_t> active;   // End of an interval: register.
  uint32_t top = 0;
  for (const Interval *interval : order) {
    while (!active.empty() && active.begin()->first < interval->begin) {
      uint32_t reg = active.begin()->second;
      free[draft.registers[reg].bytes].push_back(slotOf[reg]);
      active.erase(active.begin());
    }
    uint32_t bytes = draft.registers[interval->reg].bytes;
    std::vector<Slot> &candidates = free[bytes];
    if (candidates.empty()) {
      // Predicates come 16 to a line of 64 bytes.
      uint32_t step = bytes == 0 ? 4 : 32 * bytes;
      uint32_t size = (step + 63) / 64 * 64;
      for (uint32_t offset = size; offset >= step; offset -= step)
        candidates.push_back(Slot(top + offset - step));
      top += size;
    }
    slotOf[interval->reg] = candidates.back();
    candidates.pop_back();
    active.emplace(interval->end, interval->reg);
  }
  code.frameBytes = (top + 63) / 64 * 64;
}

/// True if the source `index` of `op` must be defined. The guard, which is the
/// last source of an op that has one, is looked at apart.
static bool mustBeDefined(const DraftOp &op, uint32_t index, uint32_t bytes) {
  size_t sources = op.sources.size() - (op.op.guard != -1);
  if (index >= sources)
    return false;
  bool isAddress = std::find(op.addresses.begin(), op.addresses.end(), index) !=
                   op.addresses.end();
  switch (op.transfer.mustBeDefined) {
  case MustBeDefined::None:
    return false;
  case MustBeDefined::Addresses:
    return isAddress;
  case MustBeDefined::All:
    return true;
  case MustBeDefined::First:
    return index == 0;
  case MustBeDefined::Last:
    return op.lastIsRegister && index + 1 == sources;
  case MustBeDefined::Wide:
    return isAddress || bytes == 8 || bytes == 0;
  }
  return false;
}

/// Adds what the checks know of an op.
void Allocator::addOperands(const DraftOp &op) {
  OpInfo info;
  info.instruction = op.instruction;
  info.firstSource = uint32_t(code.operands.size());
  info.sources = uint8_t(std::min<size_t>(op.sources.size(), 255));
  info.destinations = uint8_t(std::min<size_t>(op.destinations.size(), 255));
  info.transfer = uint8_t(op.transfer.rule);
  info.detail = op.transfer.detail;
  if (op.transfer.rule == TransferRule::Carry)
    info.lines = ~uint64_t(0);
  auto add = [&](uint32_t reg) {
    const VirtualRegister &known = draft.registers[reg];
    code.operands.push_back({slotOf[reg], known.bytes, known.named});
    uint32_t size = known.bytes == 0 ? 4 : 32 * known.bytes;
    uint32_t first = uint32_t(slotOf[reg]);
    for (uint32_t line = first / 64; line <= (first + size - 1) / 64; ++line)
      info.lines |= uint64_t(1) << (line % 64);
  };
  for (uint32_t i = 0; i < info.sources; ++i) {
    add(op.sources[i]);
    RegisterOperand &operand = code.operands.back();
    operand.mustBeDefined = mustBeDefined(op, i, operand.bytes);
  }
  for (uint32_t i = 0; i < info.destinations; ++i)
    add(op.destinations[i]);
  code.infos.push_back(info);
}

/// Replaces registers by slots.
void Allocator::rewrite() {
  auto map = [&](Slot &slot) {
    if (slot >= 0)
      slot = slotOf[size_t(slot)];
  };
  for (RegisterOperand &operand : code.undefined)
    map(operand.slot);
  // Lists begin at 1; each belongs to one op, in order.
  std::vector<uint32_t> starts;
  for (const DraftOp &op : draft.ops)
    if (op.op.list != 0)
      starts.push_back(op.op.list);
  starts.push_back(uint32_t(code.lists.size()));
  size_t nextList = 0;
  for (DraftOp &draftOp : draft.ops) {
    Op &op = draftOp.op;
    map(op.guard);
    if (op.list == 0) {
      for (Slot &slot : op.slots)
        map(slot);
    } else {
      uint32_t begin = starts[nextList], end = starts[++nextList];
      if (draftOp.isCall) {
        map(code.lists[begin + 1]);
        for (uint32_t i = begin + 4; i + 2 < begin + op.immediate; i += 3)
          if (code.lists[i] == 1)
            map(code.lists[i + 1]);
      } else {
        for (uint32_t i = begin; i < end; ++i)
          map(code.lists[i]);
      }
    }
    addOperands(draftOp);
    code.ops.push_back(op);
  }
}

void Allocator::run() {
  findBlocks();
  numberGlobals();
  findUses();
  solve();
  findIntervals();
  scan();
  for (const ptx::Variable &parameter : code.function->parameters)
    code.parameterSlots.push_back(
        parameter.registerIndex < 0 ? -1 : slotOf[parameter.registerIndex]);
  for (const ptx::Variable &result : code.function->results)
    code.resultSlots.push_back(
        result.registerIndex < 0 ? -1 : slotOf[result.registerIndex]);
  rewrite();
}

void ptxsim::allocateRegisters(Draft &draft, Code &code) {
  Allocator(draft, code).run();
}
