"""Control flow over tensors: branches, loops, maps and folds, TensorArray, and Python functions called as ops.

Outside a trace these are Python's own branches and loops, which any tape sees through. In a trace they become nodes
with subgraphs.
"""
