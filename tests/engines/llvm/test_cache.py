import multiprocessing
import os

import pytest

from tapeflow.engines.llvm import cache

KEY = "0" * 64


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    place = tmp_path / "objects"
    monkeypatch.setenv("TAPEFLOW_CACHE", str(place))
    cache._told.clear()
    return place


def test_what_was_put_comes_back(folder):
    assert cache.get(KEY) is None
    cache.put(KEY, b"code" * 1000)
    assert cache.get(KEY) == b"code" * 1000
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [p.name for p in folder.iterdir()] == [KEY]
    assert (folder / KEY).stat().st_mode & 0o777 == 0o600


def test_off(folder, monkeypatch):
    monkeypatch.setenv("TAPEFLOW_CACHE", "off")
    cache.put(KEY, b"code")
    assert cache.get(KEY) is None
    assert not folder.exists()


@pytest.mark.parametrize(
    "damage", [lambda d: d[:-1], lambda d: d[:40], lambda d: b"", lambda d: d[:-1] + b"\0", lambda d: b"x" + d[1:]]
)
def test_a_damaged_entry_is_none_and_is_replaced(folder, damage):
    cache.put(KEY, b"code")
    path = folder / KEY
    path.write_bytes(damage(path.read_bytes()))
    assert cache.get(KEY) is None
    cache.put(KEY, b"code")
    assert cache.get(KEY) == b"code"


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_that_others_may_write_is_not_used(folder, caplog, mode):
    cache.put(KEY, b"code")
    folder.chmod(mode)
    assert cache.get(KEY) is None
    cache.put("1" * 64, b"code")
    assert [p.name for p in folder.iterdir()] == [KEY]
    assert len(caplog.records) == 1
    assert "may be written to by others" in caplog.text


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_may_write_is_not_used(folder, caplog, mode):
    cache.put(KEY, b"code")
    (folder / KEY).chmod(mode)
    assert cache.get(KEY) is None
    assert cache.get(KEY) is None
    assert len(caplog.records) == 1


def test_links_are_not_followed(folder, caplog, tmp_path, monkeypatch):
    cache.put(KEY, b"code")
    (folder / KEY).rename(tmp_path / "elsewhere")
    (folder / KEY).symlink_to(tmp_path / "elsewhere")
    assert cache.get(KEY) is None
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.setenv("TAPEFLOW_CACHE", str(tmp_path / "link"))
    cache.put("1" * 64, b"code")
    assert not (folder / ("1" * 64)).exists()
    assert len(caplog.records) == 2


def test_what_belongs_to_another_user_is_not_used(folder, caplog, monkeypatch):
    cache.put(KEY, b"code")
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    assert cache.get(KEY) is None
    assert "belongs to another user" in caplog.text


def test_a_folder_in_one_that_others_may_write_is_not_used(tmp_path, caplog, monkeypatch):
    above = tmp_path / "open"
    above.mkdir()
    above.chmod(0o777)
    monkeypatch.setenv("TAPEFLOW_CACHE", str(above / "objects"))
    cache.put(KEY, b"code")
    assert cache.get(KEY) is None
    assert f"lies in {above}, which may be written to by others" in caplog.text
    above.chmod(0o1777)  # as /tmp is: nobody can rename what is another's
    cache.put(KEY, b"code")
    assert cache.get(KEY) == b"code"


def test_a_place_where_no_folder_can_be(tmp_path, caplog, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TAPEFLOW_CACHE", str(tmp_path / "file" / "objects"))
    cache.put(KEY, b"code")
    assert cache.get(KEY) is None
    assert len(caplog.records) == 1


def test_a_full_disk_is_no_error(folder, caplog, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    cache.put(KEY, b"code")
    assert "No space left on device" in caplog.text
    assert list(folder.iterdir()) == []


def test_what_was_used_longest_ago_goes_first(folder, monkeypatch):
    keys = [str(i) * 64 for i in range(4)]
    for i, key in enumerate(keys[:3]):
        cache.put(key, bytes(1000))
        os.utime(folder / key, (1000 + i, 1000 + i))
    assert cache.get(keys[0]) == bytes(1000)  # now used last
    monkeypatch.setattr(cache, "LIMIT", 2 * (folder / keys[0]).stat().st_size + 10)
    cache.put(keys[3], bytes(1000))
    assert sorted(p.name for p in folder.iterdir()) == [keys[0], keys[3]]


def test_the_usual_places(monkeypatch):
    monkeypatch.setattr(cache.sys, "platform", "linux")
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert cache._default() == "/caches/tapeflow/objects"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # to be ignored, its specification says
    assert cache._default() == "/home/someone/.cache/tapeflow/objects"
    monkeypatch.setattr(cache.sys, "platform", "darwin")
    assert cache._default() == "/home/someone/Library/Caches/tapeflow/objects"


def _write_and_read(number):
    for _ in range(30):
        cache.put(KEY, bytes([number]) * 5000)
        found = cache.get(KEY)
        if found is None or len(set(found)) != 1 or len(found) != 5000:
            return False
    return True


def test_many_processes_at_once(folder):
    with multiprocessing.get_context("fork").Pool(4) as workers:
        assert all(workers.map(_write_and_read, range(8)))
    assert [p.name for p in folder.iterdir()] == [KEY]
