"""`tf.linalg`: products and norms of matrices."""

from typing import NoReturn

from .ops.creation import eye
from .ops.diagonals import band_part, diag, diag_part, set_diag, tensor_diag, tensor_diag_part
from .ops.einsum import einsum
from .ops.norms import cross, l2_normalize, norm, normalize, trace
from .ops.products import matmul, matvec, tensordot
from .ops.selection import global_norm
from .ops.shaping import adjoint, matrix_transpose

__all__ = [
    "adjoint",
    "band_part",
    "cross",
    "diag",
    "diag_part",
    "einsum",
    "eye",
    "global_norm",
    "l2_normalize",
    "matmul",
    "matrix_transpose",
    "matvec",
    "norm",
    "normalize",
    "set_diag",
    "tensor_diag",
    "tensor_diag_part",
    "tensordot",
    "trace",
]


def __getattr__(name: str) -> NoReturn:
    from .compat.nearest import missing

    raise missing(__name__, name)
