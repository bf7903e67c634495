// vprintf, malloc, free and __assertfail: functions that a kernel finds without
// defining them.
//
// Source: CUDA C++ Programming Guide 13.0, "Formatted Output", "Dynamic Global
// Memory Allocation", "Assertion".

#include "tools/ptxsim/isa/Builtins.h"

#include "tools/ptxsim/checks/Undefined.h"
#include "tools/ptxsim/core/Access.h"
#include "tools/ptxsim/isa/Lanes.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>

using namespace ptxsim;
using namespace ptxsim::isa;

/// The parameter or result of the running builtin, in a lane's frame.
static uint8_t *place(Warp &warp, const FrameVariable &variable, int lane) {
  return warp.localStorage.data() + size_t(lane) * warp.localLimit +
         warp.now.local + variable.offset;
}

static uint64_t argument(Warp &warp, size_t index, int lane) {
  const Code &code = *warp.now.code;
  uint64_t value = 0;
  if (index >= code.parameters.size())
    return 0;
  std::memcpy(&value, place(warp, code.parameters[index], lane),
              std::min<size_t>(code.parameters[index].bytes, sizeof(value)));
  return value;
}

static void setResult(Warp &warp, int lane, uint64_t value) {
  const Code &code = *warp.now.code;
  if (!code.results.empty())
    std::memcpy(place(warp, code.results[0], lane), &value,
                std::min<size_t>(code.results[0].bytes, sizeof(value)));
  if (!code.results.empty() && warp.checks != nullptr)
    defineMemory(*warp.block, &warp, place(warp, code.results[0], lane),
                 code.results[0].bytes);
}

/// Checks that an argument is defined.
///
/// \returns false after noting a fault.
static bool checkArgument(Warp &warp, const Op &op, size_t index, int lane,
                          const char *function) {
  const Code &code = *warp.now.code;
  if (warp.checks == nullptr || index >= code.parameters.size())
    return true;
  const FrameVariable &variable = code.parameters[index];
  return checkMemory(warp, op, lane, place(warp, variable, lane), variable.bytes,
                     std::string("the argument of ") + function);
}

/// Reads a text of the device up to its end.
///
/// \returns false after noting a fault.
static bool readText(Warp &warp, const Op &op, int lane, uint64_t address,
                     std::string &result) {
  result.clear();
  while (result.size() < 65536) {
    const uint8_t *byte = resolveRange(warp, op, lane, ptx::Space::Generic,
                                       AccessKind::Read, address + result.size(),
                                       1, 1);
    if (byte == nullptr ||
        (warp.checks != nullptr &&
         !checkMemory(warp, op, lane, byte, 1, "the text that is printed")))
      return false;
    if (*byte == 0)
      return true;
    result.push_back(char(*byte));
  }
  return true;
}

namespace {
/// Renders one vprintf. The arguments lie one after another, each aligned to its
/// size; floats have become doubles.
class Formatter {
public:
  Formatter(Warp &warp, const Op &op, int lane, uint64_t arguments)
      : warp(warp), op(op), lane(lane), next(arguments) {}

  bool run(const std::string &format, std::string &result);
  /// How many arguments were taken.
  uint64_t count() const { return taken; }

private:
  bool take(void *value, uint32_t bytes);
  bool conversion(const std::string &flags, unsigned longs, char letter,
                  std::string &result);

  Warp &warp;
  const Op &op;
  int lane;
  uint64_t next;
  uint64_t taken = 0;
};
} // namespace

bool Formatter::take(void *value, uint32_t bytes) {
  next = (next + bytes - 1) / bytes * bytes;
  const uint8_t *from = resolveRange(warp, op, lane, ptx::Space::Generic,
                                     AccessKind::Read, next, bytes, bytes);
  if (from == nullptr ||
      (warp.checks != nullptr &&
       !checkMemory(warp, op, lane, from, bytes, "the value that is printed")))
    return false;
  std::memcpy(value, from, bytes);
  next += bytes;
  ++taken;
  return true;
}

/// Formats one argument; `flags` is "%-08.3" and the like.
bool Formatter::conversion(const std::string &flags, unsigned longs,
                           char letter, std::string &result) {
  char text[512];
  switch (letter) {
  case 'd':
  case 'i':
  case 'u':
  case 'o':
  case 'x':
  case 'X': {
    uint64_t value = 0;
    if (!take(&value, longs != 0 ? 8 : 4))
      return false;
    bool isSigned = letter == 'd' || letter == 'i';
    if (longs == 0 && isSigned)
      value = uint64_t(int64_t(int32_t(value)));
    std::string spec = flags + "l" + letter;
    snprintf(text, sizeof(text), spec.c_str(), (unsigned long)value);
    break;
  }
  case 'c': {
    uint32_t value = 0;
    if (!take(&value, 4))
      return false;
    snprintf(text, sizeof(text), (flags + "c").c_str(), int(value));
    break;
  }
  case 'p': {
    uint64_t value = 0;
    if (!take(&value, 8))
      return false;
    snprintf(text, sizeof(text), "0x%" PRIx64, value);
    break;
  }
  case 's': {
    uint64_t address = 0;
    std::string argument;
    if (!take(&address, 8) || !readText(warp, op, lane, address, argument))
      return false;
    int length = snprintf(text, sizeof(text), (flags + "s").c_str(), argument.c_str());
    if (size_t(length) >= sizeof(text)) {
      result += argument;
      return true;
    }
    break;
  }
  default: {
    double value = 0;
    if (!take(&value, 8))
      return false;
    snprintf(text, sizeof(text), (flags + letter).c_str(), value);
  }
  }
  result += text;
  return true;
}

bool Formatter::run(const std::string &format, std::string &result) {
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      result.push_back(format[i]);
      continue;
    }
    size_t end = i + 1;
    std::string flags = "%";
    while (end < format.size() && strchr("-+ #0123456789.*", format[end])) {
      if (format[end] == '*') {
        int32_t width = 0;
        if (!take(&width, 4))
          return false;
        flags += std::to_string(std::min(width, 256));
      } else if (flags.size() < 12) {
        flags.push_back(format[end]);
      }
      ++end;
    }
    unsigned longs = 0;
    for (; end < format.size() && strchr("hlqjzt", format[end]); ++end)
      longs += format[end] != 'h';
    if (end >= format.size())
      break;
    char letter = format[end];
    i = end;
    if (letter == '%')
      result.push_back('%');
    else if (strchr("diuoxXcpseEfFgGaA", letter) == nullptr)
      result += flags + letter;
    else if (!conversion(flags, longs, letter, result))
      return false;
  }
  return true;
}

static Next print(Warp &warp, const Op &op, LaneMask mask) {
  for (; mask != 0; mask &= mask - 1) {
    int lane = __builtin_ctz(mask);
    std::string format, text;
    if (!checkArgument(warp, op, 0, lane, "printf") ||
        !checkArgument(warp, op, 1, lane, "printf"))
      return Next::Stop;
    uint64_t address = argument(warp, 0, lane);
    if (address == 0) {
      setResult(warp, lane, uint64_t(-1));
      continue;
    }
    if (!readText(warp, op, lane, address, format))
      return Next::Stop;
    Formatter formatter(warp, op, lane, argument(warp, 1, lane));
    if (!formatter.run(format, text))
      return Next::Stop;
    fwrite(text.data(), 1, text.size(), stdout);
    // Unlike that of C, it returns the number of arguments.
    setResult(warp, lane, formatter.count());
  }
  ++warp.block->cluster->changes;
  return Next::Advance;
}

static Next failAssertion(Warp &warp, const Op &op, LaneMask mask) {
  int lane = __builtin_ctz(mask);
  std::string condition, file, function;
  if (!readText(warp, op, lane, argument(warp, 0, lane), condition) ||
      !readText(warp, op, lane, argument(warp, 1, lane), file) ||
      !readText(warp, op, lane, argument(warp, 3, lane), function))
    return Next::Stop;
  Fault fault;
  fault.code = FaultCode::Assert;
  fault.check = "assertion failed";
  fault.message = file + ":" + std::to_string(uint32_t(argument(warp, 2, lane))) +
                  ": " + function + ": " + condition;
  fault.advice = "the kernel's own assertion does not hold; look at its source";
  return warp.worker->stop(warp, op, std::move(fault), lane);
}

/// Allocates from the heap of the context; null if its limit is reached.
static Next allocate(Warp &warp, const Op &op, LaneMask mask) {
  const GridRun &grid = *warp.block->cluster->grid;
  for (; mask != 0; mask &= mask - 1) {
    int lane = __builtin_ctz(mask);
    if (!checkArgument(warp, op, 0, lane, "malloc"))
      return Next::Stop;
    uint64_t bytes = argument(warp, 0, lane);
    uint64_t address = 0;
    if (bytes != 0 && bytes <= grid.limits.heapBytes)
      address = warp.worker->memory.allocate(bytes, 256, MemoryKind::Heap,
                                             grid.launch.context);
    setResult(warp, lane, address);
  }
  ++warp.block->cluster->changes;
  return Next::Advance;
}

static Next release(Warp &warp, const Op &op, LaneMask mask) {
  for (; mask != 0; mask &= mask - 1) {
    int lane = __builtin_ctz(mask);
    if (!checkArgument(warp, op, 0, lane, "free"))
      return Next::Stop;
    uint64_t address = argument(warp, 0, lane);
    Allocation allocation;
    if (address == 0)
      continue;
    if (warp.worker->memory.find(address, allocation) &&
        allocation.address == address && allocation.kind == MemoryKind::Heap) {
      warp.worker->memory.free(address);
      continue;
    }
    bool isFreed = warp.worker->memory.findFreed(address, allocation) &&
                   allocation.address == address;
    Fault fault;
    fault.code = FaultCode::IllegalAddress;
    fault.check = isFreed ? "double free" : "free";
    fault.message = "expected an address that malloc returned";
    fault.address = describeGlobal(warp.worker->memory, address);
    fault.advice = isFreed ? "free once, or set the pointer to null"
                           : "free what malloc of a kernel returned and nothing else";
    return warp.worker->stop(warp, op, std::move(fault), lane);
  }
  return Next::Advance;
}

Handler isa::builtin(std::string_view name) {
  if (name == "vprintf")
    return print;
  if (name == "__assertfail")
    return failAssertion;
  if (name == "malloc")
    return allocate;
  if (name == "free")
    return release;
  return nullptr;
}
