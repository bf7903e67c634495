// Tells for which architecture it was compiled.
extern "C" __global__ void answer(int *result) { *result = __CUDA_ARCH__; }
