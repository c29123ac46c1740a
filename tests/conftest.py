"""How property tests run: with no time limit for an example, and in CI on the same examples each time.

Functions run on the NumPy engine, which gives eager results to the bit, unless TAPEFLOW_ENGINE says otherwise: on the
compiling one tests allow for rounding.
"""

import gc
import os

from hypothesis import settings

os.environ.setdefault("TAPEFLOW_ENGINE", "numpy")
os.environ.setdefault("TAPEFLOW_CACHE", "off")
settings.register_profile("tapeflow", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("tapeflow")


def pytest_collection_finish() -> None:
    """Has Python look for cycles less often, and not among thousands of tests: that was a third of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
