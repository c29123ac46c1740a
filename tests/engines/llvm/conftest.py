"""Compiled objects of the tests lie in a folder of theirs; what there is several of is tested with each: widths of
vectors, and ways of loading an object.
"""

import sys

import pytest

from tapeflow.engines.llvm import elf, target
from tests.engines.llvm.machine_code import host_bits

collect_ignore_glob = []
if target.missing() is not None:
    collect_ignore_glob.append("test_*.py")  # nothing is compiled here
elif sys.platform != "linux":
    collect_ignore_glob.append("test_pool_processes.py")  # counts threads in /proc


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAPEFLOW_CACHE", str(tmp_path_factory.mktemp("objects")))
        yield


@pytest.fixture(params=["own loader", "LLVM's"])
def loader(request, monkeypatch):
    """Both ways of loading an object; LLVM's is the only one for ARM and macOS."""

    def refuse(data, resolve):
        raise elf.Unsupported("as on another machine")

    if request.param == "LLVM's":
        monkeypatch.setattr(elf, "load", refuse)
    return request.param


@pytest.fixture(params=[128, 256, 512])
def bits(request: pytest.FixtureRequest) -> int:
    """A width of vectors, in bits; the host's own where it has none so wide."""
    widths = host_bits()
    return request.param if request.param in widths else max(widths)
