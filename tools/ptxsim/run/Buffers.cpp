// Reads buffers on the command line of ptx-run.

#include "tools/ptxsim/run/Buffers.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>

namespace ptxrun {

bool fail(std::string &message, const std::string &what,
          const std::string &expected, const std::string &got) {
  message = what + ": expected " + expected + ", got '" + got + "'";
  return false;
}

std::vector<std::string> split(const std::string &text, char separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (;;) {
    size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string::npos)
      return parts;
    begin = end + 1;
  }
}

bool readNumber(const std::string &text, uint64_t limit, uint64_t &value) {
  if (text.empty() || text.size() > 18 ||
      text.find_first_not_of("0123456789") != std::string::npos)
    return false;
  value = std::strtoull(text.c_str(), nullptr, 10);
  return value <= limit;
}

/// Gives an element of a buffer of random numbers, the same on every machine.
static void appendRandom(std::mt19937_64 &generator, const ValueType &type,
                         std::vector<uint8_t> &bytes) {
  uint64_t bits = generator();
  if (type.kind == ValueType::Kind::Float) {
    appendNumber(static_cast<double>(bits >> 11) * 0x1p-52 - 1.0, type, bytes);
    return;
  }
  for (unsigned i = 0; i < type.bytes; ++i)
    bytes.push_back(static_cast<uint8_t>(bits >> (8 * i)));
}

static bool readFile(const std::string &what, const std::string &name,
                     Argument &argument, std::string &message) {
  std::ifstream file(name, std::ios::binary);
  argument.bytes.assign(std::istreambuf_iterator<char>(file), {});
  uint64_t bytes = argument.count * argument.type.bytes;
  if (!file)
    return fail(message, what, "a file", name);
  return argument.bytes.size() == bytes ||
         fail(message, what,
              "a file of " + std::to_string(bytes) + " bytes",
              std::to_string(argument.bytes.size()));
}

static bool readValues(const std::string &what, const std::string &text,
                       Argument &argument, std::string &message) {
  std::vector<uint8_t> &bytes = argument.bytes;
  if (text.compare(0, 5, "file:") == 0)
    return readFile(what, text.substr(5), argument, message);
  if (text == "iota") {
    for (uint64_t i = 0; i < argument.count; ++i)
      appendNumber(static_cast<double>(i), argument.type, bytes);
    return true;
  }
  if (text.compare(0, 7, "random:") == 0) {
    uint64_t seed = 0;
    if (!readNumber(text.substr(7), UINT64_MAX, seed))
      return fail(message, what, "random:SEED", text);
    std::mt19937_64 generator(seed);
    for (uint64_t i = 0; i < argument.count; ++i)
      appendRandom(generator, argument.type, bytes);
    return true;
  }
  if (text.compare(0, 5, "fill:") == 0) {
    for (uint64_t i = 0; i < argument.count; ++i)
      if (!appendValue(text.substr(5), argument.type, bytes))
        return fail(message, what, "a number of its type", text.substr(5));
    return true;
  }
  std::vector<std::string> values = split(text, ',');
  if (values.size() != argument.count)
    return fail(message, what, std::to_string(argument.count) + " values",
                std::to_string(values.size()));
  for (const std::string &value : values)
    if (!appendValue(value, argument.type, bytes))
      return fail(message, what, "a number of its type", value);
  return true;
}

/// Reads "TYPE[SIZES]".
static bool readShape(const std::string &what, const std::string &text,
                      Argument &argument, std::string &message) {
  static constexpr uint64_t maxElements = uint64_t(1) << 28;
  size_t open = text.find('[');
  if (open == std::string::npos)
    return fail(message, what, "TYPE[ELEMENTS]", text);
  std::string type = text.substr(0, open);
  if (!findType(type, argument.type))
    return fail(message, what, "a type", type);
  std::string sizes = text.substr(open + 1);
  for (const std::string &part : split(sizes, ',')) {
    uint64_t size = 0;
    if (!readNumber(part, maxElements, size) || size == 0 ||
        argument.count > maxElements / size)
      return fail(message, what, "a number of elements from 1", sizes);
    argument.count *= size;
    argument.sizes.push_back(size);
  }
  return true;
}

/// Reads "box=SIZES" or "swizzle=BYTES".
static bool readMap(const std::string &what, const std::string &text,
                    Argument &argument, std::string &message) {
  uint64_t number = 0;
  if (text.compare(0, 8, "swizzle=") == 0) {
    std::string bytes = text.substr(8);
    if (bytes != "32" && bytes != "64" && bytes != "128")
      return fail(message, what, "swizzle=32, 64 or 128", text);
    readNumber(bytes, 128, number);
    argument.swizzle = static_cast<unsigned>(number);
    return true;
  }
  if (text.compare(0, 4, "box=") != 0)
    return fail(message, what, "box=SIZES or swizzle=BYTES", text);
  for (const std::string &part : split(text.substr(4), 'x')) {
    if (!readNumber(part, UINT32_MAX, number))
      return fail(message, what, "box=SIZES with x between them", text);
    argument.box.push_back(static_cast<uint32_t>(number));
  }
  if (argument.box.size() != argument.sizes.size())
    return fail(message, what,
                "a box of " + std::to_string(argument.sizes.size()) +
                    " dimensions",
                text);
  return true;
}

bool readBuffer(const std::string &what, std::string text, Argument &argument,
                std::string &message) {
  argument.isBuffer = true;
  size_t arrow = text.find('>');
  if (arrow != std::string::npos) {
    argument.file = text.substr(arrow + 1);
    if (!argument.isCopiedOut || argument.file.empty())
      return fail(message, what, ">FILE behind an output", text.substr(arrow));
    text.resize(arrow);
  }
  size_t close = std::min(text.find(']'), text.size());
  if (!readShape(what, text.substr(0, close), argument, message))
    return false;
  size_t at = close + 1;
  while (at < text.size() && text[at] == ',') {
    size_t equals = text.find('=', at);
    size_t end = std::min(text.find_first_of(",=", equals + 1), text.size());
    if (equals == std::string::npos)
      end = text.size();
    if (!readMap(what, text.substr(at + 1, end - at - 1), argument, message))
      return false;
    at = end;
  }
  if (argument.swizzle != 0 && argument.box.empty())
    return fail(message, what, "box=SIZES beside swizzle", text);
  std::string rest = at < text.size() ? text.substr(at) : "";
  bool hasValues = !rest.empty() && rest[0] == '=';
  if (close == text.size() || hasValues != argument.isCopiedIn ||
      (!hasValues && !rest.empty()))
    return fail(message, what,
                argument.isCopiedIn ? "=VALUES behind ]" : "nothing behind ]",
                rest);
  return !hasValues || readValues(what, rest.substr(1), argument, message);
}

} // namespace ptxrun
