#include "frontends/checkpoint/FileKind.h"

#include <string_view>

using namespace tcc;

Status tcc::refuseForeignFile(const std::string &path, const uint8_t *data,
                              size_t size) {
  std::string_view text(reinterpret_cast<const char *>(data), size);
  auto beginsWith = [&](std::string_view magic) {
    return text.substr(0, magic.size()) == magic;
  };
  if (beginsWith("version https://git-lfs.github.com/spec/"))
    return Status::badData(path +
                           ": expected a model, got a Git-LFS pointer; run "
                           "'git lfs pull' in the checkpoint's repository");
  // PyTorch writes a zip archive, before version 1.6 a pickle of a magic
  // number. As sizes of safetensors headers these would be far out of
  // proportion.
  if (beginsWith("PK\x03\x04") || beginsWith("\x80\x02\x8a\x0a"))
    return Status::badData(path +
                           ": expected a model, got a PyTorch pickle, which "
                           "could execute code; convert it to safetensors");
  if (beginsWith("TCCMODEL"))
    return Status::badData(path +
                           ": expected a model to compile, got a model.bin, "
                           "which is compiled already; run it with tcc-run");
  return {};
}
