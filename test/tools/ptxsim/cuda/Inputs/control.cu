// Calls of every kind, divergent loops, recursion, switches, the device's heap and printf.

#include "Testing.h"

struct Shape {
  __device__ virtual int area() const = 0;
  __device__ virtual ~Shape() {}
};
struct Square : Shape {
  __device__ explicit Square(int side) : side(side) {}
  __device__ int area() const override { return side * side; }
  int side;
};
struct Box : Shape {
  __device__ Box(int width, int height) : width(width), height(height) {}
  __device__ int area() const override { return width * height; }
  int width, height;
};

__global__ void virtualCalls(int *results, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  Shape *shape;
  if (i % 3 == 0)
    shape = new Square(i);
  else
    shape = new Box(i, 2);
  results[i] = shape->area();
  delete shape;
}

__device__ __noinline__ int twice(int x) { return 2 * x; }
__device__ __noinline__ int square(int x) { return x * x; }
__device__ __noinline__ int negate(int x) { return -x; }
__device__ int (*const operations[])(int) = {twice, square, negate};

__global__ void pointers(int *results, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    results[i] = operations[i % 3](i);
}

__device__ __noinline__ int ackermann(int m, int n) {
  if (m == 0)
    return n + 1;
  if (n == 0)
    return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}

static int ackermannOfHost(int m, int n) {
  return m == 0   ? n + 1
         : n == 0 ? ackermannOfHost(m - 1, 1)
                  : ackermannOfHost(m - 1, ackermannOfHost(m, n - 1));
}

__global__ void recursion(int *results) {
  results[threadIdx.x] = ackermann(int(threadIdx.x % 3), int(threadIdx.x / 3));
}

__host__ __device__ static int steps(unsigned long long x) {
  int count = 0;
  for (; x != 1 && count < 1000; ++count)
    x = x % 2 == 0 ? x / 2 : 3 * x + 1;
  return count;
}

/// Loops whose trip counts differ in every lane.
__global__ void loops(int *results, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    results[i] = steps(i + 1);
}

__host__ __device__ static int chosen(int i) {
  int x = i;
  switch (i % 11) {
  case 0: x += 3; break;
  case 1: x *= 5; // falls through
  case 2: x -= 7; break;
  case 3: x ^= 0x55; break;
  case 4: return -1;
  case 5: for (int j = 0; j < i % 5; ++j) x += j; break;
  case 6: x = ~x; break;
  case 7: x <<= 2; break;
  case 9: x /= 3;
  default: x %= 97;
  }
  for (int j = 0; j < 10; ++j) {
    if ((x + j) % 4 == 0)
      continue;
    if ((x + j) % 9 == 0)
      break;
    x += j;
  }
  return x;
}

__global__ void switches(int *results, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    results[i] = chosen(i);
}

struct Pair {
  int64_t first;
  float second[5];
};

__device__ __noinline__ Pair byValue(Pair pair, char tag, double extra) {
  pair.first += tag;
  pair.second[pair.first % 5] += float(extra);
  return pair;
}

/// A kernel's parameter and a function's of 32 bytes.
__global__ void structures(Pair *results, const Pair given) {
  Pair pair = given;
  pair.first += threadIdx.x;
  results[threadIdx.x] = byValue(pair, char(threadIdx.x), 0.5 * threadIdx.x);
}

__global__ void print(int n) {
  if (threadIdx.x < n)
    printf("thread %u of %d: %s %5.2f %lld %c %#x %%\n", threadIdx.x, n, "text",
           threadIdx.x * 1.25, (long long)(threadIdx.x) << 40, 'a' + threadIdx.x,
           255u + threadIdx.x);
}

template <typename Kernel, typename Expected>
static void compareKernel(Comparison &compare, const char *what, Kernel kernel, Expected expected) {
  for (int n : oddSizes) {
    Buffer<int> results(n);
    kernel<<<blocksFor(n, 96), 96>>>(results.data, n);
    finish();
    std::vector<int> right(n);
    for (int i = 0; i < n; ++i)
      right[i] = expected(i);
    compare.bits(what, results.values(), right);
  }
}

int main() {
  Comparison compare("control");
  compareKernel(compare, "virtual call", virtualCalls, [](int i) { return i % 3 ? 2 * i : i * i; });
  compareKernel(compare, "call by pointer", pointers,
                [](int i) { return i % 3 == 0 ? 2 * i : i % 3 == 1 ? i * i : -i; });
  compareKernel(compare, "loop", loops, [](int i) { return steps(i + 1); });
  compareKernel(compare, "switch", switches, chosen);

  Buffer<int> results(12);
  recursion<<<1, 12>>>(results.data);
  finish();
  auto got = results.values();
  for (int i = 0; i < 12; ++i)
    compare("recursion", i, got[i] == ackermannOfHost(i % 3, i / 3));

  Pair given = {100, {1, 2, 3, 4, 5}};
  Buffer<Pair> pairs(40);
  structures<<<1, 40>>>(pairs.data, given);
  finish();
  auto gotPairs = pairs.values();
  for (int i = 0; i < 40; ++i) {
    Pair right = given;
    right.first += 2 * i;
    right.second[right.first % 5] += float(0.5 * i);
    compare("structure", i, gotPairs[i].first == right.first &&
                                std::memcmp(gotPairs[i].second, right.second, 20) == 0);
  }
  std::fflush(stdout);
  print<<<1, 32>>>(2);
  finish();
}
