"""Denormal numbers count as zero in compiled code, in each thread that runs it, and as themselves elsewhere.

Steps were seen to take four times as long where a moment of an optimizer had faded into them.
"""

from __future__ import annotations

from .target import Target

_X86 = """
declare void @llvm.x86.sse.stmxcsr(ptr)
declare void @llvm.x86.sse.ldmxcsr(ptr)
define internal i64 @flush_denormals() #0 {
  %place = alloca i32
  call void @llvm.x86.sse.stmxcsr(ptr %place)
  %old = load i32, ptr %place
  %new = or i32 %old, 32832 ; flush results, and take operands as zero
  store i32 %new, ptr %place
  call void @llvm.x86.sse.ldmxcsr(ptr %place)
  %wide = zext i32 %old to i64
  ret i64 %wide
}
define internal void @restore_denormals(i64 %old) #0 {
  %place = alloca i32
  %narrow = trunc i64 %old to i32
  store i32 %narrow, ptr %place
  call void @llvm.x86.sse.ldmxcsr(ptr %place)
  ret void
}
"""
_ARM = """
declare i64 @llvm.aarch64.get.fpcr()
declare void @llvm.aarch64.set.fpcr(i64)
define internal i64 @flush_denormals() #0 {
  %old = call i64 @llvm.aarch64.get.fpcr()
  %new = or i64 %old, 16777216
  call void @llvm.aarch64.set.fpcr(i64 %new)
  ret i64 %old
}
define internal void @restore_denormals(i64 %old) #0 {
  call void @llvm.aarch64.set.fpcr(i64 %old)
  ret void
}
"""


def denormals(target: Target) -> str:
    """`i64 @flush_denormals()`, which returns how the thread was set, and `@restore_denormals(i64)`."""
    return _X86 if target.x86 else _ARM
