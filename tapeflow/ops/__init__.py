"""The ops, one file a family; each op's kernel, shape rule and gradient rules side by side."""
