// A driver that computes nothing: it hands out memory of the host, remembers
// what is launched and fails when it is told to.
//
// It is a library of its own, libcuda.so.1 in build/lib/fake-cuda, because the
// runtime opens one by its path. Unit tests reach its state through the symbol
// `fakeCuda`; for programs the variable FAKE_CUDA sets it, as in
// "version=11080,failing=cuMemAlloc_v2,result=2". What a program has not given
// back when it ends is written to stderr.

#ifndef TCC_TEST_FAKE_CUDA_FAKECUDA_H
#define TCC_TEST_FAKE_CUDA_FAKECUDA_H

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tcc::test {

/// A kernel that ran, as far as a driver that computes nothing can tell.
struct FakeLaunch {
  std::string kernel;
  unsigned blocks = 0;
  bool isDependent = false; ///< Begins before the one before it has ended.
};

struct FakeCuda {
  // What it pretends to be.
  int64_t devices = 1;
  int64_t version = 13000;
  int64_t capability = 90;
  int64_t memory = int64_t(80) << 30; ///< Bytes that are free at first.

  // How it fails: `failing`, or any call if that is empty, with `result`, after
  // `after` calls that succeed.
  std::string failing;
  int64_t after = INT64_MAX;
  int64_t result = 700; ///< CUDA_ERROR_ILLEGAL_ADDRESS
  bool once = false;    ///< Rather than from then on.
  std::string log;      ///< Of the compiler where cuModuleLoadDataEx fails.

  // What it has seen.
  std::map<std::string, int64_t> counts;     ///< Of each call.
  std::string failed;                        ///< The first call that failed.
  std::vector<FakeLaunch> launches;          ///< In the order of execution.
  std::map<const void *, std::string> owned; ///< What was not given back.
  std::vector<std::string> mistakes;         ///< Handles that were none.
};

} // namespace tcc::test

/// The state of the library.
extern "C" tcc::test::FakeCuda *fakeCuda();

#endif // TCC_TEST_FAKE_CUDA_FAKECUDA_H
