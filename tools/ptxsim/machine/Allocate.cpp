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
#include "tools/ptxsim/machine/LiveRanges.h"

#include <algorithm>
#include <map>

using namespace ptxsim;

namespace {
class Allocator {
public:
  Allocator(Draft &draft, Code &code) : draft(draft), code(code) {}
  void run();

private:
  void findBlocks();
  void joinBlocks(const std::vector<uint32_t> &blockOf);
  std::vector<FirstUse> findUses() const;
  void findRanges();
  void pinRanges();
  void findUndefined();
  void scan();
  void rewrite();
  void addOperands(const DraftOp &op);

  /// True if the old value of `reg` remains in some lanes. A temporary is only
  /// read under the guard that wrote it.
  bool isPartial(const DraftOp &op, uint32_t reg) const {
    return op.op.guard >= 0 && reg < code.function->registers.size();
  }

  Draft &draft;
  Code &code;
  std::vector<BasicBlock> blocks;
  std::vector<LiveRange> ranges; ///< Of registers.
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
      blocks.push_back({i, i, {}});
    blockOf[i] = uint32_t(blocks.size() - 1);
    blocks.back().end = i + 1;
  }
  joinBlocks(blockOf);
}

/// Finds the successors of all blocks. Each table of brx gets a block of its own,
/// so that not every brx has all of its edges.
void Allocator::joinBlocks(const std::vector<uint32_t> &blockOf) {
  uint32_t count = uint32_t(blocks.size());
  for (const std::vector<uint32_t> &table : code.tables) {
    blocks.emplace_back();
    for (uint32_t target : table)
      blocks.back().successors.push_back(blockOf[target]);
  }
  for (uint32_t b = 0; b < count; ++b) {
    const DraftOp &last = draft.ops[blocks[b].end - 1];
    if (last.isBranch)
      blocks[b].successors.push_back(blockOf[last.op.immediate]);
    if (!last.endsPath && b + 1 < count)
      blocks[b].successors.push_back(b + 1);
    const ptx::Function &function = *code.function;
    if (last.instruction < function.instructions.size() &&
        function.instructions[last.instruction].opcode == "brx")
      blocks[b].successors.push_back(count + uint32_t(last.op.immediate));
  }
}

/// Finds what each block does first with each of its registers.
std::vector<FirstUse> Allocator::findUses() const {
  std::vector<FirstUse> result;
  std::vector<uint32_t> lastBlock(draft.registers.size(), ~0u);
  for (uint32_t b = 0; b < blocks.size(); ++b)
    for (uint32_t i = blocks[b].begin; i < blocks[b].end; ++i) {
      const DraftOp &op = draft.ops[i];
      auto use = [&](uint32_t reg, bool reads) {
        if (lastBlock[reg] != b)
          result.push_back({reg, b, reads});
        lastBlock[reg] = b;
      };
      for (uint32_t reg : op.sources)
        use(reg, true);
      for (uint32_t reg : op.destinations)
        use(reg, isPartial(op, reg));
    }
  return result;
}

void Allocator::findRanges() {
  ranges.resize(draft.registers.size());
  for (const ptx::Variable &parameter : code.function->parameters)
    if (parameter.registerIndex >= 0)
      ranges[size_t(parameter.registerIndex)].include(0);
  for (uint32_t i = 0; i < draft.ops.size(); ++i) {
    for (uint32_t reg : draft.ops[i].sources)
      ranges[reg].include(i);
    for (uint32_t reg : draft.ops[i].destinations)
      ranges[reg].include(i);
  }
  extendLiveRanges(blocks, findUses(), ranges);
}

/// Keeps the registers of wgmma. Nor do they share a slot with anything before:
/// a write of the slot since the last wgmma.fence is one of the register.
void Allocator::pinRanges() {
  uint32_t lastWait = 0;
  for (uint32_t i = 0; i < draft.ops.size(); ++i)
    if (draft.ops[i].waitsForPinned)
      lastWait = i;
  for (const DraftOp &op : draft.ops) {
    if (!op.pinsRegisters)
      continue;
    for (const std::vector<uint32_t> *list : {&op.sources, &op.destinations})
      for (uint32_t reg : *list) {
        ranges[reg].include(0);
        ranges[reg].include(lastWait);
      }
  }
}

/// Finds what may be read before it is written.
void Allocator::findUndefined() {
  std::vector<bool> isParameter(draft.registers.size(), false);
  for (const ptx::Variable &parameter : code.function->parameters)
    if (parameter.registerIndex >= 0)
      isParameter[size_t(parameter.registerIndex)] = true;
  std::vector<bool> isWritten(draft.registers.size(), false);
  for (const DraftOp &op : draft.ops)
    for (uint32_t reg : op.destinations)
      isWritten[reg] = true;
  for (uint32_t reg = 0; reg < ranges.size(); ++reg)
    if (ranges[reg].atEntry && !isParameter[reg])
      code.undefined.push_back({Slot(reg), draft.registers[reg].bytes,
                                int32_t(reg), false, isWritten[reg]});
}

/// Gives each range the first slot of its width that is free when it begins.
void Allocator::scan() {
  std::vector<uint32_t> order; // Of registers.
  for (uint32_t reg = 0; reg < ranges.size(); ++reg)
    if (ranges[reg].begin <= ranges[reg].end)
      order.push_back(reg);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return ranges[a].begin != ranges[b].begin
               ? ranges[a].begin < ranges[b].begin
               : a < b;
  });
  slotOf.assign(draft.registers.size(), -1);
  std::map<uint32_t, std::vector<Slot>> free; // By width.
  std::multimap<uint32_t, uint32_t> active;   // End of a range: register.
  uint32_t top = 0;
  for (uint32_t reg : order) {
    while (!active.empty() && active.begin()->first < ranges[reg].begin) {
      uint32_t ended = active.begin()->second;
      free[draft.registers[ended].bytes].push_back(slotOf[ended]);
      active.erase(active.begin());
    }
    uint32_t bytes = draft.registers[reg].bytes;
    std::vector<Slot> &candidates = free[bytes];
    if (candidates.empty()) {
      // Predicates come 16 to a line of 64 bytes.
      uint32_t step = bytes == 0 ? 4 : 32 * bytes;
      uint32_t size = (step + 63) / 64 * 64;
      for (uint32_t offset = size; offset >= step; offset -= step)
        candidates.push_back(Slot(top + offset - step));
      top += size;
    }
    slotOf[reg] = candidates.back();
    candidates.pop_back();
    active.emplace(ranges[reg].end, reg);
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
  findRanges();
  pinRanges();
  findUndefined();
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
