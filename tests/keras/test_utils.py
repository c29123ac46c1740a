"""keras.utils and keras.datasets."""

import hashlib

import numpy as np
import pytest

import tapeflow as tf

utils = tf.keras.utils


def test_to_categorical():
    assert utils.to_categorical([0, 2, 1]).tolist() == np.eye(3)[[0, 2, 1]].tolist()
    assert utils.to_categorical([[1], [0]], 4).shape == (2, 4)
    assert utils.to_categorical(np.zeros((2, 3), int), 2).shape == (2, 3, 2)
    tensor = utils.to_categorical(tf.constant([[1], [0]]))
    assert tensor.dtype == tf.float32 and tensor.numpy().tolist() == [[0, 1], [1, 0]]
    with pytest.raises(IndexError):
        utils.to_categorical([3], 2)


def test_normalize():
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(utils.normalize(x), [[0.6, 0.8], [0, 0]])
    np.testing.assert_allclose(utils.normalize(tf.constant(x), order=1), [[3 / 7, 4 / 7], [0, 0]], rtol=1e-6)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("TAPEFLOW_DATASETS_UNVERIFIED", raising=False)
    return tmp_path


def test_files_are_kept_and_verified(home):
    origin = home / "origin.txt"
    origin.write_text("first")
    checksum = hashlib.sha256(b"first").hexdigest()
    path = utils.get_file("kept.txt", origin.as_uri(), file_hash=checksum)
    assert path == str(home / "datasets" / "kept.txt")
    origin.write_text("second")
    with open(utils.get_file("kept.txt", origin.as_uri(), file_hash=checksum)) as file:
        assert file.read() == "first"
    with pytest.raises(ValueError, match="checksum"):
        utils.get_file("kept.txt", origin.as_uri(), md5_hash=hashlib.md5(b"third").hexdigest())
    with open(utils.get_file("kept.txt", origin.as_uri(), force_download=True)) as file:
        assert file.read() == "second"
    with pytest.raises(ValueError, match="origin"):
        utils.get_file("kept.txt")


def test_archives(home):
    import shutil

    (home / "content").mkdir()
    (home / "content" / "a.txt").write_text("a")
    for kind, suffix in (("zip", "zip"), ("gztar", "tar.gz")):
        made = shutil.make_archive(str(home / f"packed_{kind}"), kind, home / "content")
        folder = utils.get_file(origin=f"file://{made}", extract=True)
        assert folder.endswith(f"{suffix}_extracted")
        with open(f"{folder}/a.txt") as file:
            assert file.read() == "a"


def test_mnist(home, monkeypatch):
    arrays = {
        "x_train": np.zeros((3, 28, 28), np.uint8),
        "y_train": np.array([1, 2, 3], np.uint8),
        "x_test": np.ones((2, 28, 28), np.uint8),
        "y_test": np.array([4, 5], np.uint8),
    }
    (home / "datasets").mkdir()
    np.savez(home / "datasets" / "mnist.npz", **arrays)
    monkeypatch.setenv("TAPEFLOW_DATASETS_UNVERIFIED", "1")
    (x_train, y_train), (x_test, y_test) = tf.keras.datasets.mnist.load_data()
    for got, name in ((x_train, "x_train"), (y_train, "y_train"), (x_test, "x_test"), (y_test, "y_test")):
        np.testing.assert_array_equal(got, arrays[name])


def test_a_scope_of_custom_objects_by_its_arguments_name():
    with tf.keras.utils.CustomObjectScope(custom_objects={"thrice": lambda x: 3 * x}):
        assert tf.keras.activations.get("thrice")(2) == 6
