"""The two versions of the package: its own, and the level of TensorFlow's API that it follows (`tf.version`)."""

__version__ = "0.1.0"
TENSORFLOW_VERSION = "2.21.0"

# `tf.version.VERSION` and its neighbour, as TensorFlow programs read them.
VERSION = TENSORFLOW_VERSION
GIT_VERSION = f"tapeflow-{__version__}"

__all__ = ["GIT_VERSION", "VERSION"]
