// Compiles each header of the folder, which has no other source.

#include "tools/ptxsim/numerics/Approximate.h"
#include "tools/ptxsim/numerics/ApproximateHalf.h"
#include "tools/ptxsim/numerics/Bits.h"
#include "tools/ptxsim/numerics/Convert.h"
#include "tools/ptxsim/numerics/FloatArithmetic.h"
#include "tools/ptxsim/numerics/FloatCompare.h"
#include "tools/ptxsim/numerics/Formats.h"
#include "tools/ptxsim/numerics/HalfArithmetic.h"
#include "tools/ptxsim/numerics/IntegerArithmetic.h"
#include "tools/ptxsim/numerics/IntegerBits.h"
#include "tools/ptxsim/numerics/Rounding.h"
