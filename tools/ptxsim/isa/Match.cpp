// Finds the form of an instruction by its words.

#include "tools/ptxsim/isa/Form.h"

#include <algorithm>
#include <unordered_map>

using namespace ptxsim;
using namespace ptxsim::isa;

static std::optional<ptx::Space> spaceNamed(std::string_view word) {
  if (word == "global")
    return ptx::Space::Global;
  if (word == "shared" || word == "shared::cta")
    return ptx::Space::Shared;
  if (word == "shared::cluster")
    return ptx::Space::SharedCluster;
  if (word == "local")
    return ptx::Space::Local;
  if (word == "const")
    return ptx::Space::Constant;
  if (word == "param" || word == "param::entry" || word == "param::func")
    return ptx::Space::Parameter;
  return std::nullopt;
}

namespace {
/// One `.word` or `.(a|b)` of a syntax line.
struct WordGroup {
  bool optional = false;
  std::vector<std::string_view> words;

  bool isOfTypes() const { return ptx::typeNamed(words.front()).has_value(); }
  bool isOfSpaces() const { return spaceNamed(words.front()).has_value(); }
};

struct Syntax {
  const Form *form = nullptr;
  std::vector<WordGroup> groups;
  size_t ordered = 0; ///< Groups before the blank; the others go in any order.
};

/// The forms of every opcode, their syntax lines taken apart.
struct Index {
  std::unordered_map<std::string_view, std::vector<Syntax>> opcodes;
  Index();
};
} // namespace

/// Takes a syntax line apart; returns the opcode.
static std::string_view takeApart(std::string_view line, Syntax &syntax) {
  size_t end = line.find_first_of(".? ");
  std::string_view opcode = line.substr(0, end);
  syntax.ordered = Match::maxGroups;
  while (end < line.size()) {
    if (line[end] == ' ') {
      syntax.ordered = syntax.groups.size();
      ++end;
      continue;
    }
    WordGroup group;
    group.optional = line[end] == '?';
    size_t begin = end + (group.optional ? 2 : 1);
    if (begin < line.size() && line[begin] == '(') {
      size_t close = line.find(')', begin);
      std::string_view list = line.substr(begin + 1, close - begin - 1);
      for (size_t bar; (bar = list.find('|')) != std::string_view::npos;
           list.remove_prefix(bar + 1))
        group.words.push_back(list.substr(0, bar));
      group.words.push_back(list);
      end = close + 1;
    } else {
      end = std::min(line.find_first_of(".? ", begin), line.size());
      group.words.push_back(line.substr(begin, end - begin));
    }
    syntax.groups.push_back(std::move(group));
  }
  syntax.ordered = std::min(syntax.ordered, syntax.groups.size());
  return opcode;
}

Index::Index() {
  for (const Family &family : families()) {
    for (size_t i = 0; i < family.count; ++i) {
      Syntax syntax;
      syntax.form = &family.forms[i];
      std::string_view opcode = takeApart(family.forms[i].syntax, syntax);
      opcodes[opcode].push_back(std::move(syntax));
    }
  }
}

static const Index &index() {
  static const Index instance;
  return instance;
}

/// Notes what a word means for types, vector size and space.
static void note(std::string_view word, Match &match) {
  if (std::optional<ptx::Type> type = ptx::typeNamed(word)) {
    if (match.typeCount < 4)
      match.types[match.typeCount++] = *type;
  } else if (word == "v2" || word == "v4" || word == "v8") {
    match.vectorSize = unsigned(word[1] - '0');
  } else if (std::optional<ptx::Space> space = spaceNamed(word)) {
    if (match.spaceCount == 0)
      match.space = *space;
    if (match.spaceCount < 2)
      match.spaces[match.spaceCount++] = *space;
  }
}

/// True if a word of a syntax line, which may end in a star, stands for `word`.
static bool wordFits(std::string_view pattern, std::string_view word) {
  if (pattern.empty() || pattern.back() != '*')
    return pattern == word;
  pattern.remove_suffix(1);
  return word.substr(0, pattern.size()) == pattern;
}

/// Compares words with a syntax line. Groups are taken greedily: no form has an
/// optional group whose word another group right after it could take.
///
/// \param [out] choice The alternative taken of each group, or -1.
/// \param [out] matched How many words fitted.
/// \returns true if all words fitted and no group is missing.
static bool fits(const Syntax &syntax, const std::string_view *words,
                 unsigned count, std::array<int8_t, Match::maxGroups> &choice,
                 unsigned &matched) {
  const std::vector<WordGroup> &groups = syntax.groups;
  unsigned at = 0;
  auto take = [&](size_t g) {
    const std::vector<std::string_view> &list = groups[g].words;
    auto found =
        std::find_if(list.begin(), list.end(), [&](std::string_view pattern) {
          return wordFits(pattern, words[at]);
        });
    if (choice[g] >= 0 || found == list.end())
      return false;
    choice[g] = int8_t(found - list.begin());
    matched = ++at;
    return true;
  };
  choice.fill(-1);
  matched = 0;
  for (size_t g = 0; g < syntax.ordered; ++g)
    if ((at == count || !take(g)) && !groups[g].optional)
      return false;
  while (at < count) {
    bool isType = ptx::typeNamed(words[at]).has_value();
    bool isSpace = spaceNamed(words[at]).has_value();
    size_t g = syntax.ordered;
    while (g < groups.size() && !take(g)) {
      bool isNext = choice[g] < 0 && ((isType && groups[g].isOfTypes()) ||
                                      (isSpace && groups[g].isOfSpaces()));
      g = isNext ? groups.size() : g + 1;
    }
    if (g == groups.size())
      return false;
  }
  for (size_t g = syntax.ordered; g < groups.size(); ++g)
    if (choice[g] < 0 && !groups[g].optional)
      return false;
  return true;
}

/// Adds the words that could stand after the first `matched` of `count`. After
/// the last one only those that are missing help.
static void addExpected(const Syntax &syntax, const std::string_view *words,
                        unsigned matched, unsigned count,
                        std::vector<std::string_view> &expected) {
  std::array<int8_t, Match::maxGroups> choice;
  unsigned reached = 0;
  fits(syntax, words, matched, choice, reached);
  if (reached < matched)
    return;
  size_t next = 0;
  for (size_t g = 0; g < syntax.ordered; ++g)
    if (choice[g] >= 0)
      next = g + 1;
  for (size_t g = next; g < syntax.groups.size(); ++g) {
    const WordGroup &group = syntax.groups[g];
    if (choice[g] >= 0 || (matched == count && group.optional))
      continue;
    expected.insert(expected.end(), group.words.begin(), group.words.end());
    if (g < syntax.ordered && !group.optional)
      return;
  }
}

/// Says what could have stood after the first `matched` words.
static std::string expectation(const std::vector<Syntax> &forms,
                               const ptx::Instruction &instruction,
                               const std::string_view *words,
                               unsigned matched) {
  std::vector<std::string_view> expected;
  for (const Syntax &syntax : forms)
    addExpected(syntax, words, matched, instruction.wordCount, expected);
  std::sort(expected.begin(), expected.end());
  expected.erase(std::unique(expected.begin(), expected.end()), expected.end());
  std::string after(instruction.opcode);
  for (unsigned i = 0; i < matched; ++i)
    after.append(".").append(words[i]);
  std::string list;
  for (size_t i = 0; i < expected.size() && i < 24; ++i)
    list.append(i == 0 ? "." : ", .").append(expected[i]);
  std::string got = matched < instruction.wordCount
                        ? "'." + std::string(words[matched]) + "'"
                        : "no more words";
  if (list.empty())
    return "expected the end of '" + after + "', got " + got;
  return "expected " + std::string(expected.size() > 1 ? "one of " : "") +
         list + " after '" + after + "', got " + got;
}

bool isa::match(const ptx::Module &module, const ptx::Function &function,
                const ptx::Instruction &instruction, Match &result,
                std::string &message) {
  auto entry = index().opcodes.find(instruction.opcode);
  if (entry == index().opcodes.end()) {
    message = "expected an instruction that the simulator supports, got '" +
              std::string(instruction.opcode) + "'";
    return false;
  }
  const std::string_view *words = function.words.data() + instruction.firstWord;
  unsigned furthest = 0;
  bool wordsFit = false;
  for (const Syntax &syntax : entry->second) {
    unsigned matched = 0;
    if (fits(syntax, words, instruction.wordCount, result.choice, matched)) {
      result.form = syntax.form;
      result.instruction = &instruction;
      result.function = &function;
      result.typeCount = 0;
      result.vectorSize = 1;
      result.space = ptx::Space::Generic;
      result.spaceCount = 0;
      result.reason.clear();
      for (unsigned i = 0; i < instruction.wordCount; ++i)
        note(words[i], result);
      std::string operandMessage;
      if (checkOperands(module, result, operandMessage))
        return true;
      if (!wordsFit)
        message = operandMessage;
      wordsFit = true;
    }
    furthest = std::max(furthest, matched);
  }
  if (wordsFit)
    return false;
  message = expectation(entry->second, instruction, words, furthest);
  return false;
}

bool Match::has(std::string_view word) const {
  const std::string_view *words =
      function->words.data() + instruction->firstWord;
  return std::find(words, words + instruction->wordCount, word) !=
         words + instruction->wordCount;
}

std::string_view
Match::first(std::initializer_list<std::string_view> words) const {
  for (std::string_view word : words)
    if (has(word))
      return word;
  return {};
}

Handler Match::refuse(std::string expected) const {
  reason = std::move(expected);
  return nullptr;
}

std::string isa::refusalOf(const Match &match) {
  return match.reason.empty()
             ? "this combination of words and numbers is not supported"
             : "expected " + match.reason;
}

std::string isa::checkOrderAndScope(const Match &match) {
  std::string_view order =
      match.first({"relaxed", "acquire", "release", "acq_rel"});
  std::string_view scope = match.first({"cta", "cluster", "gpu", "sys"});
  if (order.empty() == scope.empty())
    return "";
  if (scope.empty())
    return "a scope beside ." + std::string(order) +
           ": .cta, .cluster, .gpu or .sys";
  return "a memory order, as .relaxed, beside the scope ." + std::string(scope);
}
