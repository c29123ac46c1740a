"""The widths of vectors that what writes code is tested with."""

import pytest

from tests.engines.llvm.machine_code import host_bits


@pytest.fixture(params=[128, 256, 512])
def bits(request: pytest.FixtureRequest) -> int:
    """A width of vectors, in bits; the host's own where it has none so wide."""
    widths = host_bits()
    return request.param if request.param in widths else max(widths)
