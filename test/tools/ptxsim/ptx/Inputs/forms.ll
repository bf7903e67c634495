; What LLVM's back-end prints and nvcc does not: jump tables, aliases, variables
; of 128 bits, addresses in aggregates.

target triple = "nvptx64-nvidia-cuda"

@data = global [3 x i32] [i32 1, i32 2, i32 3]
@packed = global <{ i8, ptr, i32 }> <{ i8 7, ptr @data, i32 9 }>
@inside = global ptr getelementptr (i8, ptr @data, i64 8)
@functions = internal global [2 x ptr] [ptr @leaf, ptr @leaf]
@wide = global i128 85070591730234615865843651857942052867
@floats = global { float, double } { float 1.5, double -2.0 }
@renamed = alias i32 (i32), ptr @leaf

define i32 @leaf(i32 %x) noinline {
  %y = mul i32 %x, 3
  ret i32 %y
}

define { i32, double, [5 x i8] } @structure({ i32, double } %s, i128 %w) noinline {
  %low = trunc i128 %w to i32
  %d = extractvalue { i32, double } %s, 1
  %r0 = insertvalue { i32, double, [5 x i8] } zeroinitializer, i32 %low, 0
  %r1 = insertvalue { i32, double, [5 x i8] } %r0, double %d, 1
  ret { i32, double, [5 x i8] } %r1
}

define ptx_kernel void @kernel(ptr addrspace(1) %out, i32 %x, ptr byval([40 x i8]) %grid) "nvvm.reqntid"="128" {
entry:
  switch i32 %x, label %other [
    i32 0, label %zero
    i32 1, label %one
    i32 2, label %two
    i32 3, label %three
    i32 4, label %zero
  ]
zero:
  store i32 10, ptr addrspace(1) %out
  ret void
one:
  %a = call i32 @renamed(i32 %x)
  store i32 %a, ptr addrspace(1) %out
  ret void
two:
  %slot = getelementptr [2 x ptr], ptr @functions, i32 0, i32 %x
  %f = load ptr, ptr %slot
  %b = call i32 %f(i32 5)
  store i32 %b, ptr addrspace(1) %out
  ret void
three:
  %w = load i128, ptr @wide
  %s = call { i32, double, [5 x i8] } @structure({ i32, double } { i32 1, double 2.0 }, i128 %w)
  %i = extractvalue { i32, double, [5 x i8] } %s, 0
  %p = getelementptr i8, ptr %grid, i32 36
  %v = load i32, ptr %p
  %c = add i32 %i, %v
  store i32 %c, ptr addrspace(1) %out
  ret void
other:
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  store i32 %t, ptr addrspace(1) %out
  ret void
}

declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
