// Functions that the hand-written kernels for x86 and their inputs share; they are
// inlined. Joined to a test with `cat`.

// exp as 2^n * polynomial(r). `n` comes from adding 1.5 * 2^23 instead of fptosi,
// which would be poison for NaN; a product with 2^n keeps NaN a NaN.
func.func private @exp(%x: vector<16xf32>) -> vector<16xf32> {
  %low = arith.constant dense<-87.0> : vector<16xf32>
  %high = arith.constant dense<88.0> : vector<16xf32>
  %log2e = arith.constant dense<1.44269504> : vector<16xf32>
  %magic = arith.constant dense<12582912.0> : vector<16xf32>
  %ln2_high = arith.constant dense<-0.693359375> : vector<16xf32>
  %ln2_low = arith.constant dense<2.12194440e-4> : vector<16xf32>
  %p0 = arith.constant dense<1.9875691500e-4> : vector<16xf32>
  %p1 = arith.constant dense<1.3981999507e-3> : vector<16xf32>
  %p2 = arith.constant dense<8.3334519073e-3> : vector<16xf32>
  %p3 = arith.constant dense<4.1665795894e-2> : vector<16xf32>
  %p4 = arith.constant dense<1.6666665459e-1> : vector<16xf32>
  %p5 = arith.constant dense<5.0000001201e-1> : vector<16xf32>
  %one = arith.constant dense<1.0> : vector<16xf32>
  %mantissa_bits = arith.constant dense<23> : vector<16xi32>
  %one_bits = arith.constant dense<0x3f800000> : vector<16xi32>
  %below = arith.cmpf olt, %x, %low : vector<16xf32>
  %raised = arith.select %below, %low, %x : vector<16xi1>, vector<16xf32>
  %above = arith.cmpf ogt, %raised, %high : vector<16xf32>
  %clamped = arith.select %above, %high, %raised : vector<16xi1>, vector<16xf32>
  %shifted = vector.fma %clamped, %log2e, %magic : vector<16xf32>
  %n = arith.subf %shifted, %magic : vector<16xf32>
  %r0 = vector.fma %n, %ln2_high, %clamped : vector<16xf32>
  %r = vector.fma %n, %ln2_low, %r0 : vector<16xf32>
  %e0 = vector.fma %p0, %r, %p1 : vector<16xf32>
  %e1 = vector.fma %e0, %r, %p2 : vector<16xf32>
  %e2 = vector.fma %e1, %r, %p3 : vector<16xf32>
  %e3 = vector.fma %e2, %r, %p4 : vector<16xf32>
  %e4 = vector.fma %e3, %r, %p5 : vector<16xf32>
  %e5 = vector.fma %e4, %r, %one : vector<16xf32>
  %e = vector.fma %e5, %r, %one : vector<16xf32>
  %bits = vector.bitcast %shifted : vector<16xf32> to vector<16xi32>
  %exponent = arith.shli %bits, %mantissa_bits : vector<16xi32>
  %power_bits = arith.addi %exponent, %one_bits : vector<16xi32>
  %power = vector.bitcast %power_bits : vector<16xi32> to vector<16xf32>
  %result = arith.mulf %e, %power : vector<16xf32>
  return %result : vector<16xf32>
}

// The largest lane. vector.reduction would be a chain of 15 scalar maxima: it has to
// say what becomes of NaN, and this does not (a NaN reaches the result through exp).
func.func private @largest(%x: vector<16xf32>) -> f32 {
  %a = vector.shuffle %x, %x [0, 1, 2, 3, 4, 5, 6, 7] : vector<16xf32>, vector<16xf32>
  %b = vector.shuffle %x, %x [8, 9, 10, 11, 12, 13, 14, 15] : vector<16xf32>, vector<16xf32>
  %ab = arith.cmpf ogt, %a, %b : vector<8xf32>
  %c = arith.select %ab, %a, %b : vector<8xi1>, vector<8xf32>
  %d = vector.shuffle %c, %c [4, 5, 6, 7, 4, 5, 6, 7] : vector<8xf32>, vector<8xf32>
  %cd = arith.cmpf ogt, %c, %d : vector<8xf32>
  %e = arith.select %cd, %c, %d : vector<8xi1>, vector<8xf32>
  %f = vector.shuffle %e, %e [2, 3, 2, 3, 2, 3, 2, 3] : vector<8xf32>, vector<8xf32>
  %ef = arith.cmpf ogt, %e, %f : vector<8xf32>
  %g = arith.select %ef, %e, %f : vector<8xi1>, vector<8xf32>
  %g0 = vector.extract %g[0] : f32 from vector<8xf32>
  %g1 = vector.extract %g[1] : f32 from vector<8xf32>
  %above = arith.cmpf ogt, %g0, %g1 : f32
  %result = arith.select %above, %g0, %g1 : f32
  return %result : f32
}

// ((i * a + j * b) mod m - m / 2) * unit
func.func private @number(%i: index, %j: index, %a: index, %b: index, %m: index,
                          %unit: f32) -> f32 {
  %c2 = arith.constant 2 : index
  %p = arith.muli %i, %a : index
  %q = arith.muli %j, %b : index
  %sum = arith.addi %p, %q : index
  %rest = arith.remui %sum, %m : index
  %half = arith.divui %m, %c2 : index
  %centred = arith.subi %rest, %half : index
  %integer = arith.index_cast %centred : index to i32
  %float = arith.sitofp %integer : i32 to f32
  %value = arith.mulf %float, %unit : f32
  return %value : f32
}
