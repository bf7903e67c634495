// Undefined elements of the matrices of wgmma; see UndefinedMatrices.cpp for how.

#include "tools/ptxsim/checks/Undefined.h"
#include "tools/ptxsim/checks/UndefinedMatrices.h"
#include "tools/ptxsim/core/Warpgroups.h"
#include "tools/ptxsim/machine/WrittenBits.h"

using namespace ptxsim;

namespace {
/// One wgmma on marks instead of values.
class WarpgroupMarks {
public:
  WarpgroupMarks(Block &block, uint32_t firstWarp,
                 const WarpgroupInstruction &instruction,
                 const WarpgroupStep &step)
      : block(block), firstWarp(firstWarp), instruction(instruction), step(step),
        shape(instruction.shape), registers(shape.registersOfD()),
        isFloat(shape.d != WarpgroupSum::S32) {}

  void run(WarpgroupMultiplier &multiplier);

private:
  bool anyUndefined();
  bool isSharedUndefined();
  void setAllDefined();
  /// Executes the product on marks of A and of B, or on ones in their place.
  void multiplyMarks(WarpgroupMultiplier &multiplier, bool aOnes, bool bOnes,
                     std::vector<LaneBytes> &d);
  void fillMatrix(uint8_t *shared, const MatrixDescriptor &descriptor,
                  bool isMNMajor, uint32_t mn, uint32_t k, uint32_t bits,
                  bool ones) const;
  void fillChunk(uint8_t *shared, uint32_t address, uint32_t elementBytes,
                 bool ones) const;
  void markPlane(uint32_t w, Slot slot, uint32_t elementBytes, bool ones,
                 LaneBytes &plane) const;
  void writeMarks(const LaneBytes &first, const LaneBytes &second, uint32_t w,
                  Slot slot) const;

  const Slot *slots() const {
    return instruction.op->list == 0
               ? instruction.op->slots
               : instruction.code->lists.data() + instruction.op->list;
  }
  WarpChecks &checks(uint32_t w) const { return *block.warps[firstWarp + w].checks; }
  uint64_t offsetOf(uint32_t w, Slot slot) const {
    return instruction.frame[w] + uint64_t(slot);
  }
  uint8_t mark() const { return isFloat ? 0xff : 0x11; }

  Block &block;
  uint32_t firstWarp;
  const WarpgroupInstruction &instruction;
  const WarpgroupStep &step;
  const WarpgroupShape &shape;
  uint32_t registers;
  bool isFloat;
  UndefinedOrigin origin;
};
} // namespace

bool WarpgroupMarks::isSharedUndefined() {
  const uint8_t *written = block.sharedWritten.data();
  bool any = false;
  forEachChunk(shape, step, [&](uint32_t address) {
    if (any || areBitsSet(written, address, 16))
      return;
    any = true;
    origin.kind = UndefinedOrigin::Kind::Memory;
    origin.space = ptx::Space::Shared;
    origin.code = instruction.code;
    origin.op = instruction.op;
    origin.address = address;
  });
  return any;
}

bool WarpgroupMarks::anyUndefined() {
  if (isSharedUndefined())
    return true;
  uint32_t first = step.scaleD ? 0 : registers;
  uint32_t last = registers + (step.isAInRegisters ? 4 : 0);
  for (uint32_t w = 0; w < 4; ++w) {
    if (checks(w).isClean())
      continue;
    for (uint32_t i = first; i < last; ++i) {
      Slot slot = slots()[i];
      if (slot < 0 || !mayBeUndefined(checks(w), offsetOf(w, slot), 4))
        continue;
      auto found = checks(w).origins.find(offsetOf(w, slot));
      if (found != checks(w).origins.end())
        origin = found->second;
      return true;
    }
  }
  return false;
}

void WarpgroupMarks::setAllDefined() {
  LaneBytes none;
  for (uint32_t w = 0; w < 4; ++w)
    for (uint32_t i = 0; i < registers && !checks(w).isClean(); ++i)
      if (mayBeUndefined(checks(w), offsetOf(w, slots()[i]), 4))
        writeShadow(checks(w), offsetOf(w, slots()[i]), 4, ~LaneMask(0), none,
                    nullptr, {});
}

/// Marks the elements of which some byte was not written.
void WarpgroupMarks::fillChunk(uint8_t *shared, uint32_t address,
                               uint32_t elementBytes, bool ones) const {
  uint32_t written = bitsAt(block.sharedWritten.data(), address, 16);
  uint32_t all = (1u << elementBytes) - 1;
  for (uint32_t at = 0; at < 16; at += elementBytes)
    if (ones || (written >> at & all) != all)
      std::memset(shared + address + at, mark(), elementBytes);
}

void WarpgroupMarks::fillMatrix(uint8_t *shared,
                                const MatrixDescriptor &descriptor,
                                bool isMNMajor, uint32_t mn, uint32_t k,
                                uint32_t bits, bool ones) const {
  forEachMatrixChunk(descriptor, isMNMajor, mn, k, bits, [&](uint32_t address) {
    fillChunk(shared, address, std::max(bits / 8, 1u), ones);
  });
}

void WarpgroupMarks::markPlane(uint32_t w, Slot slot, uint32_t elementBytes,
                               bool ones, LaneBytes &plane) const {
  if (slot < 0 && !ones)
    return;
  const uint8_t *shadow = checks(w).shadow + offsetOf(w, slot);
  for (uint32_t at = 0; at < 128; at += elementBytes) {
    bool any = ones;
    for (uint32_t b = 0; b < elementBytes && !any; ++b)
      any = shadow[at + b] != 0;
    if (any)
      std::memset(plane.bytes + at, mark(), elementBytes);
  }
}

void WarpgroupMarks::multiplyMarks(WarpgroupMultiplier &multiplier, bool aOnes,
                                   bool bOnes, std::vector<LaneBytes> &d) {
  WarpgroupStep marks = step;
  uint32_t k = shape.k(), aBytes = std::max(bitsOf(shape.a) / 8, 1u);
  std::vector<LaneBytes> a(step.isAInRegisters ? 16 : 0);
  // Only the matrices are filled, so that A does not mark what is B's as well.
  std::vector<uint8_t> storage(block.sharedBytes + 128, 0);
  uint64_t misaligned = reinterpret_cast<uint64_t>(storage.data()) % 128;
  uint8_t *shared = storage.data() + (128 - misaligned) % 128;
  fillMatrix(shared, decodeDescriptor(step.descriptorB), step.isBTransposed,
             shape.n, k, bitsOf(shape.b), bOnes);
  if (!step.isAInRegisters)
    fillMatrix(shared, decodeDescriptor(step.descriptorA), step.isATransposed, 64,
               shape.isSparse ? k / 2 : k, bitsOf(shape.a), aOnes);
  uint32_t sumBytes = shape.d == WarpgroupSum::F16 ? 2 : 4;
  std::vector<uint32_t *> planes[4];
  for (uint32_t w = 0; w < 4; ++w) {
    for (uint32_t i = 0; i < a.size() / 4; ++i) {
      markPlane(w, slots()[registers + i], aBytes, aOnes, a[4 * w + i]);
      marks.a[w][i] = a[4 * w + i].as<uint32_t>();
    }
    for (uint32_t i = 0; i < registers; ++i) {
      LaneBytes &plane = d[w * registers + i];
      if (step.scaleD)
        markPlane(w, slots()[i], sumBytes, false, plane);
      planes[w].push_back(plane.as<uint32_t>());
    }
  }
  uint32_t *const *const all[4] = {planes[0].data(), planes[1].data(),
                                   planes[2].data(), planes[3].data()};
  WarpgroupShape plain = shape;
  plain.saturates = false;
  multiplier.multiply(plain, &marks, 1, shared, all);
}

/// True if a sum is NaN, or not 0 as an integer.
static bool isMarked(const uint8_t *bytes, uint32_t size, bool isFloat) {
  uint32_t value = 0;
  std::memcpy(&value, bytes, size);
  if (!isFloat)
    return value != 0;
  return size == 2 ? (value & 0x7fff) > 0x7c00
                   : (value & 0x7fffffff) > 0x7f800000;
}

void WarpgroupMarks::writeMarks(const LaneBytes &first, const LaneBytes &second,
                                uint32_t w, Slot slot) const {
  uint32_t size = shape.d == WarpgroupSum::F16 ? 2 : 4;
  LaneBytes bits;
  for (uint32_t at = 0; at < 128; at += size)
    if (isMarked(first.bytes + at, size, isFloat) ||
        isMarked(second.bytes + at, size, isFloat))
      std::memset(bits.bytes + at, 0xff, size);
  writeShadow(checks(w), offsetOf(w, slot), 4, ~LaneMask(0), bits, &bits, origin);
}

void WarpgroupMarks::run(WarpgroupMultiplier &multiplier) {
  if (!anyUndefined())
    return setAllDefined();
  std::vector<LaneBytes> first(4 * registers), second(4 * registers);
  multiplyMarks(multiplier, false, !isFloat, first);
  if (!isFloat)
    multiplyMarks(multiplier, true, false, second);
  for (uint32_t w = 0; w < 4; ++w)
    for (uint32_t i = 0; i < registers; ++i)
      writeMarks(first[w * registers + i], second[w * registers + i], w,
                 slots()[i]);
}

void ptxsim::multiplyUndefined(Block &block, uint32_t firstWarp,
                               const WarpgroupInstruction &instruction,
                               const WarpgroupStep &step,
                               WarpgroupMultiplier &multiplier) {
  WarpgroupMarks(block, firstWarp, instruction, step).run(multiplier);
}
