"""tapeflow: TensorFlow 2's GradientTape world as a small, fast library. `import tapeflow as tf`.

This file and the namespace modules beside it only name things. What costs import time loads when it is first named.
"""

import warnings as _warnings
from typing import Any as _Any

from .autodiff.request import UnconnectedGradients
from .autodiff.tape import GradientTape
from .core.convert import constant, convert_to_tensor, get_static_value, is_tensor, register_tensor_conversion_function
from .core.dtypes import (
    DType,
    as_dtype,
    bfloat16,
    complex64,
    complex128,
    double,
    float16,
    float32,
    float64,
    half,
    int8,
    int16,
    int32,
    int64,
    resource,
    string,
    uint8,
    uint16,
    uint32,
    uint64,
    variant,
)
from .core.dtypes import bool_ as bool
from .core.indexed_slices import IndexedSlices
from .core.names import name_scope
from .core.shapes import TensorShape, broadcast_static_shape
from .core.tensor import Tensor
from .core.type_spec import TensorSpec, TypeSpec, type_spec_from_value
from .core.variable import Variable, VariableAggregation, VariableSynchronization
from .ops import operators as _operators  # noqa: F401 - attaches the operators of tensors and variables
from .ops import variable_updates as _variable_updates  # noqa: F401 - attaches slices and scatters to variables
from .ops.argextrema import argmax, argmin
from .ops.arithmetic import abs_ as abs
from .ops.arithmetic import (
    add,
    add_n,
    divide,
    floordiv,
    maximum,
    minimum,
    multiply,
    negative,
    scalar_mul,
    sign,
    square,
    subtract,
    truediv,
    truncatediv,
    truncatemod,
)
from .ops.arithmetic import floormod as math_mod
from .ops.arithmetic import pow_ as pow
from .ops.casting import bitcast, cast, saturate_cast
from .ops.comparison import (
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    not_equal,
)
from .ops.complex_numbers import complex_ as complex
from .ops.creation import eye, fill, linspace, meshgrid, one_hot, ones, sequence_mask, zeros
from .ops.creation import range_ as range
from .ops.elementary import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    exp,
    floor,
    sigmoid,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)
from .ops.elementary import round_ as round
from .ops.extending import pad, repeat, tile
from .ops.extents import broadcast_dynamic_shape, rank, shape, shape_n, size
from .ops.indexing import boolean_mask, gather, gather_nd
from .ops.joining import concat, parallel_stack, split, stack, unstack
from .ops.products import matmul, tensordot
from .ops.reduction import (
    reduce_all,
    reduce_any,
    reduce_logsumexp,
    reduce_max,
    reduce_mean,
    reduce_min,
    reduce_prod,
    reduce_sum,
)
from .ops.scattering import (
    dynamic_partition,
    dynamic_stitch,
    scatter_nd,
    tensor_scatter_nd_add,
    tensor_scatter_nd_max,
    tensor_scatter_nd_min,
    tensor_scatter_nd_sub,
    tensor_scatter_nd_update,
)
from .ops.selection import clip_by_global_norm, clip_by_norm, clip_by_value, where
from .ops.shaping import (
    broadcast_to,
    ensure_shape,
    expand_dims,
    identity,
    identity_n,
    ones_like,
    reshape,
    squeeze,
    transpose,
    zeros_like,
)
from .ops.slicing import slice_ as slice
from .ops.slicing import strided_slice
from .ops.stopping import stop_gradient
from .version import TENSORFLOW_VERSION as __version__

newaxis = None

# where the names are that load on first use
_LAZY = {
    ".": "autodiff autograph bitwise compat config debugging dtypes errors keras linalg math nest nn random strings "
    "version",
    ".keras": "initializers losses metrics optimizers",
    ".autodiff.custom": "custom_gradient grad_pass_through recompute_grad",
    ".core.module": "Module",
    ".ops.einsum": "einsum",
    ".ops.scans": "cumsum",
    ".core.context": "executing_eagerly get_logger init_scope inside_function",
    ".functions.function": "function",
    ".graph.gradients": "AggregationMethod gradients",
    ".control.branching": "case cond switch_case",
    ".control.loops": "while_loop",
    ".control.mapping": "foldl foldr map_fn scan",
    ".control.vectorized": "vectorized_map",
    ".control.tensor_array": "TensorArray",
    ".control.python_calls": "numpy_function py_function",
    ".core.device": "device",
    ".core.device_spec": "DeviceSpec",
    ".ops.assertions": "Assert assert_equal assert_greater assert_less",
    ".ops.shape_assertions": "assert_rank",
    ".ops.clock": "timestamp",
    ".ops.initializers": "constant_initializer ones_initializer random_normal_initializer "
    "random_uniform_initializer zeros_initializer",
    ".ops.norms": "norm",
    ".ops.ordering": "control_dependencies group no_op",
    ".ops.output": "print",
    ".ops.permuting": "reverse reverse_sequence roll",
    ".ops.sorting": "argsort searchsorted sort unique unique_with_counts",
    ".ops.counting": "histogram_fixed_width histogram_fixed_width_bins",
    ".ops.spaces": "batch_to_space required_space_to_batch_paddings space_to_batch space_to_batch_nd",
    ".ops.indexing": "unravel_index",
}
_PLACES = {name: module for module, names in _LAZY.items() for name in names.split()}

__all__ = [
    "AggregationMethod",
    "Assert",
    "DType",
    "DeviceSpec",
    "GradientTape",
    "IndexedSlices",
    "Module",
    "Tensor",
    "TensorArray",
    "TensorShape",
    "TensorSpec",
    "TypeSpec",
    "UnconnectedGradients",
    "Variable",
    "VariableAggregation",
    "VariableSynchronization",
    "__version__",
    "abs",
    "acos",
    "acosh",
    "add",
    "add_n",
    "argmax",
    "argmin",
    "argsort",
    "as_dtype",
    "asin",
    "asinh",
    "assert_equal",
    "assert_greater",
    "assert_less",
    "assert_rank",
    "atan",
    "atan2",
    "atanh",
    "autodiff",
    "autograph",
    "batch_to_space",
    "bfloat16",
    "bitcast",
    "bitwise",
    "bool",
    "boolean_mask",
    "broadcast_dynamic_shape",
    "broadcast_static_shape",
    "broadcast_to",
    "case",
    "cast",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "compat",
    "complex",
    "complex128",
    "complex64",
    "concat",
    "cond",
    "config",
    "constant",
    "constant_initializer",
    "control_dependencies",
    "convert_to_tensor",
    "cos",
    "cosh",
    "cumsum",
    "custom_gradient",
    "debugging",
    "device",
    "divide",
    "double",
    "dtypes",
    "dynamic_partition",
    "dynamic_stitch",
    "einsum",
    "ensure_shape",
    "equal",
    "errors",
    "executing_eagerly",
    "exp",
    "expand_dims",
    "eye",
    "fill",
    "float16",
    "float32",
    "float64",
    "floor",
    "floordiv",
    "foldl",
    "foldr",
    "function",
    "gather",
    "gather_nd",
    "get_logger",
    "get_static_value",
    "grad_pass_through",
    "gradients",
    "greater",
    "greater_equal",
    "group",
    "half",
    "histogram_fixed_width",
    "histogram_fixed_width_bins",
    "identity",
    "identity_n",
    "init_scope",
    "initializers",
    "inside_function",
    "int16",
    "int32",
    "int64",
    "int8",
    "is_tensor",
    "keras",
    "less",
    "less_equal",
    "linalg",
    "linspace",
    "logical_and",
    "logical_not",
    "logical_or",
    "losses",
    "map_fn",
    "math",
    "math_mod",
    "matmul",
    "maximum",
    "meshgrid",
    "metrics",
    "minimum",
    "multiply",
    "name_scope",
    "negative",
    "nest",
    "newaxis",
    "nn",
    "no_op",
    "norm",
    "not_equal",
    "numpy_function",
    "one_hot",
    "ones",
    "ones_initializer",
    "ones_like",
    "optimizers",
    "pad",
    "parallel_stack",
    "pow",
    "print",
    "py_function",
    "random",
    "random_normal_initializer",
    "random_uniform_initializer",
    "range",
    "rank",
    "recompute_grad",
    "reduce_all",
    "reduce_any",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_sum",
    "register_tensor_conversion_function",
    "repeat",
    "required_space_to_batch_paddings",
    "reshape",
    "resource",
    "reverse",
    "reverse_sequence",
    "roll",
    "round",
    "saturate_cast",
    "scalar_mul",
    "scan",
    "scatter_nd",
    "searchsorted",
    "sequence_mask",
    "shape",
    "shape_n",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "size",
    "slice",
    "sort",
    "space_to_batch",
    "space_to_batch_nd",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "stop_gradient",
    "strided_slice",
    "string",
    "strings",
    "subtract",
    "switch_case",
    "tan",
    "tanh",
    "tensor_scatter_nd_add",
    "tensor_scatter_nd_max",
    "tensor_scatter_nd_min",
    "tensor_scatter_nd_sub",
    "tensor_scatter_nd_update",
    "tensordot",
    "tile",
    "timestamp",
    "transpose",
    "truediv",
    "truncatediv",
    "truncatemod",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "type_spec_from_value",
    "unique",
    "unique_with_counts",
    "unravel_index",
    "unstack",
    "variant",
    "vectorized_map",
    "version",
    "where",
    "while_loop",
    "zeros",
    "zeros_initializer",
    "zeros_like",
]

# NumPy warns of overflow and of logarithms of negative numbers where TensorFlow gives inf and nan and is silent. The
# filter is for warnings that our own modules cause; `np.errstate` around kernels would cost 2 us an op.
_warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"tapeflow\.")


def __getattr__(name: str) -> _Any:
    module = _PLACES.get(name)
    if module is None:
        from .compat.nearest import missing

        raise missing(__name__, name)
    from importlib import import_module

    found = import_module(f".{name}", __name__) if module == "." else getattr(import_module(module, __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
