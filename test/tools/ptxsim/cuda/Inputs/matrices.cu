// Products of matrices by tensor cores of every type that C++ offers, and by hand.

#include "Testing.h"
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <mma.h>

namespace wmma = nvcuda::wmma;

/// One warp computes a tile of D = A * B + C; the depth is any multiple of `k`.
template <typename T, typename Accumulator, int m, int n, int k, typename LayoutA,
          typename LayoutB, typename Element = T>
__global__ void product(Accumulator *d, const T *a, const T *b, const Accumulator *c, int depth) {
  wmma::fragment<wmma::matrix_a, m, n, k, Element, LayoutA> fragmentA;
  wmma::fragment<wmma::matrix_b, m, n, k, Element, LayoutB> fragmentB;
  wmma::fragment<wmma::accumulator, m, n, k, Accumulator> sum;
  constexpr bool isRowsA = std::is_same<LayoutA, wmma::row_major>::value;
  constexpr bool isRowsB = std::is_same<LayoutB, wmma::row_major>::value;
  wmma::load_matrix_sync(sum, c, n, wmma::mem_row_major);
  for (int at = 0; at < depth; at += k) {
    wmma::load_matrix_sync(fragmentA, a + (isRowsA ? at : at * m), isRowsA ? depth : m);
    wmma::load_matrix_sync(fragmentB, b + (isRowsB ? at * n : at), isRowsB ? n : depth);
    wmma::mma_sync(sum, fragmentA, fragmentB, sum);
  }
  wmma::store_matrix_sync(d, sum, n, wmma::mem_row_major);
}

template <typename T> static double number(T value) { return double(float(value)); }
template <> double number(double value) { return value; }

/// Small numbers, so that every sum is exact.
template <typename T, typename Accumulator, int m, int n, int k, typename LayoutA,
          typename LayoutB, typename Element = T>
static void compareProduct(Comparison &compare, const char *name) {
  constexpr bool isRowsA = std::is_same<LayoutA, wmma::row_major>::value;
  constexpr bool isRowsB = std::is_same<LayoutB, wmma::row_major>::value;
  for (int depth : {k, 3 * k}) {
    std::mt19937 random(depth);
    std::vector<T> a(m * depth), b(depth * n);
    std::vector<Accumulator> c(m * n), expected(m * n);
    bool isSigned = T(-1) < T(0);
    for (T &value : a)
      value = T(int(random() % 7) - (isSigned ? 3 : 0));
    for (T &value : b)
      value = T(int(random() % 5) - (isSigned ? 2 : 0));
    for (Accumulator &value : c)
      value = Accumulator(int(random() % 9) - 4);
    for (int row = 0; row < m; ++row)
      for (int column = 0; column < n; ++column) {
        double sum = number(c[row * n + column]);
        for (int at = 0; at < depth; ++at)
          sum += number(a[isRowsA ? row * depth + at : at * m + row]) *
                 number(b[isRowsB ? at * n + column : column * depth + at]);
        expected[row * n + column] = Accumulator(float(sum));
      }
    Buffer<T> deviceA(a), deviceB(b);
    Buffer<Accumulator> deviceC(c), d(m * n);
    product<T, Accumulator, m, n, k, LayoutA, LayoutB, Element>
        <<<1, 32>>>(d.data, deviceA.data, deviceB.data, deviceC.data, depth);
    finish();
    auto got = d.values();
    for (int i = 0; i < m * n; ++i)
      compare(name, i, number(got[i]) == number(expected[i]));
  }
}

/// A product with tiles in shared memory and ragged edges; f32 throughout.
__global__ void tiled(float *c, const float *a, const float *b, int m, int n, int k) {
  __shared__ float tileA[16][16], tileB[16][16];
  int row = blockIdx.y * 16 + threadIdx.y, column = blockIdx.x * 16 + threadIdx.x;
  float sum = 0;
  for (int at = 0; at < k; at += 16) {
    int x = at + threadIdx.x, y = at + threadIdx.y;
    tileA[threadIdx.y][threadIdx.x] = row < m && x < k ? a[row * k + x] : 0;
    tileB[threadIdx.y][threadIdx.x] = y < k && column < n ? b[y * n + column] : 0;
    __syncthreads();
    for (int i = 0; i < 16; ++i)
      sum += tileA[threadIdx.y][i] * tileB[i][threadIdx.x];
    __syncthreads();
  }
  if (row < m && column < n)
    c[row * n + column] = sum;
}

static void compareTiled(Comparison &compare) {
  const int shapes[][3] = {{1, 1, 1}, {17, 33, 5}, {40, 16, 47}, {31, 100, 16}};
  for (const auto &shape : shapes) {
    int m = shape[0], n = shape[1], k = shape[2];
    std::vector<float> a(m * k), b(k * n), expected(m * n);
    for (size_t i = 0; i < a.size(); ++i)
      a[i] = float(i % 13) - 6;
    for (size_t i = 0; i < b.size(); ++i)
      b[i] = float(i % 11) - 5;
    for (int row = 0; row < m; ++row)
      for (int column = 0; column < n; ++column)
        for (int at = 0; at < k; ++at)
          expected[row * n + column] += a[row * k + at] * b[at * n + column];
    Buffer<float> deviceA(a), deviceB(b), c(m * n);
    tiled<<<dim3((n + 15) / 16, (m + 15) / 16), dim3(16, 16)>>>(
        c.data, deviceA.data, deviceB.data, m, n, k);
    finish();
    auto got = c.values();
    for (int i = 0; i < m * n; ++i)
      compare("tiled", i, got[i] == expected[i]);
  }
}

int main() {
  using Rows = wmma::row_major;
  using Columns = wmma::col_major;
  Comparison compare("matrices");
  compareProduct<__half, float, 16, 16, 16, Rows, Columns>(compare, "f16");
  compareProduct<__half, float, 16, 16, 16, Columns, Rows>(compare, "f16, transposed");
  compareProduct<__half, __half, 32, 8, 16, Rows, Rows>(compare, "f16 in f16");
  compareProduct<__half, float, 8, 32, 16, Columns, Columns>(compare, "f16, wide");
  compareProduct<__nv_bfloat16, float, 16, 16, 16, Rows, Rows>(compare, "bf16");
  compareProduct<__nv_bfloat16, float, 32, 8, 16, Columns, Rows>(compare, "bf16, tall");
  compareProduct<signed char, int, 16, 16, 16, Rows, Columns>(compare, "s8");
  compareProduct<unsigned char, int, 8, 32, 16, Columns, Rows>(compare, "u8");
  compareProduct<float, float, 16, 16, 8, Rows, Columns, wmma::precision::tf32>(compare, "tf32");
  compareProduct<double, double, 8, 8, 4, Rows, Columns>(compare, "f64");
  compareTiled(compare);
}
