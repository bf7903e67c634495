// Thrust's and CUB's host code.

#include <cstdio>
#include <cub/device/device_radix_sort.cuh>
#include <thrust/device_vector.h>
#include <thrust/host_vector.h>
#include <thrust/reduce.h>
#include <thrust/scan.h>
#include <thrust/sequence.h>
#include <thrust/sort.h>

int main() {
  thrust::host_vector<int> host(5000);
  unsigned seed = 1;
  long sum = 0;
  for (int &value : host) {
    seed = seed * 1664525u + 1013904223u;
    value = int(seed >> 8);
    sum += value;
  }
  thrust::device_vector<int> values = host, sorted(5000), scan(1000);
  thrust::sort(values.begin(), values.end());
  std::printf("sort %d reduce %d\n",
              thrust::is_sorted(values.begin(), values.end()),
              thrust::reduce(values.begin(), values.end(), 0L) == sum);
  thrust::sequence(scan.begin(), scan.end());
  thrust::inclusive_scan(scan.begin(), scan.end(), scan.begin());
  std::printf("scan %d\n", int(scan[999]));
  size_t bytes = 0;
  int *from = thrust::raw_pointer_cast(values.data());
  int *to = thrust::raw_pointer_cast(sorted.data());
  cub::DeviceRadixSort::SortKeysDescending(nullptr, bytes, from, to, 5000);
  thrust::device_vector<char> space(bytes);
  cub::DeviceRadixSort::SortKeysDescending(
      thrust::raw_pointer_cast(space.data()), bytes, from, to, 5000);
  std::printf("descending %d\n", int(sorted[0]) == int(values[4999]));
}
