// The pieces are those of `tokenizers`: Split with pattern "-", Metaspace,
// Prepend.

#include "runtime/text/PreTokenizer.h"
#include "test/unit/runtime/text/TinyTokenizer.h"

#include <gtest/gtest.h>

using namespace tcc;
using namespace tcc::rt;
using schema::SplitBehavior;
using schema::StepKind;

using Steps = std::vector<std::unique_ptr<schema::StepT>>;
using Parts = std::vector<std::string>;

/// Reads `steps` as a model.bin has them.
static Status create(const Steps &steps, StepList &result) {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<schema::Step>> offsets;
  for (const auto &step : steps)
    offsets.push_back(schema::Step::Pack(builder, step.get()));
  builder.Finish(builder.CreateVector(offsets));
  return StepList::create(
      "t.bin: steps",
      flatbuffers::GetRoot<
          flatbuffers::Vector<flatbuffers::Offset<schema::Step>>>(
          builder.GetBufferPointer()),
      result);
}

/// The pieces of `text`, of which the first starts what the user gave.
static Parts pieces(const Steps &steps, const std::string &text) {
  StepList list;
  Status status = create(steps, list);
  PieceList result{text, {{0, text.size(), true}}};
  if (status.ok())
    status = list.apply(result);
  EXPECT_TRUE(status.ok()) << status.message();
  Parts parts;
  for (const Piece &piece : result.pieces)
    parts.emplace_back(result.view(piece));
  return parts;
}

static Parts split(SplitBehavior behavior, const std::string &text,
                   bool inverted = false) {
  Steps steps;
  schema::StepT &step = addStep(steps, StepKind::Split, "", "-");
  step.behavior = behavior;
  step.inverted = inverted;
  return pieces(steps, text);
}

TEST(PreTokenizer, SplitBehaviors) {
  const std::string text = "-the-final--countdown-";
  EXPECT_EQ(split(SplitBehavior::Removed, text),
            (Parts{"the", "final", "countdown"}));
  EXPECT_EQ(split(SplitBehavior::Isolated, text),
            (Parts{"-", "the", "-", "final", "-", "-", "countdown", "-"}));
  EXPECT_EQ(split(SplitBehavior::MergedWithPrevious, text),
            (Parts{"-", "the-", "final-", "-", "countdown-"}));
  EXPECT_EQ(split(SplitBehavior::MergedWithNext, text),
            (Parts{"-the", "-final", "-", "-countdown", "-"}));
  EXPECT_EQ(split(SplitBehavior::Contiguous, text),
            (Parts{"-", "the", "-", "final", "--", "countdown", "-"}));
}

TEST(PreTokenizer, SplitInverted) {
  EXPECT_EQ(split(SplitBehavior::Removed, "a-bc--d", true),
            (Parts{"-", "-", "-"}));
  EXPECT_EQ(split(SplitBehavior::MergedWithPrevious, "-a-bc", true),
            (Parts{"-a", "-bc"}));
  EXPECT_EQ(split(SplitBehavior::MergedWithNext, "a-bc-", true),
            (Parts{"a-", "bc-"}));
}

TEST(PreTokenizer, EachStepCutsWhatTheLastOneLeft) {
  Steps steps;
  addStep(steps, StepKind::Split, "", "[0-9]+");
  addStep(steps, StepKind::Split, "", "1");
  EXPECT_EQ(pieces(steps, "a121b1"), (Parts{"a", "1", "2", "1", "b", "1"}));
}

TEST(PreTokenizer, Prepends) {
  Steps always, missing, start;
  addStep(always, StepKind::Split, "", "x");
  addStep(always, StepKind::Prepend, "_");
  EXPECT_EQ(pieces(always, "ax_"), (Parts{"_a", "_x", "__"}));
  addStep(missing, StepKind::Split, "", "x");
  addStep(missing, StepKind::PrependMissing, "_");
  EXPECT_EQ(pieces(missing, "ax_"), (Parts{"_a", "_x", "_"}));
  addStep(start, StepKind::Split, "", "x");
  addStep(start, StepKind::PrependMissingAtStart, "_");
  EXPECT_EQ(pieces(start, "ax_"), (Parts{"_a", "x", "_"}));
  EXPECT_EQ(pieces(start, "_ax"), (Parts{"_a", "x"}));
}

// Replacing leaves nothing of a piece that is all pattern; the text before and
// behind stays.
TEST(PreTokenizer, Replaces) {
  Steps steps;
  addStep(steps, StepKind::Split, "", "aa");
  addStep(steps, StepKind::Replace, "", "a");
  EXPECT_EQ(pieces(steps, "xaay"), (Parts{"x", "y"}));
  steps.clear();
  addStep(steps, StepKind::Replace, "b", "aba");
  EXPECT_EQ(pieces(steps, "ababaaba"), Parts{"bbab"});
  steps.clear();
  addStep(steps, StepKind::Replace, "\xE2\x96\x81", " ");
  EXPECT_EQ(pieces(steps, " a  b"), (Parts{"\xE2\x96\x81"
                                           "a\xE2\x96\x81\xE2\x96\x81"
                                           "b"}));
}

// Replacing may make a text 16 times as long, and 64 bytes longer.
TEST(PreTokenizer, Growth) {
  Steps steps;
  addStep(steps, StepKind::Replace, std::string(16, 'b'), "a");
  EXPECT_EQ(pieces(steps, std::string(5000, 'a')),
            Parts{std::string(80000, 'b')});
  steps.clear();
  for (int i = 0; i < 64; ++i)
    addStep(steps, StepKind::Replace, std::string(1000, 'a'), "a");
  StepList list;
  ASSERT_TRUE(create(steps, list).ok());
  PieceList result{"aa", {{0, 2, true}}};
  Status status = list.apply(result);
  EXPECT_EQ(status.exitCode(), 65);
  EXPECT_EQ(status.message(),
            "text: expected at most 96 bytes after normalisation, got more; "
            "use a model with another tokenizer");
}

static std::string message(const Steps &steps) {
  StepList list;
  Status status = create(steps, list);
  EXPECT_EQ(status.exitCode(), 65);
  return status.message();
}

TEST(PreTokenizer, Messages) {
  Steps steps;
  schema::StepT &step = addStep(steps, StepKind::Prepend, "x");
  step.kind = static_cast<StepKind>(9);
  EXPECT_EQ(message(steps),
            "t.bin: steps[0]: expected a known kind of step, got "
            "9 with behaviour 0; make the file again with this "
            "version");
  step.kind = StepKind::Split;
  step.behavior = static_cast<SplitBehavior>(77);
  EXPECT_EQ(message(steps),
            "t.bin: steps[0]: expected a known kind of step, got "
            "4 with behaviour 77; make the file again with this "
            "version");
  step.behavior = SplitBehavior::Isolated;
  EXPECT_EQ(
      message(steps),
      "t.bin: steps[0]: expected a pattern, got none; the file is damaged");
  step.pattern = "\xFF";
  EXPECT_EQ(
      message(steps),
      "t.bin: steps[0]: expected UTF-8, got other bytes; the file is damaged");
  step.pattern = "(";
  EXPECT_EQ(
      message(steps),
      "t.bin: steps[0]: expected a regular expression, got '(': missing "
      "closing parenthesis at byte 1; use a model with another tokenizer");
  step.kind = StepKind::Prepend;
  step.pattern.clear();
  step.text.clear();
  EXPECT_EQ(message(steps),
            "t.bin: steps[0]: expected a text, got none; the file is damaged");
  step.text = std::string(1000000, 'x');
  addStep(steps, StepKind::Replace, std::string(48576, 'x'), "y");
  EXPECT_EQ(message(steps),
            "t.bin: steps: expected at most 1048576 bytes of texts and "
            "patterns, got 1048577; use a model with another tokenizer");
  steps.pop_back();
  step.text = "x";
  for (int i = 0; i < 64; ++i)
    addStep(steps, StepKind::Prepend, "x");
  EXPECT_EQ(message(steps), "t.bin: steps: expected at most 64 steps, got 65; "
                            "use a model with another tokenizer");
}
