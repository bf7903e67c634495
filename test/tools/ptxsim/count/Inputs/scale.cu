__global__ void scale(int *x) {
  x += threadIdx.x * 16;
  int v = *x;
  *x = v + v;
}
