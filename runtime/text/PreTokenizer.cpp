#include "runtime/text/PreTokenizer.h"
#include "runtime/text/Utf8.h"

#include <algorithm>

using namespace tcc;
using namespace tcc::rt;
using schema::SplitBehavior;
using schema::StepKind;

/// Bytes of a text; positions in the merger have 32 bits.
static constexpr size_t maxTextBytes = (size_t{1} << 31) - 1;

/// The bytes that `steps` stand for.
static uint64_t
textBytes(const flatbuffers::Vector<flatbuffers::Offset<schema::Step>> &steps) {
  uint64_t bytes = 0;
  for (const schema::Step *step : steps)
    for (const flatbuffers::String *field : {step->text(), step->pattern()})
      bytes += field ? field->size() : 0;
  return bytes;
}

/// The text of a field that may be absent.
static std::string stringOf(const flatbuffers::String *field) {
  return field ? field->str() : std::string();
}

Status StepList::createStep(const std::string &place, const schema::Step &step,
                            Step &result) {
  result.kind = step.kind();
  result.behavior = step.behavior();
  result.inverted = step.inverted();
  result.text = stringOf(step.text());
  std::string pattern = stringOf(step.pattern());
  if (result.kind > StepKind::MAX || result.behavior > SplitBehavior::MAX)
    return Status::badData(place + ": expected a known kind of step, got " +
                           std::to_string(static_cast<int>(result.kind)) +
                           " with behaviour " +
                           std::to_string(static_cast<int>(result.behavior)) +
                           "; make the file again with this version");
  if (!isUtf8(result.text) || !isUtf8(pattern))
    return Status::badData(
        place + ": expected UTF-8, got other bytes; the file is damaged");
  bool searches =
      result.kind == StepKind::Replace || result.kind == StepKind::Split;
  if (searches ? pattern.empty() : result.text.empty())
    return Status::badData(place + ": expected a " +
                           (searches ? "pattern" : "text") +
                           ", got none; the file is damaged");
  if (result.kind == StepKind::Split)
    return Pattern::compile(place, pattern, result.pattern);
  result.searched = std::move(pattern);
  return {};
}

Status StepList::create(
    const std::string &place,
    const flatbuffers::Vector<flatbuffers::Offset<schema::Step>> *steps,
    StepList &result) {
  StepList list;
  if (steps && steps->size() > maxSteps)
    return Status::badData(place + ": expected at most " +
                           std::to_string(maxSteps) + " steps, got " +
                           std::to_string(steps->size()) + otherTokenizer);
  if (steps && textBytes(*steps) > maxBytes)
    return Status::badData(place + ": expected at most " +
                           std::to_string(maxBytes) +
                           " bytes of texts and patterns, got " +
                           std::to_string(textBytes(*steps)) + otherTokenizer);
  for (size_t i = 0; steps && i < steps->size(); ++i) {
    std::string stepPlace = place + "[" + std::to_string(i) + "]";
    list.steps.emplace_back();
    if (Status status =
            createStep(stepPlace, *steps->Get(static_cast<uint32_t>(i)),
                       list.steps.back());
        !status.ok())
      return status;
  }
  result = std::move(list);
  return {};
}

bool tcc::rt::replaceAll(std::string_view text, std::string_view searched,
                         std::string_view replacement, size_t limit,
                         std::string &result) {
  size_t position = 0;
  for (size_t found;
       (found = text.find(searched, position)) != std::string_view::npos;
       position = found + searched.size()) {
    result += text.substr(position, found - position);
    result += replacement;
    if (result.size() > limit)
      return false;
  }
  result += text.substr(position);
  return result.size() <= limit;
}

/// Applies a step that changes the text of each piece; \returns false if all
/// together become longer than `limit`.
bool StepList::rewrite(const Step &step, size_t limit, PieceList &list) {
  PieceList rewritten;
  rewritten.text.reserve(list.text.size() + step.text.size());
  for (const Piece &piece : list.pieces) {
    std::string_view text = list.view(piece);
    size_t begin = rewritten.text.size();
    bool missing = text.substr(0, step.text.size()) != step.text;
    if (step.kind == StepKind::Prepend ||
        (step.kind == StepKind::PrependMissing && missing) ||
        (step.kind == StepKind::PrependMissingAtStart && missing &&
         piece.startsInput))
      rewritten.text += step.text;
    if (step.kind != StepKind::Replace)
      rewritten.text += text;
    else if (!replaceAll(text, step.searched, step.text, limit, rewritten.text))
      return false;
    if (rewritten.text.size() > limit)
      return false;
    if (rewritten.text.size() > begin)
      rewritten.pieces.push_back(
          {begin, rewritten.text.size(), piece.startsInput});
  }
  list = std::move(rewritten);
  return true;
}

namespace {
/// A match of a pattern in a piece, or the gap before, between or after
/// matches.
struct Span {
  size_t begin, end; // In the piece.
  bool isMatch;
};
} // namespace

/// The matches that `matcher` finds in `text` and the gaps, from left to right,
/// covering all of it.
static Status findSpans(Matcher &matcher, bool inverted, std::string_view text,
                        std::vector<Span> &spans) {
  size_t previous = 0;
  Status status = matcher.forEachMatch(text, [&](size_t begin, size_t end) {
    if (previous != begin)
      spans.push_back({previous, begin, inverted});
    spans.push_back({begin, end, !inverted});
    previous = end;
  });
  if (previous != text.size())
    spans.push_back({previous, text.size(), inverted});
  return status;
}

/// Joins `spans` to the pieces that `behavior` makes of them.
///
/// The conditions are those of NormalizedString::split in `tokenizers`, down to
/// what happens to two matches in a row.
static void joinSpans(SplitBehavior behavior, std::vector<Span> &spans) {
  std::vector<Span> joined;
  bool previous = false, backwards = behavior == SplitBehavior::MergedWithNext;
  for (size_t i = 0; i < spans.size(); ++i) {
    const Span &span = spans[backwards ? spans.size() - 1 - i : i];
    bool joins = behavior == SplitBehavior::Contiguous
                     ? span.isMatch == previous
                     : span.isMatch && !previous;
    previous = span.isMatch;
    if (behavior == SplitBehavior::Removed) {
      if (!span.isMatch)
        joined.push_back(span);
    } else if (behavior == SplitBehavior::Isolated || !joins ||
               joined.empty()) {
      joined.push_back(span);
    } else if (backwards) {
      joined.back().begin = span.begin;
    } else {
      joined.back().end = span.end;
    }
  }
  if (backwards)
    std::reverse(joined.begin(), joined.end());
  spans = std::move(joined);
}

/// Applies a Split step.
Status StepList::split(const Step &step, PieceList &list) {
  std::vector<Piece> pieces;
  std::vector<Span> spans;
  Matcher matcher(step.pattern);
  for (const Piece &piece : list.pieces) {
    spans.clear();
    if (Status status =
            findSpans(matcher, step.inverted, list.view(piece), spans);
        !status.ok())
      return status;
    joinSpans(step.behavior, spans);
    for (const Span &span : spans)
      if (span.begin < span.end)
        pieces.push_back({piece.begin + span.begin, piece.begin + span.end,
                          piece.startsInput && span.begin == 0});
  }
  list.pieces = std::move(pieces);
  return {};
}

Status StepList::apply(PieceList &list) const {
  size_t limit = std::min(maxRewrittenBytes(list.text.size()), maxTextBytes);
  for (const Step &step : steps) {
    if (step.kind == StepKind::Split) {
      if (Status status = split(step, list); !status.ok())
        return status;
      continue;
    }
    if (!rewrite(step, limit, list))
      return Status::badData("text: expected at most " + std::to_string(limit) +
                             " bytes after normalisation, got more" +
                             otherTokenizer);
  }
  return {};
}
