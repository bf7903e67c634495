#include "frontends/checkpoint/Json.h"

#include "frontends/checkpoint/FileKind.h"
#include "frontends/model/Message.h"
#include "runtime/support/File.h"

#include <algorithm>
#include <iterator>

using namespace tcc;

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

namespace {
/// Reads the text for nlohmann's lexer and tells the builder how far it is: the
/// events themselves carry no position.
class CountingIterator {
public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char *;
  using reference = const char &;

  CountingIterator(const char *at, const char **furthest)
      : at(at), furthest(furthest) {}
  reference operator*() const { return *at; }
  CountingIterator &operator++() {
    *furthest = ++at;
    return *this;
  }
  bool operator==(const CountingIterator &other) const {
    return at == other.at;
  }
  bool operator!=(const CountingIterator &other) const {
    return at != other.at;
  }

private:
  const char *at;
  const char **furthest;
};

/// Builds the value from the events of nlohmann's parser, which is a loop with
/// a stack on the heap: no input overflows the machine's stack.
class JsonBuilder : public nlohmann::json_sax<Json> {
public:
  JsonBuilder(size_t maximumDepth, Json &root)
      : maximumDepth(maximumDepth), root(root) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t &) override {
    return add(value);
  }
  bool string(string_t &value) override { return add(std::move(value)); }
  bool binary(binary_t &) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool key(string_t &value) override;
  bool parse_error(std::size_t, const std::string &,
                   const nlohmann::detail::exception &error) override;

  /// What is wrong, after a call has returned false.
  std::string problem;

private:
  bool add(Json value) { return place(std::move(value)) != nullptr; }
  Json *place(Json value);
  bool open(Json container);
  bool close() {
    stack.pop_back();
    return true;
  }

  size_t maximumDepth;
  Json &root;
  std::vector<Json *> stack; ///< The containers that are open, outermost first.
  Json *member = nullptr;    ///< Where the value of the last key belongs.
};
} // namespace

bool JsonBuilder::key(string_t &value) {
  auto [entry, isNew] = stack.back()->emplace(value, nullptr);
  if (!isNew)
    problem = "expected every key once, got a second " + quoteText(value);
  member = &*entry;
  return isNew;
}

/// Puts `value` where the parser is; \returns its place.
Json *JsonBuilder::place(Json value) {
  if (stack.empty()) {
    root = std::move(value);
    return &root;
  }
  if (stack.back()->is_array()) {
    stack.back()->push_back(std::move(value));
    return &stack.back()->back();
  }
  *member = std::move(value);
  return member;
}

bool JsonBuilder::open(Json container) {
  if (stack.size() == maximumDepth) {
    problem = "expected at most " + std::to_string(maximumDepth) +
              " levels of arrays and objects, got more";
    return false;
  }
  stack.push_back(place(std::move(container)));
  return true;
}

/// Takes from nlohmann's message what is behind the position, without the text
/// that was read: that may be long and may be no UTF-8.
bool JsonBuilder::parse_error(std::size_t, const std::string &,
                              const nlohmann::detail::exception &error) {
  std::string text = error.what();
  size_t position = text.find(", column ");
  size_t start =
      position == std::string::npos ? position : text.find(": ", position);
  if (start == std::string::npos)
    start = text.find("] ");
  start = start == std::string::npos ? 0 : start + 2;
  text = text.substr(start, text.find("; last read", start) - start);
  problem = "expected valid JSON, got: " + text.substr(0, 160);
  return false;
}

/// "line 3, column 7" of the byte before `at`.
static std::string placeText(const char *begin, const char *at) {
  auto line = std::count(begin, at, '\n') + 1;
  const char *lineStart = at;
  while (lineStart > begin && lineStart[-1] != '\n')
    --lineStart;
  return "line " + std::to_string(line) + ", column " +
         std::to_string(std::max<std::ptrdiff_t>(at - lineStart, 1));
}

Status tcc::parseJson(const std::string &path, const void *data, size_t size,
                      const JsonLimits &limits, Json &result) {
  if (size > limits.bytes)
    return damagedData(path + ": expected at most " +
                       std::to_string(limits.bytes) + " bytes of JSON, got " +
                       std::to_string(size));
  const char *begin = static_cast<const char *>(data);
  const char *furthest = begin;
  Json value;
  JsonBuilder builder(limits.depth, value);
  bool parsed =
      Json::sax_parse(CountingIterator(begin, &furthest),
                      CountingIterator(begin + size, &furthest), &builder);
  if (!parsed)
    return damagedData(path + ": " + placeText(begin, furthest) + ": " +
                       builder.problem);
  result = std::move(value);
  return {};
}

Status tcc::parseJsonFile(const std::string &path, const JsonLimits &limits,
                          Json &result) {
  MappedFile file;
  if (Status status = MappedFile::open(path, file); !status.ok())
    return status;
  if (Status status = refuseForeignFile(path, file.data(), file.size());
      !status.ok())
    return status;
  Json value;
  if (Status status = parseJson(path, file.data(), file.size(), limits, value);
      !status.ok())
    return status;
  if (!value.is_object())
    return damagedData(path + ": expected a JSON object, got " +
                       jsonText(&value));
  result = std::move(value);
  return {};
}

//===----------------------------------------------------------------------===//
// Looking at values
//===----------------------------------------------------------------------===//

const Json *tcc::findMember(const Json &object, const std::string &key) {
  if (!object.is_object())
    return nullptr;
  auto entry = object.find(key);
  return entry == object.end() ? nullptr : &*entry;
}

/// A short array of numbers as it is written, any other by its length.
static std::string arrayText(const Json &array) {
  constexpr size_t longest = 4;
  bool isShort = !array.empty() && array.size() <= longest &&
                 std::all_of(array.begin(), array.end(), [](const Json &value) {
                   return value.is_number();
                 });
  if (!isShort)
    return "an array of " + std::to_string(array.size());
  std::string text;
  for (const Json &value : array)
    text += (text.empty() ? "[" : ", ") + value.dump();
  return text + "]";
}

std::string tcc::jsonText(const Json *value) {
  if (!value)
    return "nothing";
  if (value->is_array())
    return arrayText(*value);
  if (value->is_object())
    return value->empty() ? "an empty object" : "an object";
  if (const auto *text = value->get_ptr<const std::string *>())
    return quoteText(*text);
  return value->dump();
}
