// The steps that rewrite a text and cut it into pieces.

#ifndef TCC_RUNTIME_TEXT_PRETOKENIZER_H
#define TCC_RUNTIME_TEXT_PRETOKENIZER_H

#include "runtime/schema/Tokenizer_generated.h"
#include "runtime/support/Status.h"
#include "runtime/text/Pattern.h"

#include <string>
#include <string_view>
#include <vector>

namespace tcc::rt {

/// A part of a text.
struct Piece {
  size_t begin, end; ///< In bytes.
  bool startsInput;  ///< It starts where the user's text starts.
};

/// A text, rewritten so far, and the pieces that it is cut into.
struct PieceList {
  std::string text;
  std::vector<Piece> pieces; ///< In order; none is empty.

  std::string_view view(const Piece &piece) const {
    return std::string_view(text).substr(piece.begin, piece.end - piece.begin);
  }
};

/// How long a text of `bytes` bytes may become by the steps of one list. Known
/// steps write at most three bytes for one and a few before each piece; what
/// writes many more would make gigabytes of a line.
///
/// Each added token may become as long, of which a file has one for some 40
/// bytes.
constexpr size_t maxRewrittenBytes(size_t bytes) { return 64 + 16 * bytes; }

/// Appends `text` to `result`, with `replacement` for each occurrence of
/// `searched`, which is not empty.
///
/// \returns false if `result` would become longer than `limit`.
bool replaceAll(std::string_view text, std::string_view searched,
                std::string_view replacement, size_t limit,
                std::string &result);

/// The steps of a normalizer or a pre-tokenizer. Thread-safe.
class StepList {
public:
  /// Steps of a list: the longest known list has four.
  static constexpr size_t maxSteps = 64;

  /// Bytes of all texts and patterns of a list, which steps of a malicious file
  /// may share. One known pattern has 40 kB.
  static constexpr size_t maxBytes = size_t{1} << 20;

  /// Checks and compiles `steps`, which may be null.
  ///
  /// \param place File and field, for messages.
  ///
  /// \returns BadData if a kind is unknown, a text missing, too long or no
  ///          UTF-8, or a pattern does not compile.
  static Status
  create(const std::string &place,
         const flatbuffers::Vector<flatbuffers::Offset<schema::Step>> *steps,
         StepList &result);

  bool empty() const { return steps.empty(); }

  /// Runs all steps on `list`.
  ///
  /// \returns BadData if matching a pattern exceeds its limits, or the text
  ///          becomes longer than `maxRewrittenBytes` or 2 GiB.
  Status apply(PieceList &list) const;

private:
  struct Step {
    schema::StepKind kind;
    schema::SplitBehavior behavior;
    bool inverted;
    std::string text, searched;
    Pattern pattern;
  };
  std::vector<Step> steps;

  static Status createStep(const std::string &place, const schema::Step &step,
                           Step &result);
  static bool rewrite(const Step &step, size_t limit, PieceList &list);
  static Status split(const Step &step, PieceList &list);
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_TEXT_PRETOKENIZER_H
