// Changing tensor maps, and their fences.
//
// Source: PTX ISA 9.0, sections 9.7.9.26 (tensormap.replace), 9.7.13.5 and
// 9.7.13.17 (fences of maps).

#include "tools/ptxsim/core/Observe.h"
#include "tools/ptxsim/isa/BulkOperation.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/isa/Lanes.h"

#include <cstring>

using namespace ptxsim;
using namespace ptxsim::isa;
using ptx::Space;

// Op::modifiers of tensormap.replace: the field, and these.
static constexpr uint32_t hasOrdinal = 256;
static constexpr uint32_t isWide = 512;
static constexpr uint32_t spaceShift = 12;

/// slots: map [, ordinal], value
static bool replace(Warp &warp, const Op &op, int lane) {
  uint64_t address = addressOfLane(warp, op, op.slots[0], lane);
  uint8_t *map = resolveRange(warp, op, lane, Space(op.modifiers >> spaceShift),
                              AccessKind::Write, address, tensorMapBytes, 64);
  if (map == nullptr)
    return false;
  uint32_t ordinal = 0;
  int next = 1;
  if (op.modifiers & hasOrdinal)
    ordinal = *warp.at<uint32_t>(op.slots[next++]);
  uint64_t value = op.modifiers & isWide
                       ? warp.at<uint64_t>(op.slots[next])[lane]
                       : warp.at<uint32_t>(op.slots[next])[lane];
  if (warp.worker->observes && !observeTensorMapChange(warp, op, lane, map))
    return false;
  std::string message =
      replaceField(map, TensorMapField(op.modifiers & 0xff), ordinal, value);
  return message.empty() || failTensorMap(warp, op, lane, message);
}

static Handler selectReplace(const Match &match, Op &op) {
  static constexpr std::pair<std::string_view, TensorMapField> fields[] = {
      {"global_address", TensorMapField::GlobalAddress},
      {"rank", TensorMapField::Rank},
      {"box_dim", TensorMapField::BoxDim},
      {"global_dim", TensorMapField::GlobalDim},
      {"global_stride", TensorMapField::GlobalStride},
      {"element_stride", TensorMapField::ElementStride},
      {"elemtype", TensorMapField::ElementType},
      {"interleave_layout", TensorMapField::InterleaveLayout},
      {"swizzle_mode", TensorMapField::SwizzleMode},
      {"fill_mode", TensorMapField::FillMode}};
  op.modifiers = uint32_t(match.space) << spaceShift;
  for (auto [name, field] : fields)
    if (match.has(name))
      op.modifiers |= uint32_t(field);
  uint64_t values = match.has("elemtype")            ? 13
                    : match.has("interleave_layout") ? 3
                    : match.has("swizzle_mode")      ? 4
                    : match.has("fill_mode")         ? 2
                                                     : 0;
  if (values != 0 && match.operand(1).bits >= values)
    return match.refuse("a value below " + std::to_string(values));
  if (match.instruction->operandCount == 3)
    op.modifiers |= hasOrdinal;
  if (match.type() == ptx::Type::B64)
    op.modifiers |= isWide;
  return eachLane<replace>;
}

/// slots: target, source: copies 128 bytes as a warp and releases them.
static Next copyMap(Warp &warp, const Op &op, LaneMask mask) {
  int lane = __builtin_ctz(mask);
  SharedPlace source;
  if (!findShared(warp, op, lane, warp.at<uint64_t>(op.slots[1])[lane],
                  tensorMapBytes, 128, AccessKind::Read, source))
    return Next::Stop;
  uint64_t address = addressOfLane(warp, op, op.slots[0], lane);
  uint8_t *target = resolveRange(warp, op, lane, Space::Global, AccessKind::Write,
                                 address, tensorMapBytes, 128);
  if (target == nullptr)
    return Next::Stop;
  ++warp.block->cluster->changes;
  if (warp.worker->observes) {
    if (!observeTensorMapCopy(warp, op, lane, target,
                              source.block->shared + source.offset))
      return Next::Stop;
    observeFence(warp, mask, FenceKind::Device);
  }
  std::memcpy(target, source.block->shared + source.offset, tensorMapBytes);
  return Next::Advance;
}

static Handler selectCopyMap(const Match &match, Op &) {
  return match.operand(2).bits == tensorMapBytes ? copyMap
                                                 : match.refuse("128 bytes");
}

/// fence.proxy.tensormap::generic.acquire: the maps at the addresses are read
/// anew. Warps of CUTLASS that issue no copies acquire null maps.
static Next acquireMaps(Warp &warp, const Op &op, LaneMask mask) {
  if (warp.worker->observes)
    observeFence(warp, mask, FenceKind::Device);
  uint64_t last = 0;
  for (; mask != 0; mask &= mask - 1) {
    int lane = __builtin_ctz(mask);
    uint64_t address = addressOfLane(warp, op, op.slots[0], lane);
    if (address == 0 || address == last)
      continue;
    last = address;
    uint8_t *map = resolveRange(warp, op, lane, Space::Generic,
                                AccessKind::Read, address, tensorMapBytes, 1);
    if (map == nullptr)
      return Next::Stop;
    if (warp.worker->observes)
      observeTensorMapAcquire(warp, op, map);
  }
  return Next::Advance;
}

static Handler selectAcquire(const Match &match, Op &) {
  return match.operand(1).bits == tensorMapBytes ? acquireMaps
                                                 : match.refuse("128 bytes");
}

static constexpr OpClass kind = OpClass::AsyncCopy;
static constexpr Transfer own = Transfer::Own;

#define PTXSIM_MAP_SPACE "?.(global|shared::cta).b1024"

static const Form forms[] = {
    {"tensormap.replace.tile .global_address" PTXSIM_MAP_SPACE ".b64", "[a] b64",
     selectReplace, kind, 0, own},
    {"tensormap.replace.tile .rank" PTXSIM_MAP_SPACE ".b32", "[a] b32",
     selectReplace, kind, 0, own},
    {"tensormap.replace.tile .(box_dim|global_dim|element_stride)" PTXSIM_MAP_SPACE
     ".b32",
     "[a] # b32", selectReplace, kind, 0, own},
    {"tensormap.replace.tile .global_stride" PTXSIM_MAP_SPACE ".b64", "[a] # b64",
     selectReplace, kind, 0, own},
    {"tensormap.replace.tile .(elemtype|interleave_layout|swizzle_mode|"
     "fill_mode)" PTXSIM_MAP_SPACE ".b32",
     "[a] #", selectReplace, kind, 0, own},
    {"tensormap.cp_fenceproxy .global.shared::cta.tensormap::generic.release."
     "(cta|cluster|gpu|sys).sync.aligned",
     "[a] [a] #", selectCopyMap, kind, opAligned, own},
    {"fence.proxy .tensormap::generic.acquire.(cta|cluster|gpu|sys)", "[a] #",
     selectAcquire, OpClass::Barrier, 0, own},
};

Family isa::tensorMapFamily() { return {forms, std::size(forms)}; }
