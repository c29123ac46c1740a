import threading

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.core import context
from tapeflow.engines.llvm import denormals, entry, native, pool, target

from .parallel_programs import sums


@pytest.fixture(autouse=True)
def _threads_as_before():
    yield
    context.reset()
    pool.resize()


def expected(x, chunk):
    """Each chunk added up from its first number on, as the compiled code does."""
    return np.array([np.add.accumulate(x[i : i + chunk])[-1] for i in range(0, len(x), chunk)], np.float32)


@pytest.mark.parametrize("threads", [1, 2, 4, 8])
def test_chunks_are_the_same_for_every_number_of_threads(threads):
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    run = sums()
    x = np.random.default_rng(0).normal(size=10_000).astype(np.float32)
    for n, chunk in ((10_000, 100), (10_000, 7), (9_999, 1000), (5, 10), (1, 1), (64, 8), (2, 1)):
        for _ in range(5):
            np.testing.assert_array_equal(run(x[:n], chunk)[0], expected(x[:n], chunk))


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_many_tiny_calls(threads):
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    run = sums()
    x = np.arange(16, dtype=np.float32)
    wanted = expected(x, 1)
    for _ in range(3000):
        out, _ = run(x, 1)
        assert (out == wanted).all()


def test_nothing_to_do():
    tf.config.threading.set_intra_op_parallelism_threads(2)
    run = sums()
    for chunk in (1, 0, -3):
        out, marked = run(np.zeros(0, np.float32), chunk)
        np.testing.assert_array_equal(out, [0])
        assert marked == 0


@pytest.mark.parametrize("threads", [1, 4])
def test_a_chunk_may_use_the_pool_itself(threads):
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    run = sums()
    x = np.ones(1000, np.float32)
    out, marked = run(x, 10, nested=True)
    np.testing.assert_array_equal(out, np.full(100, 10))
    assert marked == 100 * 10


def test_several_python_threads_at_once():
    tf.config.threading.set_intra_op_parallelism_threads(3)
    run = sums()
    rng = np.random.default_rng(1)
    wrong = []

    def repeat(x):
        wanted = expected(x, 50)
        for _ in range(300):
            if not (run(x, 50)[0] == wanted).all():
                wrong.append(x)

    threads = [threading.Thread(target=repeat, args=(rng.normal(size=2000).astype(np.float32),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(1, 30):  # and their number changes meanwhile
        tf.config.threading.set_intra_op_parallelism_threads(1 + i % 4)
    for thread in threads:
        thread.join()
    assert wrong == []


def test_denormals_are_zero_in_every_thread_and_numbers_outside():
    tf.config.threading.set_intra_op_parallelism_threads(4)
    compiled = native.compile_ir(
        f"""{pool.DECLARATION}
{denormals.denormals(target.host())}
define internal void @body(ptr %x, i64 %low, i64 %high) #0 {{
  %p = getelementptr float, ptr %x, i64 %low
  %v = load float, ptr %p
  %w = fmul float %v, 0x4620000000000000  ; 2^99
  store float %w, ptr %p
  ret void
}}
define void @step(ptr %slots) #0 {{
  %x = load ptr, ptr %slots
  call void @{pool.PARALLEL_FOR}(ptr @body, ptr %x, i64 4096, i64 1)
  ret void
}}
attributes #0 = {{ nounwind }}""",
        target.host(),
    )
    argument = entry.Argument(np.dtype(np.float32), (4096,), writable=True)
    function = entry.make_entry(compiled, [argument], target.host())
    for _ in range(20):
        x = np.full(4096, 1e-40, np.float32)
        assert function(x) is None
        np.testing.assert_array_equal(x, np.zeros(4096))
    assert np.float32(1e-40) * np.float32(1e30) > 0


def test_how_many_threads(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert pool.thread_count() == pool._processors() >= 1
    for text, count in (("3", 3), ("5,2", 5), ("", pool._processors()), ("x", pool._processors()), ("9999", 256)):
        monkeypatch.setenv("OMP_NUM_THREADS", text)
        assert pool.thread_count() == count
    tf.config.threading.set_intra_op_parallelism_threads(7)
    assert pool.thread_count() == 7


@pytest.mark.parametrize("name", ["neon", "sse2", "avx512"])
def test_the_pool_and_the_entry_are_sound_for_other_machines(name):
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = target.of(name, "linux")
    layout = entry.objects.arrays()
    rest = denormals.denormals(machine) + entry._CALL
    for text in (pool._text(machine), entry._ENTRY.format(**layout._asdict(), head=entry._HEAD, row=entry._ROW) + rest):
        data = native._compile(text, machine, False, {})
        assert data[:4] == b"\x7fELF"
        assert int.from_bytes(data[18:20], "little") == (62 if machine.x86 else 183)
