// mov, pack and unpack, selp, and the ops that the decoder inserts.
//
// Source: PTX ISA 9.0, sections 9.7.9.4 (mov), 9.7.6.3 (selp).

#include "tools/ptxsim/core/Handlers.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/isa/Lanes.h"

#include <cstring>

using namespace ptxsim;
using namespace ptxsim::isa;

namespace {
/// A register of 128 bits.
struct Wide {
  uint64_t low, high;
};
} // namespace

template <typename T>
static Next move(Warp &warp, const Op &op, LaneMask mask) {
  const T *source = warp.at<T>(op.slots[1]);
  T *target = warp.at<T>(op.slots[0]);
  if (mask == ~LaneMask(0)) {
    std::memmove(target, source, 32 * sizeof(T));
    return Next::Advance;
  }
  forLanes(mask, [&](int lane) { target[lane] = source[lane]; });
  return Next::Advance;
}

static Next movePredicate(Warp &warp, const Op &op, LaneMask mask) {
  warp.setPredicate(op.slots[0], warp.predicate(op.slots[1]), mask);
  return Next::Advance;
}

static Handler moveOfBits(unsigned bits) {
  switch (bits) {
  case 1:
    return movePredicate;
  case 8:
    return move<uint8_t>;
  case 16:
    return move<uint16_t>;
  case 32:
    return move<uint32_t>;
  case 64:
    return move<uint64_t>;
  case 128:
    return move<Wide>;
  }
  return nullptr;
}

static Handler selectMove(const Match &match, Op &) {
  return moveOfBits(ptx::bitsOf(match.type()));
}

/// slots: op.count destinations, as many sources, which may be among them.
template <typename T>
static Next moveVector(Warp &warp, const Op &op, LaneMask mask) {
  alignas(64) T values[4][32];
  for (unsigned i = 0; i < op.count; ++i)
    std::memcpy(values[i], warp.at<T>(op.slots[op.count + i]), sizeof(values[i]));
  for (unsigned i = 0; i < op.count; ++i)
    writeLanes(warp.at<T>(op.slots[i]), values[i], mask);
  return Next::Advance;
}

static Handler selectVector(const Match &match, Op &) {
  switch (ptx::bitsOf(match.type())) {
  case 16:
    return moveVector<uint16_t>;
  case 32:
    return moveVector<uint32_t>;
  }
  return moveVector<uint64_t>;
}

/// d = {a, b, …}: the first is the lowest.
template <typename Part, unsigned Count>
static Next pack(Warp &warp, const Op &op, LaneMask mask) {
  uint8_t *target = warp.at<uint8_t>(op.slots[0]);
  Part values[32][Count];
  for (unsigned i = 0; i < Count; ++i)
    for (int lane = 0; lane < 32; ++lane)
      values[lane][i] = warp.at<Part>(op.slots[1 + i])[lane];
  forLanes(mask, [&](int lane) {
    std::memcpy(target + size_t(lane) * sizeof(values[0]), values[lane],
                sizeof(values[0]));
  });
  return Next::Advance;
}

/// {a, b, …} = d
template <typename Part, unsigned Count>
static Next unpack(Warp &warp, const Op &op, LaneMask mask) {
  Part values[32][Count];
  std::memcpy(values, warp.at<uint8_t>(op.slots[Count]), sizeof(values));
  for (unsigned i = 0; i < Count; ++i) {
    Part *target = warp.at<Part>(op.slots[i]);
    forLanes(mask, [&](int lane) { target[lane] = values[lane][i]; });
  }
  return Next::Advance;
}

template <typename Part, unsigned Count>
static Handler selectPack(const Match &, Op &) {
  return pack<Part, Count>;
}
template <typename Part, unsigned Count>
static Handler selectUnpack(const Match &, Op &) {
  return unpack<Part, Count>;
}

/// d = c ? a : b
template <typename T>
static Next choose(Warp &warp, const Op &op, LaneMask mask) {
  const T *a = warp.at<T>(op.slots[1]);
  const T *b = warp.at<T>(op.slots[2]);
  LaneMask condition = warp.predicate(op.slots[3]);
  alignas(64) T values[32];
#pragma clang loop vectorize_width(32) unroll(disable)
  for (int lane = 0; lane < 32; ++lane)
    values[lane] = condition >> lane & 1 ? a[lane] : b[lane];
  writeLanes(warp.at<T>(op.slots[0]), values, mask);
  return Next::Advance;
}

static Handler selectChoose(const Match &match, Op &) {
  switch (ptx::bitsOf(match.type())) {
  case 16:
    return choose<uint16_t>;
  case 32:
    return choose<uint32_t>;
  case 64:
    return choose<uint64_t>;
  }
  return nullptr;
}

template <typename From, typename To>
static Next resizeLanes(Warp &warp, const Op &op, LaneMask mask) {
  const From *source = warp.at<From>(op.slots[1]);
  alignas(64) To values[32];
#pragma clang loop vectorize_width(32) unroll(disable)
  for (int lane = 0; lane < 32; ++lane)
    values[lane] = To(source[lane]);
  writeLanes(warp.at<To>(op.slots[0]), values, mask);
  return Next::Advance;
}

template <typename From> static Handler resizeFrom(unsigned toBytes) {
  switch (toBytes) {
  case 1:
    return resizeLanes<From, uint8_t>;
  case 2:
    return resizeLanes<From, uint16_t>;
  case 4:
    return resizeLanes<From, uint32_t>;
  }
  return resizeLanes<From, uint64_t>;
}

Handler isa::resize(unsigned fromBytes, unsigned toBytes, bool isSigned) {
  switch (fromBytes) {
  case 1:
    return isSigned ? resizeFrom<int8_t>(toBytes) : resizeFrom<uint8_t>(toBytes);
  case 2:
    return isSigned ? resizeFrom<int16_t>(toBytes)
                    : resizeFrom<uint16_t>(toBytes);
  case 4:
    return isSigned ? resizeFrom<int32_t>(toBytes)
                    : resizeFrom<uint32_t>(toBytes);
  }
  return isSigned ? resizeFrom<int64_t>(toBytes) : resizeFrom<uint64_t>(toBytes);
}

static Next invertPredicate(Warp &warp, const Op &op, LaneMask mask) {
  warp.setPredicate(op.slots[0], ~warp.predicate(op.slots[1]), mask);
  return Next::Advance;
}

Handler isa::notPredicate() { return invertPredicate; }

template <typename From, typename To>
static Next computeAddress(Warp &warp, const Op &op, LaneMask mask) {
  uint64_t offset = op.immediate;
  if (op.flags & opFrameLocal)
    offset += warp.now.local;
  const From *base = warp.at<From>(op.slots[1]);
  alignas(64) To values[32];
#pragma clang loop vectorize_width(32) unroll(disable)
  for (int lane = 0; lane < 32; ++lane)
    values[lane] = To(base[lane] + offset);
  writeLanes(warp.at<To>(op.slots[0]), values, mask);
  return Next::Advance;
}

Handler isa::effectiveAddress(unsigned fromBytes, unsigned toBytes) {
  if (fromBytes == 8)
    return toBytes == 8 ? computeAddress<uint64_t, uint64_t>
                        : computeAddress<uint64_t, uint32_t>;
  return toBytes == 8 ? computeAddress<uint32_t, uint64_t>
                      : computeAddress<uint32_t, uint32_t>;
}

static const Form forms[] = {
    {"mov.(pred|b16|b32|b64|b128|u16|u32|u64|s16|s32|s64|f32|f64)",
     "=T T", selectMove, OpClass::Move, 0, Transfer::Move},
    {"mov.(v2|v4).(b16|b32|u16|u32|s16|s32|f32)", "=*T @T", selectVector,
     OpClass::Move, 0, Transfer::Move},
    {"mov.v2.(b64|u64|s64|f64)", "=*T @T", selectVector, OpClass::Move, 0,
     Transfer::Move},
    {"mov.b16", "=T 2b8", selectPack<uint8_t, 2>, OpClass::Move, 0, Transfer::Move},
    {"mov.b32", "=T 2b16", selectPack<uint16_t, 2>, OpClass::Move, 0,
     Transfer::Move},
    {"mov.b32", "=T 4b8", selectPack<uint8_t, 4>, OpClass::Move, 0,
     Transfer::Move},
    {"mov.b64", "=T 2b32", selectPack<uint32_t, 2>, OpClass::Move, 0,
     Transfer::Move},
    {"mov.b64", "=T 4b16", selectPack<uint16_t, 4>, OpClass::Move, 0,
     Transfer::Move},
    {"mov.b128", "=T 2b64", selectPack<uint64_t, 2>, OpClass::Move, 0,
     Transfer::Move},
    {"mov.b16", "=2b8 T", selectUnpack<uint8_t, 2>, OpClass::Move, 0,
     Transfer::Move},
    {"mov.b32", "=2b16 T", selectUnpack<uint16_t, 2>, OpClass::Move,
     0, Transfer::Move},
    {"mov.b32", "=4b8 T", selectUnpack<uint8_t, 4>, OpClass::Move, 0,
     Transfer::Move},
    {"mov.b64", "=2b32 T", selectUnpack<uint32_t, 2>, OpClass::Move,
     0, Transfer::Move},
    {"mov.b64", "=4b16 T", selectUnpack<uint16_t, 4>, OpClass::Move,
     0, Transfer::Move},
    {"mov.b128", "=2b64 T", selectUnpack<uint64_t, 2>, OpClass::Move, 0,
     Transfer::Move},
    {"selp.(b16|b32|b64|u16|u32|u64|s16|s32|s64|f32|f64)", "=T T T p",
     selectChoose, OpClass::Move, 0, Transfer::Move},
};

Family isa::moveFamily() { return {forms, std::size(forms)}; }
