// Reads the command line of ptx-run.

#include "tools/ptxsim/run/Arguments.h"

#include "tools/ptxsim/run/Buffers.h"

#include <cstdlib>

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
    "  --repeat N         launch N times and print how long it took\n"
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
    "A buffer may have several dimensions, the outermost first. With\n"
    "\",box=SIZES\" behind them the parameter is a tensor map of the buffer,\n"
    "with \",swizzle=32\", 64 or 128 if wanted:\n"
    "\n"
    "  in:bf16[256,64],box=128x64,swizzle=128=random:1\n"
    "\n"
    "VALUES are numbers with commas between them, iota (0, 1, 2, …),\n"
    "fill:NUMBER, random:SEED (floats from -1 to 1, integers of all bits), or\n"
    "file:NAME (its bytes). \">NAME\" at the end of an output writes its bytes\n"
    "to a file.\n";

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

/// Reads an argument as the usage text describes it.
static bool readArgument(const std::string &text, Argument &argument,
                         std::string &message) {
  std::string what = "argument '" + text + "'";
  size_t colon = text.find(':');
  std::string kind = text.substr(0, colon);
  std::string rest = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (kind == "bytes")
    return readBytes(what, rest, argument, message);
  argument.isCopiedIn = kind == "in" || kind == "inout";
  argument.isCopiedOut = kind == "out" || kind == "inout";
  if (argument.isCopiedIn || argument.isCopiedOut)
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
  if (name != "--shared" && name != "--repeat")
    return fail(message, "ptx-run", "an option of the usage text", name);
  if (!readNumber(value, UINT32_MAX, number))
    return fail(message, name, "a number", value);
  (name == "--shared" ? options.sharedBytes : options.repeat) =
      static_cast<unsigned>(number);
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
