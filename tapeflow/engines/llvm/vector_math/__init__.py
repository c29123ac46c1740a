"""Elementwise mathematics written as LLVM's IR, for scalars and vectors of any number of lanes.

Each function takes a builder and values of one type, floats or doubles (a few take ints too), and writes what computes
the result in instructions: none calls the C library. The special cases are NumPy's. Floats are within 2 units in the
last place over their whole range (selu: 4), and so are doubles, but for power, lgamma, digamma, erfinv and ndtri: 4.
Between negative whole numbers lgamma and digamma of doubles are right absolutely, near their zeros not relatively.

Denormal numbers come out right where the processor handles them. Compiled programs have them flushed to zero, in and
out: then a denormal argument counts as zero, and a result that would be denormal is zero.
"""

from tapeflow.engines.llvm.vector_math.comparison import (
    absolute,
    is_finite,
    is_infinite,
    is_nan,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    reciprocal,
    reciprocal_root,
    sign,
    square,
    square_root,
)
from tapeflow.engines.llvm.vector_math.error_functions import erf, erfc
from tapeflow.engines.llvm.vector_math.estimates import quick_quotient, quick_root
from tapeflow.engines.llvm.vector_math.exponentials import cosh, elu, exp, expm1, selu, sigmoid, sinh, softplus, tanh
from tapeflow.engines.llvm.vector_math.gamma_functions import digamma, lgamma
from tapeflow.engines.llvm.vector_math.inverse_trigonometry import acos, asin, atan, atan2
from tapeflow.engines.llvm.vector_math.logarithms import acosh, asinh, atanh, log, log1p
from tapeflow.engines.llvm.vector_math.power import power
from tapeflow.engines.llvm.vector_math.quantiles import erfinv, ndtri
from tapeflow.engines.llvm.vector_math.rounding import (
    ceil,
    floor,
    floor_divide,
    floor_mod,
    round_even,
    to_integer,
    trunc,
)
from tapeflow.engines.llvm.vector_math.trigonometry import cos, cos_within, sin, sin_within, tan

__all__ = [
    "absolute",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "ceil",
    "cos",
    "cos_within",
    "cosh",
    "digamma",
    "elu",
    "erf",
    "erfc",
    "erfinv",
    "exp",
    "expm1",
    "floor",
    "floor_divide",
    "floor_mod",
    "is_finite",
    "is_infinite",
    "is_nan",
    "lgamma",
    "log",
    "log1p",
    "logical_and",
    "logical_not",
    "logical_or",
    "maximum",
    "minimum",
    "ndtri",
    "power",
    "quick_quotient",
    "quick_root",
    "reciprocal",
    "reciprocal_root",
    "round_even",
    "selu",
    "sigmoid",
    "sign",
    "sin",
    "sin_within",
    "sinh",
    "softplus",
    "square",
    "square_root",
    "tan",
    "tanh",
    "to_integer",
    "trunc",
]
