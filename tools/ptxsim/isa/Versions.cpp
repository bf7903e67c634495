// What came after PTX 8.0: which instructions need which `.version`.
//
// Source: PTX ISA 9.0, "PTX ISA Notes" of each instruction, and ptxas 13.0,
// which refuses the same.

#include "tools/ptxsim/isa/Form.h"

#include "tools/ptxsim/ptx/Version.h"

using namespace ptxsim;
using namespace ptxsim::isa;

namespace {
/// Instructions with these words, in this order with any others between them.
/// Each item is one word or several as in `a|b`.
struct Addition {
  ptx::Version version;
  std::initializer_list<std::string_view> items; ///< The first is the opcode.
};
} // namespace

/// By version.
static const Addition additions[] = {
    {{8, 1}, {"st", "async"}},
    {{8, 1}, {"red", "async"}},
    {{8, 1}, {"atom|red", "v2|v4|v8"}},
    {{8, 1}, {"fma", "oob"}},
    {{8, 1}, {"cvt", "satfinite", "f16|f16x2|bf16|bf16x2|tf32", "f32"}},
    {{8, 2}, {"ld|st", "mmio"}},
    {{8, 2}, {"lop3", "and|or|xor"}},
    {{8, 2}, {"wgmma", "sp"}},
    {{8, 3}, {"ld|st|mov|atom", "b128"}},
    {{8, 3}, {"ld|st|cvta|isspacep|prefetch", "param::entry|param::func"}},
    {{8, 3}, {"fence", "tensormap::generic"}},
    {{8, 3}, {"tensormap", "replace|cp_fenceproxy"}},
    {{8, 4}, {"ld|st|atom", "sys", "b128"}},
    {{8, 4}, {"mma", "e4m3|e5m2"}},
    {{8, 4}, {"wgmma", "u8", "s8"}},
    {{8, 4}, {"wgmma", "s8", "u8"}},
    {{8, 5}, {"mma", "sp::ordered_metadata"}},
    {{8, 6}, {"mbarrier", "arrive|arrive_drop|test_wait|try_wait", "relaxed"}},
    {{8, 6}, {"fence", "sync_restrict*"}},
    {{8, 6}, {"cp", "bulk", "shared::cta", "global"}},
    {{8, 7}, {"mma", "f16", "e4m3|e5m2"}},
    {{8, 7}, {"mma", "m16n8k16", "e4m3|e5m2"}},
};

/// True if `word` is one of `list`, as in `a|b*`.
static bool isOneOf(std::string_view word, std::string_view list) {
  while (!list.empty()) {
    std::string_view item = list.substr(0, list.find('|'));
    list.remove_prefix(std::min(item.size() + 1, list.size()));
    bool isPrefix = item.back() == '*';
    if (isPrefix)
      item.remove_suffix(1);
    if (isPrefix ? word.substr(0, item.size()) == item : word == item)
      return true;
  }
  return false;
}

/// Compares an instruction with what was added.
///
/// \param [out] found Its words that are part of that.
static bool isOf(const Match &match, const Addition &addition,
                 std::string &found) {
  const ptx::Instruction &instruction = *match.instruction;
  const std::string_view *words =
      match.function->words.data() + instruction.firstWord;
  const std::string_view *item = addition.items.begin();
  if (!isOneOf(instruction.opcode, *item++))
    return false;
  found.clear();
  for (uint32_t i = 0; i < instruction.wordCount; ++i) {
    if (item == addition.items.end())
      break;
    if (!isOneOf(words[i], *item))
      continue;
    found.append(found.empty() ? " with ." : " and .").append(words[i]);
    ++item;
  }
  return item == addition.items.end();
}

std::string isa::checkVersion(const ptx::Module &module, const Match &match) {
  constexpr ptx::Version newest{8, 7};
  if (newest <= ptx::Version{module.versionMajor, module.versionMinor})
    return "";
  ptx::Version needed;
  std::string found, words;
  for (const Addition &addition : additions) {
    if (!isOf(match, addition, words) || addition.version <= needed)
      continue;
    needed = addition.version;
    found = "'" + std::string(match.instruction->opcode) + "'" + words;
  }
  return ptx::checkVersion(module, needed, found);
}
