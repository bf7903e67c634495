// The JSON that is written.

#include "tools/ptxsim/count/Json.h"

#include <gtest/gtest.h>

using namespace ptxsim;

namespace {

TEST(JsonWriter, ObjectsAndArrays) {
  JsonWriter json;
  json.beginObject();
  json.number("a", 18446744073709551615u);
  json.beginArray("b");
  json.number({}, 1);
  json.beginObject();
  json.endObject();
  json.endArray();
  json.boolean("c", true);
  json.newLine();
  json.boolean("d", false);
  json.newLine();
  json.endObject();
  EXPECT_EQ(json.text(), "{\"a\": 18446744073709551615, \"b\": [1, {}], "
                         "\"c\": true,\n\"d\": false\n}");
}

static std::string quoted(std::string_view text) {
  JsonWriter json;
  json.string({}, text);
  return json.text();
}

TEST(JsonWriter, EscapesStrings) {
  EXPECT_EQ(quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(quoted("tab\tend\x1f"), "\"tab\\u0009end\\u001f\"");
  EXPECT_EQ(quoted("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
            "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

TEST(JsonWriter, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(quoted("a\xff"), "\"a\\ufffd\"");
  EXPECT_EQ(quoted("\xc3"), "\"\\ufffd\"");
  EXPECT_EQ(quoted("\xc0\x80"), "\"\\ufffd\\ufffd\"");     // Too long a form.
  EXPECT_EQ(quoted("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\""); // Surrogate.
  EXPECT_EQ(quoted("\xf4\x90\x80\x80"),
            "\"\\ufffd\\ufffd\\ufffd\\ufffd\""); // Above U+10FFFF.
}

} // namespace
