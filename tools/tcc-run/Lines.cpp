// Texts to ids and back, line by line, without running the model.

#include "runtime/support/File.h"
#include "tools/tcc-run/Session.h"

#include <nlohmann/json.hpp>

using namespace tcc;
using namespace tcc::run;
using nlohmann::json;

/// Output that is collected before it is written.
static constexpr size_t blockBytes = size_t{1} << 20;

namespace {
/// Takes the one value of a line from the events of the JSON parser, and stops
/// at the first that does not belong to it: nothing is built, however deep or
/// long the rest is.
class LineReader : public nlohmann::json_sax<json> {
public:
  /// \param vocabulary Ids are below this.
  LineReader(bool readsText, int64_t vocabulary)
      : readsText(readsText), vocabulary(vocabulary) {}

  std::string text;         ///< The string, if texts are read.
  std::vector<int32_t> ids; ///< The array, if ids are read.
  std::string got;          ///< What came instead, after a failure.
  size_t column = 0;        ///< Where, in bytes from 1, if `got` is about it.

  std::string expected() const {
    return readsText ? "a JSON string"
                     : "an array of ids below " + std::to_string(vocabulary);
  }

  bool null() override { return refuse("null"); }
  bool boolean(bool value) override { return refuse(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override {
    return refuse(std::to_string(value));
  }
  bool number_unsigned(number_unsigned_t value) override;
  bool number_float(number_float_t, const string_t &token) override {
    return refuse(token.substr(0, 40));
  }
  bool string(string_t &value) override;
  bool binary(binary_t &) override { return refuse("binary data"); }
  bool start_object(std::size_t) override { return refuse("an object"); }
  bool key(string_t &) override { return false; }
  bool end_object() override { return false; }
  bool start_array(std::size_t) override;
  bool end_array() override { return true; }
  bool parse_error(std::size_t position, const std::string &,
                   const nlohmann::detail::exception &) override {
    column = std::max<size_t>(position, 1);
    return refuse("what is not JSON");
  }

private:
  bool readsText, insideArray = false;
  int64_t vocabulary;

  bool refuse(std::string value) {
    got = std::move(value);
    return false;
  }
};
} // namespace

bool LineReader::number_unsigned(number_unsigned_t value) {
  if (!insideArray || value >= static_cast<uint64_t>(vocabulary))
    return refuse(std::to_string(value));
  ids.push_back(static_cast<int32_t>(value));
  return true;
}

bool LineReader::string(string_t &value) {
  if (!readsText)
    return refuse("a string");
  text = std::move(value);
  return true;
}

bool LineReader::start_array(std::size_t) {
  if (readsText || insideArray)
    return refuse("an array");
  insideArray = true;
  return true;
}

/// Appends `ids` as a JSON array.
static void appendIds(const std::vector<int32_t> &ids, std::string &output) {
  output += '[';
  for (size_t i = 0; i < ids.size(); ++i)
    output += (i ? ", " : "") + std::to_string(ids[i]);
  output += ']';
}

/// Appends what `line` becomes.
static Status convertLine(const rt::Tokenizer &tokenizer, Mode mode,
                          std::string_view line, const std::string &place,
                          std::string &output) {
  LineReader reader(mode == Mode::Tokenize, tokenizer.vocabularySize());
  // Bytes that are no UTF-8 count as U+FFFD here as in every other text.
  std::string repaired = rt::repairUtf8(line);
  if (repaired.find_first_not_of(" \t\r") == std::string::npos)
    return Status::badData(place + ": expected " + reader.expected() +
                           ", got an empty line");
  if (!json::sax_parse(repaired, &reader)) {
    std::string column =
        reader.column ? ", column " + std::to_string(reader.column) : "";
    return Status::badData(place + column + ": expected " + reader.expected() +
                           ", got " + reader.got);
  }
  if (mode == Mode::Detokenize) {
    output += json(tokenizer.decode(reader.ids, /*skipSpecial=*/false)).dump();
    return {};
  }
  std::vector<int32_t> ids;
  if (Status status = tokenizer.encode(reader.text, ids); !status.ok())
    return Status::badData(place + ": " + status.message());
  appendIds(ids, output);
  return {};
}

static Status convertFile(const rt::Tokenizer &tokenizer, Mode mode,
                          const MappedFile &file) {
  std::string_view rest(reinterpret_cast<const char *>(file.data()),
                        file.size());
  std::string output;
  for (size_t line = 1; !rest.empty(); ++line) {
    size_t end = std::min(rest.find('\n'), rest.size());
    Status status =
        convertLine(tokenizer, mode, rest.substr(0, end),
                    file.path() + ": line " + std::to_string(line), output);
    if (!status.ok()) {
      writeOutput(output, /*flush=*/true);
      return status;
    }
    output += '\n';
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (output.size() < blockBytes)
      continue;
    writeOutput(output, /*flush=*/false);
    output.clear();
  }
  writeOutput(output, /*flush=*/false);
  return finishOutput();
}

Status tcc::run::convertLines(const rt::Executable &executable,
                              const Options &options) {
  std::unique_ptr<rt::Tokenizer> tokenizer;
  if (Status status = loadTokenizer(executable, tokenizer); !status.ok())
    return status;
  MappedFile file;
  if (Status status = MappedFile::open(options.lines, file); !status.ok())
    return status;
  return convertFile(*tokenizer, options.mode, file);
}
