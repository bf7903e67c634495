// Addresses and faults, as handlers see them.

#include "tools/ptxsim/core/Block.h"

#include "tools/ptxsim/core/Warpgroups.h"

#include <algorithm>

using namespace ptxsim;

const char *ptxsim::nameOf(OpClass opClass) {
  static const char *const names[opClasses] = {
      "move",       "integer",    "float",  "double",     "half",
      "convert",    "special",    "predicate", "control", "load",
      "store",      "atomic",     "async copy", "collective", "barrier",
      "matrix",     "warpgroup",  "other"};
  return names[unsigned(opClass)];
}

Worker::Worker(Memory &memory) : memory(memory) {}
Worker::~Worker() = default;

WarpgroupMultiplier &Worker::multiplier() {
  if (products == nullptr)
    products = std::make_unique<WarpgroupMultiplier>();
  return *products;
}

const Range *Worker::findRangeSlowly(uint64_t address, uint64_t bytes) {
  if (generation != memory.generation()) {
    generation = memory.generation();
    std::fill(std::begin(ranges), std::end(ranges), Range());
  }
  Allocation allocation;
  if (!memory.find(address, allocation))
    return nullptr;
  MemoryKind kind = allocation.kind;
  Range range{allocation.address, allocation.address + allocation.bytes,
              kind != MemoryKind::Constant, isOfHost(kind)};
  if (bytes > range.end - address)
    return nullptr;
  Range &entry = ranges[(address >> 12) % rangeEntries];
  entry = range;
  return &entry;
}

/// "gemm.cu:42" of an instruction, or nothing.
static std::string sourceOf(const ptx::Module &module,
                            const ptx::Instruction &instruction) {
  for (const ptx::SourceFile &file : module.files)
    if (file.number == instruction.sourceFile && instruction.sourceLine != 0)
      return std::string(file.path) + ":" +
             std::to_string(instruction.sourceLine);
  return "";
}

Place Worker::placeOf(const Warp &warp, const Op &op, int lane) {
  Place place;
  const Block &block = *warp.block;
  const GridRun &grid = *block.cluster->grid;
  place.kernel = grid.kernelName;
  place.module = grid.module->name;
  place.block = block.index;
  place.warp = int32_t(warp.index);
  place.lane = lane;
  if (lane >= 0) {
    uint32_t linear = warp.index * 32 + uint32_t(lane);
    const std::array<uint32_t, 3> &size = grid.launch.block;
    place.thread = {linear % size[0], linear / size[0] % size[1],
                    linear / size[0] / size[1]};
  }
  const Code *code = warp.now.code;
  const Op *at = &op;
  if (code != nullptr && !code->function->isDefined && !warp.now.calls.empty()) {
    // printf and the like have no text; what calls them has.
    code = warp.now.calls.back().code;
    at = warp.now.calls.back().op;
  }
  const Op *first = code == nullptr ? nullptr : code->ops.data();
  if (first == nullptr || at < first || at >= first + code->ops.size())
    return place;
  uint32_t index = code->infos[size_t(at - first)].instruction;
  if (index >= code->function->instructions.size()) {
    place.text = "the end of the function";
    return place;
  }
  const ptx::Instruction &instruction = code->function->instructions[index];
  place.line = instruction.location.line;
  place.text = ptx::onOneLine(instruction);
  place.source = sourceOf(*grid.module, instruction);
  return place;
}

Next Worker::stop(Warp &warp, const Op &op, Fault why, int lane) {
  if (fault != nullptr)
    return Next::Stop;
  why.place = placeOf(warp, op, lane);
  fault = std::make_unique<Fault>(std::move(why));
  return Next::Stop;
}

bool Worker::stopAt(const Origin &origin, Fault why) {
  Warp view;
  view.block = const_cast<Block *>(origin.block);
  view.index = origin.warp;
  view.now.code = origin.code;
  stop(view, *origin.op, std::move(why), origin.lane);
  return false;
}
