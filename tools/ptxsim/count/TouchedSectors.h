// Which sectors of global memory a launch has read and written: what it would
// have to move if every cache were large enough.

#ifndef TCC_TOOLS_PTXSIM_COUNT_TOUCHEDSECTORS_H
#define TCC_TOOLS_PTXSIM_COUNT_TOUCHEDSECTORS_H

#include "tools/ptxsim/count/Lines.h"

#include <unordered_map>

namespace ptxsim {

class TouchedSectors {
public:
  /// Notes that sectors of a line are read.
  ///
  /// \returns how many of them nobody touched before.
  unsigned read(uint64_t line, uint32_t sectors) {
    uint64_t &touched = pageOf(line).touched[line % pageLines / 16];
    uint64_t bits = uint64_t(sectors) << (line % 16 * 4);
    unsigned fresh = unsigned(__builtin_popcountll(bits & ~touched));
    touched |= bits;
    return fresh;
  }

  /// Notes that they are written.
  ///
  /// \returns how many of them nobody wrote before.
  unsigned write(uint64_t line, uint32_t sectors) {
    Page &page = pageOf(line);
    uint64_t index = line % pageLines / 16;
    uint64_t bits = uint64_t(sectors) << (line % 16 * 4);
    unsigned fresh =
        unsigned(__builtin_popcountll(bits & ~page.written[index]));
    page.touched[index] |= bits;
    page.written[index] |= bits;
    return fresh;
  }

private:
  static constexpr uint64_t pageLines = 64; ///< 8 KB
  struct Page {
    uint64_t touched[4] = {}, written[4] = {};
  };
  struct Recent {
    uint64_t number = ~uint64_t(0);
    Page *page = nullptr;
  };

  Page &pageOf(uint64_t line) {
    uint64_t number = line / pageLines;
    Recent &entry = recent[number % 64];
    if (entry.number != number)
      entry = {number, &pages[number]}; // Nodes of the map stay where they are.
    return *entry.page;
  }

  std::unordered_map<uint64_t, Page> pages;
  Recent recent[64];
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_COUNT_TOUCHEDSECTORS_H
