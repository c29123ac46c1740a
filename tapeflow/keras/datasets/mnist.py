"""MNIST: 70,000 handwritten digits. Source: LeCun et al., The MNIST database of handwritten digits (1998)."""

from __future__ import annotations

import numpy as np

from ..utils.files import get_file

__all__ = ["load_data"]

_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


def load_data(path: str = "mnist.npz") -> tuple:
    """((x_train, y_train), (x_test, y_test)): uint8 images [60000, 28, 28] and [10000, 28, 28], uint8 digits.

    The file is read from `$KERAS_HOME/datasets` (or `~/.keras/datasets`), and downloaded where it is not there.

    Raises ValueError where what was downloaded is not the data set, OSError where it cannot be had.
    """
    with np.load(get_file(path, origin=_ORIGIN, file_hash=_SHA256), allow_pickle=False) as data:
        return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])
