// The two names of a tensor: descriptions have those of Hugging Face, messages
// about a GGUF file those that the file has.

#ifndef TCC_FRONTENDS_MODEL_GGUFNAMES_H
#define TCC_FRONTENDS_MODEL_GGUFNAMES_H

#include <string>

namespace tcc {

/// The name that Hugging Face gives to the tensor that GGUF calls `name`, or
/// `name` itself if there is none: no such tensor is expected.
std::string huggingFaceName(const std::string &name);

/// The name in GGUF of the tensor that Hugging Face calls `name`, or `name`.
std::string ggufName(const std::string &name);

} // namespace tcc

#endif // TCC_FRONTENDS_MODEL_GGUFNAMES_H
