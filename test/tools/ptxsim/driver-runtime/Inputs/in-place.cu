// Thrust's algorithms in place: a block writes where the one before has read, after
// a flag by relaxed accesses has said so. The arguments name algorithms.

#include <cstdio>
#include <string>
#include <thrust/copy.h>
#include <thrust/device_vector.h>
#include <thrust/partition.h>
#include <thrust/remove.h>
#include <thrust/scan.h>
#include <thrust/sequence.h>
#include <thrust/sort.h>
#include <thrust/unique.h>

struct IsOdd {
  __host__ __device__ bool operator()(int x) const { return x & 1; }
};
struct Halved {
  __host__ __device__ bool operator()(int a, int b) const { return a / 2 == b / 2; }
};

static void run(const std::string &name) {
  constexpr int n = 20000;
  thrust::device_vector<int> values(n), others(n);
  thrust::sequence(values.begin(), values.end());
  thrust::sequence(others.begin(), others.end());
  auto first = values.begin(), last = values.end();
  long kept = 0;
  int at = 1000;
  if (name == "unique")
    kept = thrust::unique(first, last, Halved()) - first;
  else if (name == "unique_by_key")
    kept = thrust::unique_by_key(first, last, others.begin(), Halved()).first - first;
  else if (name == "remove_if")
    kept = thrust::remove_if(first, last, IsOdd()) - first;
  else if (name == "partition")
    kept = thrust::partition(first, last, IsOdd()) - first;
  else if (name == "stable_partition")
    kept = thrust::stable_partition(first, last, IsOdd()) - first;
  else if (name == "copy_if")
    kept = thrust::copy_if(first, last, others.begin(), IsOdd()) - others.begin();
  else if (name == "stable_sort")
    thrust::stable_sort(first, last, thrust::greater<int>());
  else if (name == "inclusive_scan")
    thrust::inclusive_scan(first, last, first);
  int value = name == "copy_if" ? others[at] : values[at];
  std::printf("%s %ld %d\n", name.c_str(), kept, value);
}

int main(int count, char **names) {
  for (int i = 1; i < count; ++i)
    run(names[i]);
}
