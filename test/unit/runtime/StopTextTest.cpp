#include "runtime/core/StopText.h"

#include <gtest/gtest.h>
#include <random>

using namespace tcc::rt;

TEST(StopText, EndsBeforeTheFirst) {
  StopText text({"\n\n", "END"});
  EXPECT_EQ(text.add("one END two\n\n"), "one ");
  EXPECT_TRUE(text.found());
  EXPECT_EQ(text.add("three"), "");
  EXPECT_EQ(text.finish(), "");
}

TEST(StopText, HoldsBackWhatMayBecomeOne) {
  StopText text({"abab"});
  EXPECT_EQ(text.add("xab"), "x");
  EXPECT_EQ(text.add("a"), "");
  EXPECT_EQ(text.add("a"), "aba"); // The last may begin one.
  EXPECT_FALSE(text.found());
  EXPECT_EQ(text.finish(), "a");
}

TEST(StopText, IsTheOneThatIsCompleteFirst) {
  StopText text({"abcd", "c", "bc"});
  EXPECT_EQ(text.add("xabcd"), "xa");
}

TEST(StopText, IgnoresEmptyOnes) {
  StopText text({""});
  EXPECT_EQ(text.add("abc"), "abc");
  EXPECT_FALSE(text.found());
}

/// Where the text ends: its prefixes are tried, the shortest first.
static size_t endOf(const std::string &whole,
                    const std::vector<std::string> &stops) {
  for (size_t size = 0; size <= whole.size(); ++size) {
    size_t end = whole.size() + 1;
    for (const std::string &stop : stops)
      if (stop.size() <= size &&
          whole.compare(size - stop.size(), stop.size(), stop) == 0)
        end = std::min(end, size - stop.size());
    if (end <= whole.size())
      return end;
  }
  return whole.size();
}

// However the text is cut, what comes out is what lies before the first stop
// text, and nothing of it comes later than it must.
TEST(StopText, CutsDoNotMatter) {
  std::mt19937 random(1);
  for (int i = 0; i < 5000; ++i) {
    std::string whole;
    for (int length = static_cast<int>(random() % 30); length > 0; --length)
      whole += static_cast<char>('a' + random() % 2);
    std::vector<std::string> stops;
    for (size_t count = 1 + random() % 3; count > 0; --count) {
      stops.emplace_back();
      for (size_t length = 1 + random() % 5; length > 0; --length)
        stops.back() += static_cast<char>('a' + random() % 2);
    }
    size_t end = endOf(whole, stops);
    StopText text(stops);
    std::string got;
    for (size_t begin = 0; begin < whole.size();) {
      size_t length = std::min<size_t>(1 + random() % 4, whole.size() - begin);
      got += text.add(whole.substr(begin, length));
      begin += length;
      ASSERT_LE(got.size(), end);
      // Bytes held back are fewer than the longest stop text has.
      if (!text.found())
        ASSERT_LT(begin - got.size(), size_t(5));
    }
    ASSERT_EQ(got + text.finish(), whole.substr(0, end));
  }
}
