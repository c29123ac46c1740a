"""The threads of compiled code: one pool for the process, which a module calls as `parallel_for`.

    void tapeflow_parallel_for(void (*f)(ptr context, i64 low, i64 high), ptr context, i64 n, i64 chunk)

calls f for chunks of `chunk` numbers each (the last may be shorter) that make up 0..n. Which chunks there are depends
on n and chunk alone, so that results do not depend on the number of threads; which thread runs one, and in which
order, does. A call from within a chunk, and one while another thread has the pool, runs all its chunks where it is.

Threads begin with the first call that has use for them, look for work a short while after each, and sleep then. A chunk
is claimed by counting down a ticket, which carries the number of the call as well: a thread that comes late finds
nothing left, and cannot take a chunk of a call that is over. The caller never waits for a thread that has claimed none.
After a fork the child has no threads, and begins with new ones when it needs them.
"""

from __future__ import annotations

import atexit
import ctypes
import os
from functools import cache
from time import perf_counter, sleep

from ...core.context import settings
from .denormals import denormals
from .native import Native, compile_ir, provide
from .target import Target, host

PARALLEL_FOR = "tapeflow_parallel_for"
DECLARATION = f"declare void @{PARALLEL_FOR}(ptr, ptr, i64, i64)"

_MOST = 256  # threads
_STACK = 8 << 20  # bytes of a worker's stack; only what is touched counts
_SPIN = 50e-6  # seconds that a thread looks for work before it sleeps: about what lies between two parallel loops
_POOL = """
@ticket = global i64 0, align 128        ; number of the call << 40 | chunks that nobody has claimed
@pending = global i64 0, align 128       ; chunks that are not done
@sleepers = global i64 0, align 128
@busy = global i64 0, align 128          ; whether a thread has the pool
@function = global ptr null, align 128
@context = global ptr null
@numbers = global i64 0
@size = global i64 0
@count = global i64 0
@wanted = global i64 1, align 128        ; threads, the caller's among them
@running = global i64 0                  ; workers that there are
@spin = global i64 0
@stopping = global i64 0
@mutex = global [128 x i8] zeroinitializer, align 128
@condition = global [128 x i8] zeroinitializer, align 128
@threads = global [{most} x i64] zeroinitializer

declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_broadcast(ptr)
declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_join(i64, ptr)
declare i32 @pthread_attr_init(ptr)
declare i32 @pthread_attr_setstacksize(ptr, i64)
declare i32 @pthread_attr_destroy(ptr)
declare i32 @pthread_sigmask(i32, ptr, ptr)
declare i32 @sigfillset(ptr)
declare i32 @sigdelset(ptr, i32)
declare i32 @sched_yield()
declare void {declared}

define internal void @chunk(ptr %f, ptr %context, i64 %n, i64 %size, i64 %i) #0 {{
  %low = mul i64 %i, %size
  %end = add i64 %low, %size
  %short = icmp slt i64 %n, %end
  %high = select i1 %short, i64 %n, i64 %end
  call void %f(ptr %context, i64 %low, i64 %high)
  ret void
}}

define internal void @alone(ptr %f, ptr %context, i64 %n, i64 %size, i64 %count) #0 {{
entry:
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %next, %body ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %body, label %done
body:
  call void @chunk(ptr %f, ptr %context, i64 %n, i64 %size, i64 %i)
  %next = add i64 %i, 1
  br label %head
done:
  ret void
}}

; Runs chunks of the present call until none is left.
define internal void @work() #0 {{
entry:
  br label %top
top:
  %seen = load atomic i64, ptr @ticket acquire, align 8
  br label %try
try:
  %old = phi i64 [ %seen, %top ], [ %now, %claim ]
  %left = and i64 %old, {mask}
  %none = icmp eq i64 %left, 0
  br i1 %none, label %done, label %claim
claim:
  %less = sub i64 %old, 1
  %pair = cmpxchg ptr @ticket, i64 %old, i64 %less acq_rel acquire
  %now = extractvalue {{ i64, i1 }} %pair, 0
  %mine = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %mine, label %run, label %try
run:                                     ; the call cannot end before this chunk does: what describes it stays
  %f = load ptr, ptr @function
  %context = load ptr, ptr @context
  %n = load i64, ptr @numbers
  %size = load i64, ptr @size
  %count = load i64, ptr @count
  %i = sub i64 %count, %left
  call void @chunk(ptr %f, ptr %context, i64 %n, i64 %size, i64 %i)
  %before = atomicrmw sub ptr @pending, i64 1 release
  br label %top
done:
  ret void
}}

define internal void @wake() #0 {{
  call i32 @pthread_mutex_lock(ptr @mutex)
  call i32 @pthread_cond_broadcast(ptr @condition)
  call i32 @pthread_mutex_unlock(ptr @mutex)
  ret void
}}

define internal ptr @worker(ptr %first) #0 {{
entry:
  %flushed = call i64 @flush_denormals()
  %begun = ptrtoint ptr %first to i64
  br label %top
top:
  %last = phi i64 [ %begun, %entry ], [ %fresh, %again ]
  br label %look
look:
  %k = phi i64 [ 0, %top ], [ %k_next, %pause ]
  %t = load atomic i64, ptr @ticket acquire, align 8
  %call = lshr i64 %t, 40
  %new = icmp ne i64 %call, %last
  br i1 %new, label %begin, label %pause
pause:
  call void {pause}
  %k_next = add i64 %k, 1
  %limit = load i64, ptr @spin
  %awake = icmp slt i64 %k, %limit
  br i1 %awake, label %look, label %sleep
sleep:
  call i32 @pthread_mutex_lock(ptr @mutex)
  %more = atomicrmw add ptr @sleepers, i64 1 seq_cst
  br label %again_asleep
again_asleep:
  %t2 = load atomic i64, ptr @ticket seq_cst, align 8
  %call2 = lshr i64 %t2, 40
  %same = icmp eq i64 %call2, %last
  br i1 %same, label %wait, label %woken
wait:
  call i32 @pthread_cond_wait(ptr @condition, ptr @mutex)
  br label %again_asleep
woken:
  %fewer = atomicrmw sub ptr @sleepers, i64 1 seq_cst
  call i32 @pthread_mutex_unlock(ptr @mutex)
  br label %begin
begin:
  %fresh = phi i64 [ %call, %look ], [ %call2, %woken ]
  %stop = load atomic i64, ptr @stopping acquire, align 8
  %end = icmp ne i64 %stop, 0
  br i1 %end, label %leave, label %again
again:
  call void @work()
  br label %top
leave:
  ret ptr null
}}

; Begins workers until there are as many as wanted, or no more can be had. The pool is the caller's.
define internal void @begin() #0 {{
entry:
  %attributes = alloca [128 x i8], align 16
  %blocked = alloca [128 x i8], align 16
  %before = alloca [128 x i8], align 16
  call i32 @pthread_attr_init(ptr %attributes)
  call i32 @pthread_attr_setstacksize(ptr %attributes, i64 {stack})
  call i32 @sigfillset(ptr %blocked)     ; signals are for Python's threads, but for those of faults
  {faults}
  call i32 @pthread_sigmask(i32 {setmask}, ptr %blocked, ptr %before)
  %wanted = load i64, ptr @wanted
  %ticket = load atomic i64, ptr @ticket acquire, align 8
  %call = lshr i64 %ticket, 40
  %last = inttoptr i64 %call to ptr
  br label %head
head:
  %running = load i64, ptr @running
  %next = add i64 %running, 1
  %more = icmp slt i64 %next, %wanted
  br i1 %more, label %make, label %done
make:
  %place = getelementptr i64, ptr @threads, i64 %running
  %failed = call i32 @pthread_create(ptr %place, ptr %attributes, ptr @worker, ptr %last)
  %made = icmp eq i32 %failed, 0
  br i1 %made, label %count, label %short
count:
  store i64 %next, ptr @running
  br label %head
short:                                   ; no more can be had: these are enough
  store i64 %next, ptr @wanted
  br label %done
done:
  call i32 @pthread_sigmask(i32 {setmask}, ptr %before, ptr null)
  call i32 @pthread_attr_destroy(ptr %attributes)
  ret void
}}

; Makes a call known: its number, one higher, and its chunks.
define internal void @publish(i64 %count) #0 {{
entry:
  %old = load atomic i64, ptr @ticket monotonic, align 8
  %call = lshr i64 %old, 40
  %next = add i64 %call, 1
  %high = shl i64 %next, 40
  %new = or i64 %high, %count
  store atomic i64 %new, ptr @ticket seq_cst, align 8
  %asleep = load atomic i64, ptr @sleepers seq_cst, align 8
  %some = icmp sgt i64 %asleep, 0
  br i1 %some, label %rouse, label %done
rouse:
  call void @wake()
  br label %done
done:
  ret void
}}

define void @{name}(ptr %f, ptr %context, i64 %n, i64 %asked) #0 {{
entry:
  %threads = load atomic i64, ptr @wanted monotonic, align 8
  %negated = sub i64 0, %asked
  %named = icmp sgt i64 %negated, 1       ; so many chunks for each thread
  %each = select i1 %named, i64 %negated, i64 1
  %cuts = mul i64 %each, %threads
  %short = add i64 %n, %cuts
  %share = sub i64 %short, 1
  %even = sdiv i64 %share, %cuts
  %some = icmp sgt i64 %even, 1
  %own = select i1 %some, i64 %even, i64 1
  %positive = icmp sgt i64 %asked, 0
  %size = select i1 %positive, i64 %asked, i64 %own
  %rounded = add i64 %n, %size
  %up = sub i64 %rounded, 1
  %count = sdiv i64 %up, %size
  %wanted = load atomic i64, ptr @wanted monotonic, align 8
  %several = icmp sgt i64 %wanted, 1
  %chunks = icmp sgt i64 %count, 1
  %few = icmp ult i64 %count, {mask}
  %both = and i1 %several, %chunks
  %use = and i1 %both, %few
  br i1 %use, label %ask, label %serial
ask:
  %pair = cmpxchg ptr @busy, i64 0, i64 1 acquire monotonic
  %mine = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %mine, label %have, label %serial
serial:
  call void @alone(ptr %f, ptr %context, i64 %n, i64 %size, i64 %count)
  ret void
have:
  %running = load i64, ptr @running
  %all = add i64 %running, 1
  %enough = icmp sge i64 %all, %wanted
  br i1 %enough, label %describe, label %start
start:
  call void @begin()
  br label %describe
describe:
  store ptr %f, ptr @function
  store ptr %context, ptr @context
  store i64 %n, ptr @numbers
  store i64 %size, ptr @size
  store i64 %count, ptr @count
  store atomic i64 %count, ptr @pending release, align 8
  call void @publish(i64 %count)
  call void @work()
  br label %wait
wait:
  %k = phi i64 [ 0, %describe ], [ %k_next, %longer ]
  %left = load atomic i64, ptr @pending acquire, align 8
  %over = icmp eq i64 %left, 0
  br i1 %over, label %done, label %pause
pause:
  call void {pause}
  %k_next = add i64 %k, 1
  %limit = load i64, ptr @spin
  %patient = icmp slt i64 %k, %limit
  br i1 %patient, label %longer, label %yield
yield:
  call i32 @sched_yield()
  br label %longer
longer:
  br label %wait
done:
  store atomic i64 0, ptr @busy release, align 8
  ret void
}}

; Ends the workers, and tells how many threads there are to be from now on. 0 if another thread has the pool.
define i64 @pool_resize(i64 %wanted, i64 %spin) #0 {{
entry:
  %pair = cmpxchg ptr @busy, i64 0, i64 1 acquire monotonic
  %mine = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %mine, label %have, label %no
no:
  ret i64 0
have:
  store atomic i64 1, ptr @stopping seq_cst, align 8
  call void @publish(i64 0)
  %running = load i64, ptr @running
  br label %head
head:
  %i = phi i64 [ 0, %have ], [ %next, %join ]
  %more = icmp slt i64 %i, %running
  br i1 %more, label %join, label %done
join:
  %place = getelementptr i64, ptr @threads, i64 %i
  %thread = load i64, ptr %place
  call i32 @pthread_join(i64 %thread, ptr null)
  %next = add i64 %i, 1
  br label %head
done:
  store i64 0, ptr @running
  store atomic i64 0, ptr @stopping release, align 8
  store i64 %spin, ptr @spin
  store atomic i64 %wanted, ptr @wanted release, align 8
  store atomic i64 0, ptr @busy release, align 8
  ret i64 1
}}

; Looks for nothing, a number of times.
define void @pool_look(i64 %times) #0 {{
entry:
  br label %look
look:
  %k = phi i64 [ 0, %entry ], [ %next, %look ]
  call void {pause}
  %next = add i64 %k, 1
  %more = icmp slt i64 %next, %times
  br i1 %more, label %look, label %done
done:
  ret void
}}

; A pool without workers that nobody has: at the start, and in the child of a fork.
define void @pool_reset() #0 {{
  store i64 0, ptr @ticket
  store i64 0, ptr @pending
  store i64 0, ptr @sleepers
  store i64 0, ptr @running
  store i64 0, ptr @stopping
  call i32 @pthread_mutex_init(ptr @mutex, ptr null)
  call i32 @pthread_cond_init(ptr @condition, ptr null)
  store atomic i64 0, ptr @busy release, align 8
  ret void
}}
attributes #0 = {{ nounwind }}
"""


def thread_count() -> int:
    """How many threads compiled code uses: what `tf.config.threading` says, OMP_NUM_THREADS, or the processors."""
    asked = settings["intra_op_threads"]
    if not asked:
        first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
        asked = int(first) if first.isdigit() else 0
    return max(1, min(asked or _processors(), _MOST))


def resize() -> None:
    """Gives the pool, if there is one, the number of threads that `thread_count` tells now."""
    while _native is not None and not _resize(_native, thread_count()):
        sleep(0.001)  # another thread has it, until its call is over


def _resize(native: Native, count: int) -> bool:
    # threads that share a processor do not wait by counting
    spin = int(_SPIN / _pause(native.address("pool_look"))) if count <= _processors() else 0
    function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(native.address("pool_resize"))
    return bool(function(count, spin))


@cache
def _pause(look: int) -> float:
    """Seconds that a processor takes for a pause: 35 cycles on one, 140 on the next."""
    function = ctypes.CFUNCTYPE(None, ctypes.c_int64)(look)
    times = []
    for _ in range(3):
        start = perf_counter()
        function(500)
        times.append(perf_counter() - start)
    return max(min(times) / 500, 1e-9)


@cache
def _processors() -> int:
    """The processors that this process may use, or the share of them that its container gets."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as file:
            quota, period = file.read().split()
        if quota != "max":
            count = min(count, max(1, -(-int(quota) // int(period))))
    except (OSError, ValueError):  # no such limit
        pass
    return count


_native: Native | None = None


def _pool() -> int:
    """The address of `parallel_for`; the pool comes to be with the first module that uses it."""
    global _native
    if _native is None:
        target = host()
        if target is None:
            raise OSError("this machine has no compiled code")
        native = compile_ir(_text(target), target)
        native.keep()  # threads may run it while Python takes its modules apart
        reset = ctypes.CFUNCTYPE(None)(native.address("pool_reset"))
        reset()
        _resize(native, thread_count())
        os.register_at_fork(after_in_child=reset)
        atexit.register(_resize, native, 1)
        _native = native
    return _native.address(PARALLEL_FOR)


def _text(target: Target) -> str:
    import signal

    numbers = [signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV]
    faults = "\n  ".join(f"call i32 @sigdelset(ptr %blocked, i32 {int(number)})" for number in numbers)
    pause = "@llvm.x86.sse2.pause()" if target.x86 else "@llvm.aarch64.hint(i32 1)"
    return denormals(target) + _POOL.format(
        name=PARALLEL_FOR, most=_MOST, mask=(1 << 40) - 1, stack=_STACK, faults=faults, setmask=int(signal.SIG_SETMASK),
        pause=pause,
        declared=pause.replace("i32 1", "i32"),
    )  # fmt: skip


provide(PARALLEL_FOR, _pool)
