// tokenizer.json of the `tokenizers` package: what is done to a text on its way
// to ids and back.

#include "frontends/checkpoint/TokenizerJsonReader.h"
#include "frontends/checkpoint/TokenizerPattern.h"
#include "frontends/checkpoint/TokenizerTables.h"
#include "frontends/model/Message.h"
#include "runtime/text/PreTokenizer.h"

#include <algorithm>

using namespace tcc;
using schema::SplitBehavior;
using schema::StepKind;

//===--- Normalizer -------------------------------------------------------===//

Status TokenizerJsonReader::readReplace(const Json &step,
                                        const std::string &place) {
  std::string text, pattern;
  const Json *what = presentMember(step, "pattern");
  if (!what || !presentMember(*what, "String"))
    return wrong(place + ".pattern", "a pattern of kind String", what);
  if (Status status = readText(*what, place + ".pattern", "String", pattern);
      !status.ok())
    return status;
  if (pattern.empty())
    return wrong(place + ".pattern.String", "a text to replace",
                 presentMember(*what, "String"));
  if (Status status = readText(step, place, "content", text); !status.ok())
    return status;
  table.normalizer.push_back(makeStep(StepKind::Replace, text, pattern));
  return {};
}

Status TokenizerJsonReader::readNormalizer(const Json &step,
                                           const std::string &place) {
  // Each added token goes through all of them.
  if (table.normalizer.size() == rt::StepList::maxSteps)
    return wrong(place,
                 "at most " + std::to_string(rt::StepList::maxSteps) + " steps",
                 &step);
  std::string type = typeOf(step), text;
  if (type == "Sequence")
    return readEach(step, place + ".normalizers", "normalizers",
                    &TokenizerJsonReader::readNormalizer);
  if (type == "Replace")
    return readReplace(step, place);
  if (type != "Prepend")
    return wrong(place + ".type", "Sequence, Prepend or Replace",
                 presentMember(step, "type"));
  if (Status status = readText(step, place, "prepend", text); !status.ok())
    return status;
  if (!text.empty())
    table.normalizer.push_back(makeStep(StepKind::Prepend, text));
  return {};
}

//===--- Pre-tokenizer ----------------------------------------------------===//

/// Reads the pattern of a Split, for PCRE2.
Status TokenizerJsonReader::readPattern(const Json &step,
                                        const std::string &place,
                                        std::string &pattern) const {
  const Json *what = presentMember(step, "pattern");
  bool isText = what && presentMember(*what, "String");
  if (!what || (!isText && !presentMember(*what, "Regex")))
    return wrong(place, "a Regex or a String", what);
  const char *kind = isText ? "String" : "Regex";
  if (Status status = readText(*what, place, kind, pattern); !status.ok())
    return status;
  if (pattern.empty())
    return wrong(place + "." + kind, "a pattern", presentMember(*what, kind));
  if (isText) {
    pattern = escapePattern(pattern);
    return {};
  }
  size_t limit = rt::StepList::maxBytes;
  for (const auto &before : table.pre_tokenizer)
    limit -= std::min(limit, before->pattern.size());
  std::string problem;
  pattern = translatePattern(pattern, limit, problem);
  if (!problem.empty())
    return unsupportedData(path + ": " + place + ".Regex: " + problem);
  return {};
}

Status TokenizerJsonReader::readSplit(const Json &step,
                                      const std::string &place) {
  std::string pattern, behavior;
  if (Status status = readPattern(step, place + ".pattern", pattern);
      !status.ok())
    return status;
  bool inverted = false;
  if (Status status = readFlag(step, place, "invert", false, inverted);
      !status.ok())
    return status;
  if (Status status = readText(step, place, "behavior", behavior); !status.ok())
    return status;
  struct Behavior {
    const char *name;
    SplitBehavior value;
  };
  for (Behavior known :
       {Behavior{"Isolated", SplitBehavior::Isolated},
        Behavior{"Removed", SplitBehavior::Removed},
        Behavior{"MergedWithPrevious", SplitBehavior::MergedWithPrevious},
        Behavior{"MergedWithNext", SplitBehavior::MergedWithNext},
        Behavior{"Contiguous", SplitBehavior::Contiguous}})
    if (behavior == known.name) {
      table.pre_tokenizer.push_back(makeSplit(pattern, known.value, inverted));
      return {};
    }
  return wrong(place + ".behavior",
               "Isolated, Removed, MergedWithPrevious, MergedWithNext or "
               "Contiguous",
               presentMember(step, "behavior"));
}

/// Reads what a Metaspace puts before a text: always, first or never.
Status TokenizerJsonReader::readScheme(const Json &step,
                                       const std::string &place,
                                       std::string &scheme) const {
  std::string space = visibleSpace;
  if (presentMember(step, "replacement"))
    if (Status status = readText(step, place, "replacement", space);
        !status.ok())
      return status;
  if (space != visibleSpace)
    return wrong(place + ".replacement", "U+2581",
                 presentMember(step, "replacement"));
  bool prefix = true;
  if (Status status = readFlag(step, place, "add_prefix_space", true, prefix);
      !status.ok())
    return status;
  scheme = prefix ? "always" : "never";
  if (presentMember(step, "prepend_scheme"))
    if (Status status = readText(step, place, "prepend_scheme", scheme);
        !status.ok())
      return status;
  bool known = scheme == "always" || scheme == "first" || scheme == "never";
  if (!known || (!prefix && scheme != "never"))
    return wrong(place + ".prepend_scheme",
                 prefix ? "always, first or never"
                        : "never, since add_prefix_space is false",
                 presentMember(step, "prepend_scheme"));
  return {};
}

Status TokenizerJsonReader::readMetaspace(const Json &step,
                                          const std::string &place) {
  std::string scheme;
  if (Status status = readScheme(step, place, scheme); !status.ok())
    return status;
  // Where a text starts is not known any more once its beginning is rewritten.
  if (scheme == "first" && !table.normalizer.empty())
    return wrong(place + ".prepend_scheme",
                 "always or never, since there is a normalizer",
                 presentMember(step, "prepend_scheme"));
  bool split = true;
  if (Status status = readFlag(step, place, "split", true, split); !status.ok())
    return status;
  table.pre_tokenizer.push_back(makeStep(StepKind::Replace, visibleSpace, " "));
  if (scheme != "never")
    table.pre_tokenizer.push_back(
        makeStep(scheme == "always" ? StepKind::PrependMissing
                                    : StepKind::PrependMissingAtStart,
                 visibleSpace));
  if (split)
    table.pre_tokenizer.push_back(
        makeSplit(visibleSpace, SplitBehavior::MergedWithNext));
  return {};
}

Status TokenizerJsonReader::readByteLevel(const Json &step,
                                          const std::string &place) {
  byteLevel = true;
  bool prefix = true, regex = true;
  if (Status status = readFlag(step, place, "add_prefix_space", true, prefix);
      !status.ok())
    return status;
  if (Status status = readFlag(step, place, "use_regex", true, regex);
      !status.ok())
    return status;
  if (prefix)
    table.pre_tokenizer.push_back(makeStep(StepKind::PrependMissing, " "));
  if (regex)
    table.pre_tokenizer.push_back(makeGpt2Split());
  return {};
}

Status TokenizerJsonReader::readPreTokenizer(const Json &step,
                                             const std::string &place) {
  if (table.pre_tokenizer.size() >= rt::StepList::maxSteps)
    return wrong(place,
                 "at most " + std::to_string(rt::StepList::maxSteps) + " steps",
                 &step);
  std::string type = typeOf(step);
  if (byteLevel) // It has turned the text into GPT-2's alphabet.
    return wrong(place, "nothing after ByteLevel", &step);
  if (type == "Sequence")
    return readEach(step, place + ".pretokenizers", "pretokenizers",
                    &TokenizerJsonReader::readPreTokenizer);
  if (type == "Split")
    return readSplit(step, place);
  if (type == "Metaspace")
    return readMetaspace(step, place);
  if (type == "ByteLevel")
    return readByteLevel(step, place);
  if (type != "Digits")
    return wrong(place + ".type",
                 "Sequence, Split, Digits, ByteLevel or Metaspace",
                 presentMember(step, "type"));
  bool individual = false;
  if (Status status =
          readFlag(step, place, "individual_digits", false, individual);
      !status.ok())
    return status;
  table.pre_tokenizer.push_back(
      makeSplit(digitsPattern(), individual ? SplitBehavior::Isolated
                                            : SplitBehavior::Contiguous));
  return {};
}

//===--- Decoder ----------------------------------------------------------===//

/// Checks that `steps` are Llama 2's: spaces, then bytes, then perhaps one
/// space less at the start.
Status TokenizerJsonReader::checkLlamaDecoder(const Json &steps,
                                              const std::string &place) const {
  const Json known[] = {
      Json::object({{"type", "Replace"},
                    {"pattern", Json::object({{"String", visibleSpace}})},
                    {"content", " "}}),
      Json::object({{"type", "ByteFallback"}}),
      Json::object({{"type", "Fuse"}}),
      Json::object(
          {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}})};
  for (size_t i = 0; i < steps.size() || i < 3; ++i) {
    const Json *step = i < steps.size() ? &steps[i] : nullptr;
    if (i == 4 || !step || *step != known[i])
      return wrong(place + "[" + std::to_string(i) + "]",
                   i == 4 ? "no further step"
                          : known[i].dump(-1, ' ', /*ensure_ascii=*/true),
                   step);
  }
  return {};
}

Status TokenizerJsonReader::readDecoder(const Json &step,
                                        const std::string &place) {
  std::string type = typeOf(step);
  if (byteLevel != (type == "ByteLevel"))
    return wrong(place + ".type",
                 byteLevel ? "ByteLevel as in pre_tokenizer"
                           : "Metaspace or Sequence",
                 presentMember(step, "type"));
  if (type == "ByteLevel")
    return {};
  if (type == "Metaspace") {
    table.decoder = schema::Decoder::Metaspace;
    std::string scheme;
    Status status = readScheme(step, place, scheme);
    table.strip_decoded_space = scheme != "never";
    return status;
  }
  if (type != "Sequence")
    return wrong(place + ".type", "Metaspace or Sequence",
                 presentMember(step, "type"));
  const Json *steps = nullptr;
  if (Status status = readList(step, place + ".decoders", "decoders", steps);
      !status.ok())
    return status;
  table.strip_decoded_space = steps->size() == 4;
  return checkLlamaDecoder(*steps, place + ".decoders");
}

//===--- Post-processor ---------------------------------------------------===//

/// Reads which special tokens stand before a single text.
Status TokenizerJsonReader::readTemplatePart(const Json &part,
                                             const std::string &place) {
  if (presentMember(part, "Sequence")) {
    afterText = true;
    return {};
  }
  const Json *special = presentMember(part, "SpecialToken");
  if (!special || afterText)
    return wrong(place, "special tokens before the text only", &part);
  std::string text;
  if (Status status = readText(*special, place + ".SpecialToken", "id", text);
      !status.ok())
    return status;
  auto id = ids.find(text);
  if (id == ids.end())
    return wrong(place + ".SpecialToken.id", "a token of the vocabulary",
                 presentMember(*special, "id"));
  table.beginning_ids.push_back(static_cast<int32_t>(id->second));
  return {};
}

Status TokenizerJsonReader::readPostProcessor(const Json &step,
                                              const std::string &place) {
  std::string type = typeOf(step);
  if (type == "ByteLevel") // It changes offsets, not ids.
    return {};
  if (type == "TemplateProcessing") {
    afterText = false;
    return readEach(step, place + ".single", "single",
                    &TokenizerJsonReader::readTemplatePart);
  }
  if (type == "Sequence")
    return readEach(step, place + ".processors", "processors",
                    &TokenizerJsonReader::readPostProcessor);
  return wrong(place + ".type", "Sequence, TemplateProcessing or ByteLevel",
               presentMember(step, "type"));
}
