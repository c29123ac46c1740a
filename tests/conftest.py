"""How property tests run: with no time limit for an example, and in CI on the same examples each time."""

import os

from hypothesis import settings

settings.register_profile("tapeflow", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("tapeflow")
