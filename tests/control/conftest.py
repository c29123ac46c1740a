"""What tests of control flow share."""

import pytest


@pytest.fixture
def to_the_bit(monkeypatch):
    """Functions run on the NumPy engine, whose results are those of eager mode to the bit."""
    monkeypatch.setenv("TAPEFLOW_ENGINE", "numpy")
