// Reports of faults.

#include "tools/ptxsim/machine/Fault.h"

#include "gtest/gtest.h"

using namespace ptxsim;

TEST(Fault, RendersEverything) {
  Fault fault;
  fault.check = "race";
  fault.message = "expected a barrier between a write and a read, got none";
  fault.place.kernel = "gemm";
  fault.place.module = "gemm.ptx";
  fault.place.line = 42;
  fault.place.text = "ld.shared.u32 %r1, [%r2]";
  fault.place.source = "gemm.cu:7";
  fault.place.block = {1, 2, 3};
  fault.place.warp = 4;
  fault.place.lane = 5;
  fault.place.thread = {133, 0, 0};
  fault.address = "byte 16 of shared memory";
  fault.notes = {"warp 3 wrote it\nat gemm.ptx:40", "second"};
  fault.advice = "put bar.sync between them";
  EXPECT_EQ(render(fault),
            "ptxsim: error: race: expected a barrier between a write and a "
            "read, got none\n"
            "ptxsim:   in kernel 'gemm'\n"
            "ptxsim:   at gemm.ptx:42: ld.shared.u32 %r1, [%r2]\n"
            "ptxsim:   from gemm.cu:7\n"
            "ptxsim:   by block (1, 2, 3), warp 4, lane 5, thread (133, 0, 0)\n"
            "ptxsim:   address: byte 16 of shared memory\n"
            "ptxsim:   note: warp 3 wrote it\n"
            "ptxsim: at gemm.ptx:40\n"
            "ptxsim:   note: second\n"
            "ptxsim:   help: put bar.sync between them\n");
}

TEST(Fault, RendersTheLeast) {
  Fault fault;
  fault.message = "expected memory, got none";
  EXPECT_EQ(render(fault), "ptxsim: error: expected memory, got none\n");
}
