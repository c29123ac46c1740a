"""Layers to hold against Keras: how each is made and called, and what is measured of it.

`measure(tf, name)` runs a case with TensorFlow or with tapeflow, whichever module it is given; what it gave for
TensorFlow 2.21 with Keras 3 on one thread is kept in `layer_cases.json`. `python -m tests.keras.layer_cases`, run where
TensorFlow is installed, writes that file anew.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

RECORDED = Path(__file__).with_name("layer_cases.json")


def fixed(shape, k=0.0):
    """Numbers in [-0.5, 0.5] that anybody can make again."""
    return (0.5 * np.cos(np.arange(int(np.prod(shape))) * 0.7 + k)).astype("float32").reshape(shape)


SEQ = fixed((2, 4, 3))
VEC = fixed((3, 4), 1)
IMAGE = fixed((2, 3, 3, 4), 2)
STEPS = np.array([[1, 1, 0, 1], [0, 1, 1, 0]], bool)
ENDS = np.array([[1, 1, 1, 0], [1, 1, 0, 0]], bool)
IDS = np.array([[1, 2, 0], [4, 0, 2]], "int32")


def case(make, *inputs, **options):
    return make, inputs, options


CASES = {
    "relu": case(lambda L: L.ReLU(max_value=0.3, negative_slope=0.1, threshold=0.05), VEC),
    "leaky_relu": case(lambda L: L.LeakyReLU(negative_slope=0.2), VEC),
    "prelu": case(lambda L: L.PReLU(), VEC),
    "prelu_shared": case(lambda L: L.PReLU(shared_axes=[1, 2]), IMAGE),
    "elu": case(lambda L: L.ELU(alpha=0.7), VEC),
    "softmax": case(lambda L: L.Softmax(), VEC),
    "softmax_axes": case(lambda L: L.Softmax(axis=(1, 2)), SEQ),
    "softmax_masked": case(lambda L: L.Softmax(), VEC, mask=np.array([[1, 0, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1]], bool)),
    "add": case(lambda L: L.Add(), [SEQ, SEQ[:, :1], fixed((2, 3))]),
    "subtract": case(lambda L: L.Subtract(), [SEQ, SEQ[:, :1]]),
    "multiply": case(lambda L: L.Multiply(), [VEC, VEC + 1, VEC[:, :1]]),
    "average": case(lambda L: L.Average(), [VEC, VEC + 1]),
    "maximum": case(lambda L: L.Maximum(), [VEC, VEC[:, ::-1] + 0.1]),
    "minimum": case(lambda L: L.Minimum(), [VEC, VEC[:, ::-1] + 0.1]),
    "concatenate": case(lambda L: L.Concatenate(axis=1), [SEQ, SEQ[:, :2]]),
    "dot": case(lambda L: L.Dot(axes=1), [VEC, VEC[:, ::-1]]),
    "dot_axes": case(lambda L: L.Dot(axes=(2, 1), normalize=True), [SEQ, fixed((2, 3, 5), 4)]),
    "permute": case(lambda L: L.Permute((2, 1)), SEQ),
    "repeat_vector": case(lambda L: L.RepeatVector(3), VEC),
    "embedding": case(lambda L: L.Embedding(5, 3, mask_zero=True), IDS),
    "masking": case(lambda L: L.Masking(0.5), np.where(STEPS[..., None], SEQ, 0.5).astype("float32")),
    "einsum_dense": case(lambda L: L.EinsumDense("abc,cde->abde", (None, 2, 5), "tanh", "de"), SEQ),
    "einsum_dense_left": case(lambda L: L.EinsumDense("...x,xy->...y", 2, bias_axes="y"), IMAGE),
    "einsum_dense_right": case(lambda L: L.EinsumDense("ab...,bc->ac...", 2, bias_axes="c"), SEQ),
    "batch_norm": case(lambda L: L.BatchNormalization(), VEC),
    "batch_norm_training": case(lambda L: L.BatchNormalization(momentum=0.8, epsilon=0.01), IMAGE, training=True),
    "batch_norm_axis": case(lambda L: L.BatchNormalization(axis=1, scale=False), IMAGE, training=True),
    "batch_norm_axis_inference": case(lambda L: L.BatchNormalization(axis=1, center=False), IMAGE, training=False),
    "batch_norm_masked": case(lambda L: L.BatchNormalization(), SEQ, training=True, mask=STEPS),
    "batch_norm_frozen": case(lambda L: L.BatchNormalization(trainable=False), VEC, training=True),
    "layer_norm": case(lambda L: L.LayerNormalization(), SEQ),
    "layer_norm_axes": case(lambda L: L.LayerNormalization(axis=[1, 2], epsilon=0.01), IMAGE),
    "layer_norm_rms": case(lambda L: L.LayerNormalization(rms_scaling=True), SEQ),
    "layer_norm_first": case(lambda L: L.LayerNormalization(axis=1, center=False), IMAGE),
    "rms_norm": case(lambda L: L.RMSNormalization(), SEQ),
    "group_norm": case(lambda L: L.GroupNormalization(groups=2), IMAGE),
    "group_norm_axis": case(lambda L: L.GroupNormalization(groups=-1, axis=1), IMAGE),
    "unit_norm": case(lambda L: L.UnitNormalization(axis=[1, 2]), SEQ),
    "spatial_dropout1d": case(lambda L: L.SpatialDropout1D(0.5), SEQ, training=True),
    "spatial_dropout2d": case(lambda L: L.SpatialDropout2D(0.5, seed=3), IMAGE, training=True),
    "gaussian_noise": case(lambda L: L.GaussianNoise(0.5), VEC, training=True),
    "gaussian_dropout": case(lambda L: L.GaussianDropout(0.5, seed=3), VEC, training=True),
    "simple_rnn": case(lambda L: L.SimpleRNN(2), SEQ),
    "simple_rnn_relu": case(lambda L: L.SimpleRNN(2, activation="relu", return_sequences=True), SEQ, mask=STEPS),
    "lstm": case(lambda L: L.LSTM(2), SEQ),
    "lstm_all": case(lambda L: L.LSTM(2, return_sequences=True, return_state=True, go_backwards=True), SEQ),
    "lstm_masked": case(lambda L: L.LSTM(2, return_sequences=True, return_state=True), SEQ, mask=STEPS,
                        initial_state=[fixed((2, 2), 5), fixed((2, 2), 6)]),
    "lstm_zeroed": case(lambda L: L.LSTM(2, return_sequences=True, zero_output_for_mask=True), SEQ, mask=STEPS),
    "lstm_other": case(lambda L: L.LSTM(2, activation="relu", recurrent_activation="hard_sigmoid", use_bias=False), SEQ,
                       mask=ENDS),
    "lstm_dropout": case(lambda L: L.LSTM(2, dropout=0.5), SEQ, training=True),
    "lstm_recurrent_dropout": case(lambda L: L.LSTM(2, dropout=0.3, recurrent_dropout=0.4), SEQ, training=True),
    "gru": case(lambda L: L.GRU(2), SEQ),
    "gru_masked": case(lambda L: L.GRU(2, return_sequences=True, return_state=True, go_backwards=True), SEQ,
                       mask=STEPS),
    "gru_before": case(lambda L: L.GRU(2, reset_after=False, return_sequences=True), SEQ),
    "gru_plain": case(lambda L: L.GRU(2, use_bias=False, return_sequences=True), SEQ, mask=ENDS),
    "gru_dropout": case(lambda L: L.GRU(2, dropout=0.5, recurrent_dropout=0.5), SEQ, training=True),
    "gru_sigmoid": case(lambda L: L.GRU(2, activation="sigmoid"), SEQ),
    "lstm_cell": case(lambda L: L.LSTMCell(2), fixed((2, 3)), [fixed((2, 2), 5), fixed((2, 2), 6)]),
    "gru_cell": case(lambda L: L.GRUCell(2), fixed((2, 3)), [fixed((2, 2), 5)]),
    "simple_rnn_cell": case(lambda L: L.SimpleRNNCell(2), fixed((2, 3)), [fixed((2, 2), 5)]),
    "rnn_of_cells": case(
        lambda L: L.RNN([L.LSTMCell(2), L.GRUCell(3)], return_sequences=True, return_state=True), SEQ, mask=STEPS),
    "bidirectional": case(lambda L: L.Bidirectional(L.LSTM(2)), SEQ),
    "bidirectional_all": case(
        lambda L: L.Bidirectional(L.GRU(2, return_sequences=True, return_state=True), merge_mode="sum"), SEQ,
        mask=STEPS),
    "bidirectional_pair": case(lambda L: L.Bidirectional(L.SimpleRNN(2, return_sequences=True), merge_mode=None), SEQ),
    "bidirectional_ave": case(lambda L: L.Bidirectional(
        L.LSTM(2), merge_mode="ave", backward_layer=L.LSTM(2, go_backwards=True, activation="relu")), SEQ),
    "time_distributed": case(lambda L: L.TimeDistributed(L.Dense(2, activation="tanh")), IMAGE),
    "time_distributed_norm": case(lambda L: L.TimeDistributed(L.BatchNormalization()), SEQ, training=True),
    "attention": case(lambda L: L.Attention(use_scale=True), [SEQ, fixed((2, 5, 3), 3)]),
    "attention_masked": case(lambda L: L.Attention(score_mode="concat"), [SEQ, SEQ[:, ::-1], fixed((2, 4, 3), 4)],
                             mask=[STEPS, ENDS], return_attention_scores=True, use_causal_mask=True),
    "additive_attention": case(lambda L: L.AdditiveAttention(), [SEQ, fixed((2, 5, 3), 3)]),
    "additive_attention_causal": case(lambda L: L.AdditiveAttention(use_scale=False), [SEQ, SEQ], use_causal_mask=True),
    "multi_head": case(lambda L: L.MultiHeadAttention(2, 3), SEQ, SEQ),
    "multi_head_causal": case(lambda L: L.MultiHeadAttention(2, 3, value_dim=2, output_shape=5), SEQ, SEQ,
                              use_causal_mask=True),
    "multi_head_scores": case(lambda L: L.MultiHeadAttention(2, 3, use_bias=False), SEQ, fixed((2, 5, 2)),
                              fixed((2, 5, 4)), return_attention_scores=True),
    "multi_head_mask": case(lambda L: L.MultiHeadAttention(2, 3), SEQ, SEQ,
                            attention_mask=np.tril(np.ones((2, 4, 4), bool), 1), use_causal_mask=True),
    "multi_head_dropout": case(lambda L: L.MultiHeadAttention(2, 3, dropout=0.5, seed=4), SEQ, SEQ, training=True),
    "multi_head_axes": case(lambda L: L.MultiHeadAttention(2, 3, attention_axes=(1, 2)), IMAGE, IMAGE),
    "multi_head_window": case(lambda L: L.MultiHeadAttention(1, 2, sliding_window=2, use_gate=True), SEQ, SEQ),
}  # fmt: skip


def _flat(x):
    return [part for item in x for part in _flat(item)] if isinstance(x, (list, tuple)) else [x]


def measure(tf, name, function=lambda f: f):
    """Initial weights in short, names and shapes of weights, outputs, gradients and variables after the call.

    `function` may wrap what computes outputs and gradients: in a `tf.function`, say.
    """
    make, inputs, options = CASES[name]
    tf.keras.backend.clear_session()
    tf.keras.utils.set_random_seed(7)
    layer = make(tf.keras.layers)
    layer(*inputs, **{**options, "training": False} if "training" in options else options)
    initial = [float(np.sum(w * (1 + fixed(w.shape)))) for w in layer.get_weights()]
    values = [fixed(w.shape, k + 3) for k, w in enumerate(layer.get_weights())]
    values = [abs(v) + 0.5 if "variance" in w.name else v for v, w in zip(values, layer.weights, strict=True)]
    layer.set_weights(values)
    tensors = tf.nest.map_structure(tf.constant, list(inputs))
    floats = [x for x in tf.nest.flatten(tensors) if x.dtype.is_floating]

    def compute(*given):
        rest = iter(given)
        args = tf.nest.map_structure(lambda x: next(rest) if x.dtype.is_floating else x, tensors)
        with tf.GradientTape() as tape:
            tape.watch(given)
            outputs = _flat(layer(*args, **options))
            loss = tf.add_n([tf.reduce_sum(y * fixed(y.shape, 9)) for y in outputs])
        found = tape.gradient(loss, [*given, *layer.trainable_weights])
        return outputs, [None if g is None else tf.convert_to_tensor(g) for g in found]

    outputs, gradients = function(compute)(*floats)
    return {
        "initial": initial,
        "weights": [[w.path.split("/", 1)[1] if "/" in w.path else w.path, list(w.shape)] for w in layer.weights],
        "outputs": [np.asarray(y).tolist() for y in outputs],
        "gradients": [None if g is None else np.asarray(g).tolist() for g in gradients],
        "after": [np.asarray(w).tolist() for w in layer.non_trainable_weights],
    }


def _rounded(x):
    if isinstance(x, dict):
        return {k: _rounded(v) for k, v in x.items()}
    return [_rounded(v) for v in x] if isinstance(x, list) else float(f"{x:.7g}") if isinstance(x, float) else x


if __name__ == "__main__":
    import tensorflow

    recorded = {name: _rounded(measure(tensorflow, name)) for name in CASES}
    lines = [f"{json.dumps(name)}: {json.dumps(found, separators=(',', ':'))}" for name, found in recorded.items()]
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n")
