"""Measures pieces of TensorFlow 2's eager world in tapeflow and its peers, side by side: `python -m bench`."""
