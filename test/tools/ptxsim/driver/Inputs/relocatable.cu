#include <cstdio>

__global__ void nothing() {}

int main() {
  nothing<<<1, 1>>>();
  cudaError_t error = cudaDeviceSynchronize();
  if (error == cudaSuccess)
    error = cudaGetLastError();
  std::puts(cudaGetErrorName(error));
  return error == cudaSuccess ? 0 : 1;
}
