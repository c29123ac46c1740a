"""The engine that compiles graphs for the CPU with LLVM."""
