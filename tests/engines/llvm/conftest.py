"""Compiled objects of the tests lie in a folder of theirs; what runs on whichever loader there is runs on both."""

import sys

import pytest

from tapeflow.engines.llvm import elf, target

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
