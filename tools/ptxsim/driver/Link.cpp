// The linker: hands one PTX text through.
//
// Its result is a text again, which cuModuleLoadData takes as it takes a cubin.

#include "tools/ptxsim/driver/Driver.h"
#include "tools/ptxsim/driver/Image.h"

namespace ptxsim::driver {

/// Runs `body(call, link)` for a call that names a linker.
template <typename Body>
static CUresult withLink(CUlinkState handle, Body body,
                         const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    std::shared_ptr<Link> link = call.driver.links.find(handle);
    return link ? body(call, *link) : CUDA_ERROR_INVALID_HANDLE;
  });
}

static CUresult create(unsigned optionCount, CUjit_option *options,
                       void **values, CUlinkState *result,
                       const char *name = __builtin_FUNCTION()) {
  return withContext(name, [&](Call &call) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    auto link = std::make_shared<Link>();
    CUresult read = link->options.read(optionCount, options, values);
    if (read == CUDA_SUCCESS)
      *result = call.driver.links.insert(link);
    return read;
  });
}

PTXSIM_API cuLinkCreate_v2(unsigned optionCount, CUjit_option *options,
                           void **values, CUlinkState *result) {
  return create(optionCount, options, values, result);
}

PTXSIM_API cuLinkCreate(unsigned optionCount, CUjit_option *options,
                        void **values, CUlinkState *result) {
  return create(optionCount, options, values, result);
}

static CUresult add(Call &call, Link &link, CUjitInputType type,
                    ImageText image) {
  if (type != CU_JIT_INPUT_PTX && type != CU_JIT_INPUT_FATBINARY) {
    call.driver.complain(
        "cuLinkAddData: expected PTX or a fat binary with PTX, "
        "got input of type " +
        std::to_string(type));
    return CUDA_ERROR_NOT_SUPPORTED;
  }
  if (image.result != CUDA_SUCCESS) {
    call.driver.complain("cuLinkAddData: " + image.message);
    return image.result;
  }
  if (!link.text.empty()) {
    call.driver.complain("cuLinkAddData: expected one input, got a second one, "
                         "which would have to be linked");
    return CUDA_ERROR_NOT_SUPPORTED;
  }
  link.text = std::move(image.text);
  return CUDA_SUCCESS;
}

static CUresult addData(CUlinkState handle, CUjitInputType type,
                        const void *data, size_t bytes) {
  return withLink(handle, [&](Call &call, Link &link) -> CUresult {
    if (!data || bytes == 0 || type >= CU_JIT_NUM_INPUT_TYPES)
      return CUDA_ERROR_INVALID_VALUE;
    return add(call, link, type, readImage(data, bytes));
  });
}

PTXSIM_API cuLinkAddData_v2(CUlinkState handle, CUjitInputType type, void *data,
                            size_t bytes, const char *, unsigned,
                            CUjit_option *, void **) {
  return addData(handle, type, data, bytes);
}

PTXSIM_API cuLinkAddData(CUlinkState handle, CUjitInputType type, void *data,
                         size_t bytes, const char *, unsigned, CUjit_option *,
                         void **) {
  return addData(handle, type, data, bytes);
}

static CUresult addFile(CUlinkState handle, CUjitInputType type,
                        const char *path) {
  return withLink(handle, [&](Call &call, Link &link) -> CUresult {
    if (!path || type >= CU_JIT_NUM_INPUT_TYPES)
      return CUDA_ERROR_INVALID_VALUE;
    std::string bytes;
    if (!readFile(path, bytes))
      return CUDA_ERROR_FILE_NOT_FOUND;
    return add(call, link, type, readImage(bytes.data(), bytes.size()));
  });
}

PTXSIM_API cuLinkAddFile_v2(CUlinkState handle, CUjitInputType type,
                            const char *path, unsigned, CUjit_option *,
                            void **) {
  return addFile(handle, type, path);
}

PTXSIM_API cuLinkAddFile(CUlinkState handle, CUjitInputType type,
                         const char *path, unsigned, CUjit_option *, void **) {
  return addFile(handle, type, path);
}

PTXSIM_API cuLinkComplete(CUlinkState handle, void **image, size_t *bytes) {
  return withLink(handle, [&](Call &, Link &link) -> CUresult {
    if (!image)
      return CUDA_ERROR_INVALID_VALUE;
    if (link.text.empty())
      return CUDA_ERROR_INVALID_IMAGE;
    link.options.finish("");
    *image = link.text.data();
    if (bytes)
      *bytes = link.text.size() + 1;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuLinkDestroy(CUlinkState handle) {
  return withLink(handle, [&](Call &call, Link &) -> CUresult {
    call.driver.links.erase(handle);
    return CUDA_SUCCESS;
  });
}

} // namespace ptxsim::driver
