"""The ground floor: tensors, variables, dtypes, shapes, errors, how ops are declared, and the active tapes."""
