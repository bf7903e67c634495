// The PTX text in what programs hand to the driver as a module.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_IMAGE_H
#define TCC_TOOLS_PTXSIM_DRIVER_IMAGE_H

#include "tools/ptxsim/driver/Abi.h"

#include <string>

namespace ptxsim::driver {

/// The PTX text of an image, or why there is none.
struct ImageText {
  CUresult result = CUDA_SUCCESS;
  std::string text;
  std::string message; ///< If there is none.
};

/// Gets the text out of what cuModuleLoadData takes: a text that ends with a
/// zero byte, a fat binary, or the wrapper of one. How long `image` is, which
/// is not null, stands only in itself.
ImageText readImage(const void *image);

/// Likewise for an image of `bytes`; a text needs no zero byte. A wrapper,
/// which is a pointer, is none.
ImageText readImage(const void *image, uint64_t bytes);

/// Gets the PTX text of the newest architecture that an H100 executes out of
/// the fat binary at `data`, which may be cut off after `available` bytes.
ImageText readFatbin(const uint8_t *data, uint64_t available);

/// Reads a file into `text`.
///
/// \returns false if there is no such file.
bool readFile(const char *path, std::string &text);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_IMAGE_H
