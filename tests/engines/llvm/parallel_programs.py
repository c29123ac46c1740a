"""Modules that use the pool, for its tests and for the programs that these run by themselves."""

import ctypes
import os
import threading

import numpy as np

from tapeflow.engines.llvm import native, pool, target

# context: numbers, a result for each chunk, and [n, chunk, chunks begun, 1 if a chunk is to call the pool itself]
TEXT = f"""
{pool.DECLARATION}
define internal void @mark(ptr %settings, i64 %low, i64 %high) {{
  %at = getelementptr i64, ptr %settings, i64 2
  %length = sub i64 %high, %low
  %old = atomicrmw add ptr %at, i64 %length seq_cst
  ret void
}}
define internal void @body(ptr %context, i64 %low, i64 %high) {{
entry:
  %x = load ptr, ptr %context
  %sums_at = getelementptr ptr, ptr %context, i64 1
  %sums = load ptr, ptr %sums_at
  %settings_at = getelementptr ptr, ptr %context, i64 2
  %settings = load ptr, ptr %settings_at
  %chunk_at = getelementptr i64, ptr %settings, i64 1
  %chunk = load i64, ptr %chunk_at
  %nested_at = getelementptr i64, ptr %settings, i64 3
  %nested = load i64, ptr %nested_at
  %calls = icmp ne i64 %nested, 0
  br i1 %calls, label %inner, label %head
inner:
  call void @{pool.PARALLEL_FOR}(ptr @mark, ptr %settings, i64 10, i64 3)
  br label %head
head:
  %i = phi i64 [ %low, %entry ], [ %low, %inner ], [ %next, %add ]
  %s = phi float [ 0.0, %entry ], [ 0.0, %inner ], [ %t, %add ]
  %more = icmp slt i64 %i, %high
  br i1 %more, label %add, label %done
add:
  %p = getelementptr float, ptr %x, i64 %i
  %v = load float, ptr %p
  %t = fadd float %s, %v
  %next = add i64 %i, 1
  br label %head
done:
  %which = sdiv i64 %low, %chunk
  %out = getelementptr float, ptr %sums, i64 %which
  %before = load float, ptr %out
  %after = fadd float %before, %s
  store float %after, ptr %out
  ret void
}}
define void @step(ptr %slots) {{
  %settings_at = getelementptr ptr, ptr %slots, i64 2
  %settings = load ptr, ptr %settings_at
  %n = load i64, ptr %settings
  %chunk_at = getelementptr i64, ptr %settings, i64 1
  %chunk = load i64, ptr %chunk_at
  call void @{pool.PARALLEL_FOR}(ptr @body, ptr %slots, i64 %n, i64 %chunk)
  ret void
}}
"""


def sums():
    """A function (numbers, chunk, nested) -> the sum of each chunk, and how many numbers chunks marked themselves."""
    compiled = native.compile_ir(TEXT, target.host())
    step = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(compiled.address("step"))

    def run(x, chunk, nested=False):
        settings = np.array([len(x), chunk, 0, int(nested)], np.int64)
        out = np.zeros(max(1, -(-len(x) // max(chunk, 1))), np.float32)
        step((ctypes.c_void_p * 3)(*(a.ctypes.data for a in (x, out, settings))))
        return out, int(settings[2])

    run.keep = compiled
    return run


def thread_number():
    """How many threads this process has."""
    with open("/proc/self/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("Threads")).split()[1])


def thread_states():
    """A letter for each thread but the one that asks: R if it runs, S if it sleeps."""
    states = ""
    for number in os.listdir("/proc/self/task"):
        if int(number) != threading.get_native_id():
            with open(f"/proc/self/task/{number}/stat", encoding="ascii") as file:
                states += file.read().rpartition(") ")[2][0]
    return states
