"""Why a mutant is as right as the kernel, or wrong under few schedules only.

An entry names the kernels, the label before the instruction, the instruction and
what was done to it, as regular expressions; None stands for any.
"""

import dataclasses
import re

ATTENTION = "attention|causal-attention"


@dataclasses.dataclass
class Reason:
    kernels: str
    label: str
    instruction: str
    what: str
    why: str
    is_rare: bool = False  # Some schedules report it; a few may not be enough.

    def fits(self, kernel, mutation):
        return all(pattern is None or re.fullmatch(pattern, text)
                   for pattern, text in [(self.kernels, kernel),
                                         (self.label, mutation.label),
                                         (self.instruction, mutation.instruction),
                                         (self.what, mutation.what)])


REASONS = [
    Reason("gemm", None, "setmaxnreg.dec.*", "registers 32 in place of 40",
           "the others take no more registers than the correct kernel gives back"),
    Reason(None, None, "setmaxnreg.inc.*",
           "deleted|registers 224 in place of 232|registers 232 in place of 240",
           "the 168 registers that a thread begins with suffice: assemble.test"),
    Reason(None, None, "mbarrier.arrive.expect_tx.*", "release made relaxed",
           "the thread has written nothing; the copies themselves order what they "
           "bring before the wait"),
    Reason("gemm", None, "bar.warp.sync.*", "deleted",
           "every lane comes to the aligned barrier.cluster.arrive after it, which "
           "waits for them all"),
    Reason(ATTENTION, None, ".*fence.mbarrier_init.*", "deleted",
           "bar.sync 0 shows the barriers to the block, and no other block uses "
           "them"),
    Reason(ATTENTION, "WAIT_FIRST_K", ".*xor.b32 %parity.*",
           "parity never changes",
           "the first of two or more stages is not the last: never executed"),
    Reason(ATTENTION, "WAIT_K", "bar.sync %turn.*", "another barrier",
           "the turns shape the pipeline: the warpgroups share nothing but what "
           "mbarriers guard, and arrivals alone complete the barrier"),
    Reason(ATTENTION, "WAIT_K", "bar.sync %turn.*", "deleted|made bar.arrive",
           "if a warpgroup is a whole turn ahead, its arrivals complete the barrier "
           "at which the other one then waits for ever", is_rare=True),
    Reason(ATTENTION, "WAIT_V", "wgmma.fence.*", "deleted",
           "the fence before the product with K covers P and O, which nothing has "
           "written since"),
    Reason(ATTENTION, "WAIT_V", r".*mbarrier.arrive.release.*\[%at\+49176\]",
           "release made relaxed",
           "before it copies to this stage of K the producer waits for the stage of "
           "V that the same thread releases later"),
]


def reason(kernel, mutation):
    """Returns None if a mutant must be reported."""
    for entry in REASONS:
        if entry.fits(kernel, mutation):
            return entry
    return None
