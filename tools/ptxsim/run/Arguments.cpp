// Reads the command line of ptx-run.

#include "tools/ptxsim/run/Arguments.h"

#include <cstdlib>
#include <random>

namespace ptxrun {

const char *const usage =
    "usage: ptx-run FILE.ptx [options] [arguments]\n"
    "\n"
    "Runs a kernel of a PTX file through libcuda.so.1 and prints buffers.\n"
    "\n"
    "  --kernel NAME      the kernel; may be left out if there is one\n"
    "  --grid X[,Y[,Z]]   blocks\n"
    "  --block X[,Y[,Z]]  threads of a block\n"
    "  --cluster X[,Y[,Z]] blocks of a cluster\n"
    "  --shared BYTES     dynamic shared memory\n"
    "  --cooperative      a cooperative launch\n"
    "  --list             load the file, name its kernels and launch none\n"
    "\n"
    "One argument for each parameter of the kernel, with a type u8 to u64, s8\n"
    "to s64, b8 to b64, f16, bf16, f32, f64, e4m3, e5m2:\n"
    "\n"
    "  u32:5              a value\n"
    "  bytes:00ff…        a structure, as hexadecimal digits\n"
    "  in:u32[4]=VALUES   the address of a buffer that is copied in\n"
    "  out:f32[32]        that of a buffer that is printed afterwards\n"
    "  inout:u8[4]=VALUES both\n"
    "\n"
    "VALUES are numbers with commas between them, iota (0, 1, 2, …),\n"
    "fill:NUMBER, or random:SEED (floats from -1 to 1, integers of all bits).\n";

static bool fail(std::string &message, const std::string &what,
                 const std::string &expected, const std::string &got) {
  message = what + ": expected " + expected + ", got '" + got + "'";
  return false;
}

static std::vector<std::string> split(const std::string &text, char separator) {
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

static bool readNumber(const std::string &text, uint64_t limit,
                       uint64_t &value) {
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

static bool readValues(const std::string &what, const std::string &text,
                       Argument &argument, std::string &message) {
  std::vector<uint8_t> &bytes = argument.bytes;
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

/// Reads "TYPE[N]" or "TYPE[N]=VALUES".
static bool readBuffer(const std::string &what, const std::string &text,
                       Argument &argument, std::string &message) {
  static constexpr uint64_t maxElements = uint64_t(1) << 28;
  argument.isBuffer = true;
  size_t open = text.find('['), close = text.find(']');
  if (open == std::string::npos || close == std::string::npos || close < open)
    return fail(message, what, "TYPE[ELEMENTS]", text);
  std::string type = text.substr(0, open);
  if (!findType(type, argument.type))
    return fail(message, what, "a type", type);
  std::string count = text.substr(open + 1, close - open - 1);
  if (!readNumber(count, maxElements, argument.count) || argument.count == 0)
    return fail(message, what, "a number of elements from 1", count);
  std::string rest = text.substr(close + 1);
  bool hasValues = !rest.empty() && rest[0] == '=';
  if (hasValues != argument.isCopiedIn)
    return fail(message, what,
                argument.isCopiedIn ? "=VALUES behind ]" : "nothing behind ]",
                rest);
  return !hasValues || readValues(what, rest.substr(1), argument, message);
}

static bool readBytes(const std::string &what, const std::string &digits,
                      Argument &argument, std::string &message) {
  argument.type = {ValueType::Kind::Bits, 1, 0, 0};
  for (size_t i = 0; i < digits.size(); i += 2)
    if (!appendValue("0x" + digits.substr(i, 2), argument.type,
                     argument.bytes) ||
        digits.find_first_not_of("0123456789abcdefABCDEF") !=
            std::string::npos ||
        digits.size() % 2 != 0)
      return fail(message, what, "an even number of hexadecimal digits",
                  digits);
  return true;
}

bool readArgument(const std::string &text, Argument &argument,
                  std::string &message) {
  std::string what = "argument '" + text + "'";
  size_t colon = text.find(':');
  std::string kind = text.substr(0, colon);
  std::string rest = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (kind == "bytes")
    return readBytes(what, rest, argument, message);
  argument.isCopiedIn = kind == "in" || kind == "inout";
  argument.isPrinted = kind == "out" || kind == "inout";
  if (argument.isCopiedIn || argument.isPrinted)
    return readBuffer(what, rest, argument, message);
  if (!findType(kind, argument.type))
    return fail(message, what, "in, out, inout, bytes or a type", kind);
  if (!appendValue(rest, argument.type, argument.bytes))
    return fail(message, what, "a number of its type", rest);
  return true;
}

static bool readSizes(const std::string &what, const std::string &text,
                      std::array<unsigned, 3> &sizes, std::string &message) {
  std::vector<std::string> parts = split(text, ',');
  if (parts.size() > 3)
    return fail(message, what, "X[,Y[,Z]]", text);
  sizes = {1, 1, 1};
  for (size_t i = 0; i < parts.size(); ++i) {
    uint64_t value = 0;
    if (!readNumber(parts[i], UINT32_MAX, value))
      return fail(message, what, "X[,Y[,Z]]", text);
    sizes[i] = static_cast<unsigned>(value);
  }
  return true;
}

/// Reads the option `name` with its value.
static bool readOption(const std::string &name, const std::string &value,
                       Options &options, std::string &message) {
  uint64_t number = 0;
  if (name == "--kernel") {
    options.kernel = value;
    return true;
  }
  if (name == "--grid")
    return readSizes(name, value, options.grid, message);
  if (name == "--block")
    return readSizes(name, value, options.block, message);
  if (name == "--cluster") {
    options.cluster.emplace();
    return readSizes(name, value, *options.cluster, message);
  }
  if (name != "--shared")
    return fail(message, "ptx-run", "an option of the usage text", name);
  if (!readNumber(value, UINT32_MAX, number))
    return fail(message, name, "a number of bytes", value);
  options.sharedBytes = static_cast<unsigned>(number);
  return true;
}

bool readOptions(const std::vector<std::string> &words, Options &options,
                 std::string &message) {
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string &word = words[i];
    if (word == "--cooperative") {
      options.cooperative = true;
      continue;
    }
    if (word == "--list") {
      options.list = true;
      continue;
    }
    if (word.compare(0, 2, "--") == 0) {
      if (i + 1 == words.size())
        return fail(message, word, "a value", "");
      if (!readOption(word, words[++i], options, message))
        return false;
      continue;
    }
    if (options.file.empty()) {
      options.file = word;
      continue;
    }
    Argument argument;
    if (!readArgument(word, argument, message))
      return false;
    options.arguments.push_back(std::move(argument));
  }
  if (options.file.empty())
    return fail(message, "ptx-run", "a PTX file", "");
  return true;
}

} // namespace ptxrun
