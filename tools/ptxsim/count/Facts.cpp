// Reads the words of an instruction.
//
// Source: PTX ISA 9.0, sections 9.7.14 (mma, wmma) and 9.7.15 (wgmma) for shapes
// and the order of types.

#include "tools/ptxsim/count/Facts.h"

#include <algorithm>
#include <initializer_list>
#include <vector>

using namespace ptxsim;

namespace {
class Words {
public:
  Words(const ptx::Function &function, const ptx::Instruction &instruction)
      : first(function.words.data() + instruction.firstWord),
        last(first + instruction.wordCount) {}

  bool has(std::string_view word) const {
    return std::find(first, last, word) != last;
  }
  bool hasAny(std::initializer_list<std::string_view> words) const {
    return std::find_first_of(first, last, words.begin(), words.end()) != last;
  }
  const std::string_view *begin() const { return first; }
  const std::string_view *end() const { return last; }

private:
  const std::string_view *first, *last;
};

/// The type of matrix elements, and its bits.
struct ElementType {
  std::string_view name;
  unsigned bits = 0;
};

struct ScalarType {
  std::string_view name;
  std::string_view element;
  unsigned count;
};
} // namespace

static constexpr ElementType elementTypes[] = {
    {"f16", 16}, {"bf16", 16}, {"tf32", 32}, {"e4m3", 8}, {"e5m2", 8},
    {"f64", 64}, {"f32", 32},  {"s32", 32},  {"u8", 8},   {"s8", 8},
    {"u4", 4},   {"s4", 4},    {"b1", 1}};

static void readProduct(const ptx::Function &function,
                        const ptx::Instruction &instruction, const Words &words,
                        InstructionFacts &facts) {
  ptx::MatrixShape shape;
  std::vector<ElementType> types; // D, A, B, C; or D and C, and A is f16.
  for (std::string_view word : words) {
    shape = ptx::shapeNamed(word).value_or(shape);
    for (const ElementType &type : elementTypes)
      if (word == type.name)
        types.push_back(type);
  }
  if (shape.m == 0 || types.size() < 2)
    return;
  ElementType a = types.size() == 2 ? ElementType{"f16", 16} : types[1];
  bool isSparse = words.hasAny({"sp", "sp::ordered_metadata"});
  facts.tensorType = std::string(a.name) + (isSparse ? " sparse" : "");
  facts.tensorOperations = uint64_t(2) * shape.m * shape.n * shape.k;
  // Each quarter of the warp does one product.
  if (instruction.opcode == "mma" && a.name == "f16" && shape.m == 8)
    facts.tensorOperations *= 4;
  if (instruction.opcode != "wgmma")
    return;
  // Four warps do one product.
  facts.tensorOperations /= 4;
  uint64_t kBits = uint64_t(shape.k) * a.bits;
  uint64_t bytes = shape.n * kBits / 8;
  const ptx::Operand &operandA = function.elements[instruction.firstOperand + 1];
  if (operandA.kind != ptx::Operand::Kind::Vector)
    bytes += shape.m * kBits / 8 / (isSparse ? 2 : 1);
  facts.tensorSharedBytes = bytes / 4;
}

static void readScalar(std::string_view opcode, const Words &words,
                       InstructionFacts &facts) {
  static constexpr ScalarType types[] = {
      {"f16", "f16", 1},   {"f16x2", "f16", 2},   {"bf16", "bf16", 1},
      {"bf16x2", "bf16", 2}, {"f32", "f32", 1},   {"f32x2", "f32", 2},
      {"f64", "f64", 1}};
  unsigned operations = opcode == "fma" || opcode == "mad"                    ? 2
                        : opcode == "add" || opcode == "sub" || opcode == "mul" ? 1
                                                                              : 0;
  if (operations == 0)
    return;
  for (std::string_view word : words)
    for (const ScalarType &type : types)
      if (word == type.name) {
        facts.scalarType = type.element;
        facts.scalarOperations = operations * type.count;
        return;
      }
}

static bool waits(std::string_view opcode, const Words &words) {
  if (opcode == "nanosleep")
    return true;
  if (words.hasAny(
          {"wait_group", "wait_all", "test_wait", "try_wait", "wait"}))
    return true;
  return (opcode == "bar" || opcode == "barrier") &&
         words.hasAny({"sync", "red"}) && !words.has("warp");
}

InstructionFacts ptxsim::factsOf(const ptx::Function &function,
                                 const ptx::Instruction &instruction) {
  InstructionFacts facts;
  Words words(function, instruction);
  std::string_view opcode = instruction.opcode;
  facts.isWait = waits(opcode, words);
  if (opcode == "mma" || (opcode == "wmma" && words.has("mma")) ||
      (opcode == "wgmma" && words.has("mma_async")))
    readProduct(function, instruction, words, facts);
  readScalar(opcode, words, facts);
  return facts;
}
