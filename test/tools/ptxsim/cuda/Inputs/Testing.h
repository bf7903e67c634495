// What programs in CUDA C++ share here: those of this folder compare what kernels
// compute with the same done by the host, and print what differs.

#ifndef PTXSIM_TEST_CUDA_TESTING_H
#define PTXSIM_TEST_CUDA_TESTING_H

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#define CHECK(CALL)                                                            \
  do {                                                                         \
    cudaError_t error = (CALL);                                                \
    if (error != cudaSuccess) {                                                \
      std::printf("line %d: %s: %s\n", __LINE__, #CALL,                        \
                  cudaGetErrorString(error));                                  \
      std::exit(1);                                                            \
    }                                                                          \
  } while (0)

/// Sizes around those of warps and blocks.
constexpr int oddSizes[] = {1, 2, 31, 32, 33, 127, 129, 255, 257, 1000, 1023, 1025};

/// Memory of the device with the values of a vector.
template <typename T> class Buffer {
public:
  explicit Buffer(const std::vector<T> &values) : count(values.size()) {
    CHECK(cudaMalloc(&data, count * sizeof(T)));
    CHECK(cudaMemcpy(data, values.data(), count * sizeof(T),
                     cudaMemcpyHostToDevice));
  }
  explicit Buffer(size_t count) : count(count) {
    CHECK(cudaMalloc(&data, count * sizeof(T)));
  }
  Buffer(const Buffer &) = delete;
  ~Buffer() { cudaFree(data); }

  std::vector<T> values() const {
    std::vector<T> result(count);
    CHECK(cudaMemcpy(result.data(), data, count * sizeof(T),
                     cudaMemcpyDeviceToHost));
    return result;
  }

  T *data = nullptr;
  size_t count;
};

/// Waits for the kernel that was just launched.
inline void finish() {
  CHECK(cudaGetLastError());
  CHECK(cudaDeviceSynchronize());
}

/// Counts the comparisons of a program, of which it prints the first that fail.
class Comparison {
public:
  explicit Comparison(const char *name) : name(name) {}
  ~Comparison() {
    std::printf("%s: %ld of %ld wrong\n", name, wrong, total);
  }

  void operator()(const char *what, size_t at, bool good) {
    ++total;
    if (!good && wrong++ < 5)
      std::printf("%s: %s is wrong at %zu\n", name, what, at);
  }

  template <typename T>
  void bits(const char *what, const std::vector<T> &got,
            const std::vector<T> &expected) {
    for (size_t i = 0; i < expected.size(); ++i)
      (*this)(what, i, std::memcmp(&got[i], &expected[i], sizeof(T)) == 0);
  }

  /// Each number must lie within `error` of the other, relative to the greater of
  /// it and `floor`; infinities and NaNs must be the same.
  void near(const char *what, const std::vector<float> &got,
            const std::vector<double> &expected, double error,
            double floor = 0) {
    for (size_t i = 0; i < expected.size(); ++i) {
      bool good = float(expected[i]) == got[i] ||
                  (std::isnan(got[i]) && std::isnan(expected[i])) ||
                  std::fabs(got[i] - expected[i]) <=
                      error * std::fmax(std::fabs(expected[i]), floor);
      (*this)(what, i, good);
    }
  }

private:
  const char *name;
  long wrong = 0;
  long total = 0;
};

inline int blocksFor(size_t count, int threads) {
  return int((count + threads - 1) / threads);
}

#endif // PTXSIM_TEST_CUDA_TESTING_H
