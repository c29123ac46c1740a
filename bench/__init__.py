"""Measures pieces of TensorFlow 2's world, eager and compiled, in tapeflow and its peers: `python -m bench`."""
