"""Metrics: values recorded from TensorFlow 2.21, state, weights, own metrics."""

import numpy as np
import pytest

import tapeflow as tf

metrics = tf.keras.metrics
T = [[0.0, 1.0, 0.0], [0.5, 0.25, 0.25]]
P = [[0.2, 0.7, 0.1], [0.3, 0.5, 0.2]]


@pytest.mark.parametrize(
    "name, options, first, second",
    [
        ("BinaryAccuracy", {}, 0.5, 1 / 3),
        ("CategoricalAccuracy", {}, 0.5, 1 / 3),
        ("MeanSquaredError", {}, 0.040833332, 0.038888887),
        ("RootMeanSquaredError", {}, 0.20207259, 0.19720265),
        ("CosineSimilarity", {}, 0.90676272, 0.89149046),
        ("TopKCategoricalAccuracy", {"k": 1}, 0.5, 1 / 3),
    ],
)
def test_values(name, options, first, second):
    metric = getattr(metrics, name)(**options)
    np.testing.assert_allclose(metric(T, P), first, rtol=1e-6)
    metric.update_state(np.array(T), np.array(P), [1.0, 3.0])
    np.testing.assert_allclose(metric.result(), second, rtol=1e-6)


def test_called_and_reset():
    metric = metrics.MeanSquaredError()
    assert str(metric([5.0], [2.0])) == "tf.Tensor(9.0, shape=(), dtype=float32)"
    assert float(metric([0.0], [1.0])) == 5.0
    metric.reset_states()
    assert float(metric.result()) == 0.0
    metric([1.0], [3.0])
    metric.reset_state()
    metric.update_state([1.0], [4.0])
    assert float(metric.result()) == 9.0


def test_means_and_sums():
    mean = metrics.Mean()
    assert float(mean.result()) == 0.0
    assert float(mean(3)) == 3.0
    assert float(mean([[1.0, 2.0], [3.0, 4.0]])) == pytest.approx(8 / 3)
    assert float(metrics.Mean()([[1.0, 2.0], [3.0, 4.0]], [1.0, 0.0])) == 1.5
    assert float(metrics.Mean()([1.0, 2.0, 3.0], [1.0, 0.0, 1.0])) == 2.0
    total = metrics.Sum()
    assert float(total([[1.0, 2.0], [3.0, 4.0]], [1.0, 0.0])) == 3.0
    assert float(total([1.0, 1.0])) == 5.0


def test_accuracies():
    assert float(metrics.Accuracy()([[1], [2], [3]], [[1], [2], [0]])) == pytest.approx(2 / 3)
    for labels in ([0, 1], [[0], [1]], np.array([0, 1], np.uint8)):
        assert float(metrics.SparseCategoricalAccuracy()(labels, P)) == 0.5
    assert float(metrics.SparseTopKCategoricalAccuracy(k=2)([1, 2], P)) == 0.5
    assert float(metrics.BinaryAccuracy(threshold=0.8)([1, 0, 1], [0.9, 0.7, 0.7])) == pytest.approx(2 / 3)


def test_state():
    metric = metrics.Mean(name="loss")
    assert [v.path for v in metric.variables] == ["loss/total", "loss/count"]
    before = metric.total.read_value()
    metric.update_state([1.0, 3.0])
    assert [float(v) for v in metric.variables] == [4.0, 2.0]
    assert float(before) == 0.0
    assert repr(metric) == "<Mean name=loss>"


def test_own_metrics():
    class Positives(metrics.Metric):
        def __init__(self, name="positives", **options):
            super().__init__(name=name, **options)
            self.count = self.add_weight(name="count", initializer="zeros")
            self.inner = [metrics.Mean()]

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.count.assign_add(tf.reduce_sum(tf.cast(y_pred, tf.float32)))
            self.inner[0].update_state(y_pred)

        def result(self):
            return self.count

    metric = Positives()
    assert float(metric([1, 0], [1, 1])) == 2.0
    assert len(metric.variables) == 3
    metric.reset_state()
    assert [float(v) for v in metric.variables] == [0.0] * 3


def test_get_and_configurations():
    assert type(metrics.get("mse")) is metrics.MeanSquaredError
    assert type(metrics.get("accuracy")) is metrics.Accuracy
    metric = metrics.deserialize(metrics.serialize(metrics.BinaryAccuracy(threshold=0.25)))
    assert metric.get_config() == {"name": "binary_accuracy", "dtype": "float32", "threshold": 0.25}
    with pytest.raises(ValueError, match="identifier: nonsense"):
        metrics.get("nonsense")
