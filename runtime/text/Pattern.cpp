#include "runtime/text/Pattern.h"
#include "runtime/support/Text.h"
#include "runtime/text/Utf8.h"

#include <algorithm>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

using namespace tcc;
using namespace tcc::rt;

namespace {
/// Lets unique_ptr free what PCRE2 allocates.
struct Free {
  void operator()(pcre2_code *p) const { pcre2_code_free(p); }
  void operator()(pcre2_compile_context *p) const {
    pcre2_compile_context_free(p);
  }
  void operator()(pcre2_match_context *p) const { pcre2_match_context_free(p); }
  void operator()(pcre2_match_data *p) const { pcre2_match_data_free(p); }
  void operator()(pcre2_jit_stack *p) const { pcre2_jit_stack_free(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;
} // namespace

/// Bytes of a pattern. The longest known, with every letter that PCRE2's own
/// tables lack spelled out, has 40 kB.
static constexpr size_t maxPatternBytes = size_t{1} << 20;

/// Steps that matching may take for each byte of a text. A run of white space
/// costs about two; what takes many times that goes back and forth without end.
static constexpr size_t stepsForByte = 1024;

/// Bytes that a match may use for backtracking.
static constexpr size_t maxStackBytes = size_t{64} << 20;

struct Pattern::Code {
  Owned<pcre2_code> compiled;
  std::string place;
};

Pattern::Pattern() = default;
Pattern::Pattern(Pattern &&) noexcept = default;
Pattern &Pattern::operator=(Pattern &&) noexcept = default;
Pattern::~Pattern() = default;

/// PCRE2's words for `error`.
static std::string errorText(int error) {
  PCRE2_UCHAR buffer[256];
  pcre2_get_error_message(error, buffer, sizeof(buffer));
  return reinterpret_cast<const char *>(buffer);
}

Status Pattern::compile(const std::string &place, const std::string &source,
                        Pattern &result) {
  if (source.size() > maxPatternBytes)
    return Status::badData(place + ": expected a pattern of at most " +
                           std::to_string(maxPatternBytes) + " bytes, got " +
                           std::to_string(source.size()) + otherTokenizer);
  Owned<pcre2_compile_context> context(pcre2_compile_context_create(nullptr));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto code = std::make_unique<Code>();
  code->place = place;
  code->compiled.reset(pcre2_compile(
      reinterpret_cast<PCRE2_SPTR>(source.data()), source.size(),
      PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT,
      &error, &offset, context.get()));
  if (!code->compiled)
    return Status::badData(place + ": expected a regular expression, got '" +
                           printable(source) + "': " + errorText(error) +
                           " at byte " + std::to_string(offset) +
                           otherTokenizer);
  // Without JIT on this machine the interpreter matches the same, more slowly.
  (void)pcre2_jit_compile(code->compiled.get(), PCRE2_JIT_COMPLETE);
  result.code = std::move(code);
  return {};
}

struct Matcher::Memory {
  Owned<pcre2_match_context> context;
  Owned<pcre2_jit_stack> stack;
  Owned<pcre2_match_data> data;
};

Matcher::Matcher(const Pattern &pattern)
    : pattern(pattern), memory(std::make_unique<Memory>()) {
  memory->context.reset(pcre2_match_context_create(nullptr));
  memory->stack.reset(
      pcre2_jit_stack_create(32 * 1024, maxStackBytes, nullptr));
  memory->data.reset(pcre2_match_data_create_from_pattern(
      pattern.code->compiled.get(), nullptr));
  pcre2_set_heap_limit(memory->context.get(), maxStackBytes / 1024);
  pcre2_jit_stack_assign(memory->context.get(), nullptr, memory->stack.get());
}

Matcher::~Matcher() = default;

/// Looks for a match that starts in [first, last] and takes at most `steps`.
int Matcher::match(std::string_view text, size_t first, size_t last,
                   size_t steps) {
  pcre2_set_match_limit(memory->context.get(), static_cast<uint32_t>(steps));
  pcre2_set_offset_limit(memory->context.get(), last);
  return pcre2_match(pattern.code->compiled.get(),
                     reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                     first, PCRE2_NO_UTF_CHECK, memory->data.get(),
                     memory->context.get());
}

/// Looks for the first match that starts at `position` or behind it.
int Matcher::findMatch(std::string_view text, size_t position) {
  int count = match(text, position, PCRE2_UNSET, stepsForByte);
  if (count != PCRE2_ERROR_MATCHLIMIT)
    return count;
  // PCRE2 tells neither how many steps it took nor where it gave up, and counts
  // anew at each start: try one by one, each with more and more.
  while (position <= text.size()) {
    size_t steps = stepsForByte;
    while ((count = match(text, position, position, steps)) ==
               PCRE2_ERROR_MATCHLIMIT &&
           steps <= stepsLeft) {
      stepsLeft -= steps;
      steps = std::min(4 * steps, size_t{1} << 30);
    }
    if (count != PCRE2_ERROR_NOMATCH)
      return count;
    position += position < text.size() ? characterBytes(text[position]) : 1;
  }
  return PCRE2_ERROR_NOMATCH;
}

Status Matcher::forEachMatch(std::string_view text,
                             const std::function<void(size_t, size_t)> &visit) {
  stepsLeft += stepsForByte * text.size();
  size_t position = 0, lastEnd = std::string_view::npos;
  while (position <= text.size()) {
    int count = findMatch(text, position);
    if (count == PCRE2_ERROR_NOMATCH)
      break;
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(memory->data.get());
    if (count < 0 || ends[0] < position || ends[1] < ends[0])
      return Status::badData(
          pattern.code->place +
          ": expected a pattern that matches within its limits, got the error "
          "'" +
          (count < 0 ? errorText(count) : "match outside of the text") +
          "' in a piece of " + std::to_string(text.size()) +
          " bytes; split the text or simplify the pattern");
    if (ends[0] == ends[1] && ends[0] == lastEnd) {
      position += position < text.size() ? characterBytes(text[position]) : 1;
      continue;
    }
    visit(ends[0], ends[1]);
    position = lastEnd = ends[1];
  }
  return {};
}
