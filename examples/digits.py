"""Reads handwritten digits: an ordinary TensorFlow 2 program with a training loop of its own.

    tapeflow run examples/digits.py

trains a small network on the 1,797 scanned digits that come with scikit-learn, shows how loss and accuracy go, and
draws digits.png: the learning curve, and held-out digits with what the network reads.
"""

import time

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

EPOCHS = 30
BATCH = 32
PICTURE = "digits.png"

tf.keras.utils.set_random_seed(1)
shuffled = np.random.default_rng(1)

images, labels = load_digits(return_X_y=True)
images = (images / 16.0).astype(np.float32)
x_train, x_test, y_train, y_test = train_test_split(images, labels, test_size=0.2, random_state=1, stratify=labels)

model = tf.keras.Sequential(
    [
        tf.keras.layers.Dense(128, activation="relu", input_shape=(64,)),
        tf.keras.layers.Dropout(0.2),
        tf.keras.layers.Dense(10),
    ]
)
loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.Adam(learning_rate=2e-3)
mean_loss = tf.keras.metrics.Mean()
accuracy = tf.keras.metrics.SparseCategoricalAccuracy()


def train_step(x, y):
    with tf.GradientTape() as tape:
        logits = model(x, training=True)
        loss = loss_fn(y, logits)
    held = tape.summary().splitlines()[-1] if hasattr(tape, "summary") else ""
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    mean_loss(loss)
    return held


def held_out_accuracy():
    accuracy.reset_state()
    accuracy(y_test, model(x_test, training=False))
    return float(accuracy.result())


columns = (
    TextColumn("epoch {task.completed:>2.0f}/{task.total:.0f}"),
    BarColumn(),
    TextColumn("loss {task.fields[loss]:.4f}  held-out accuracy {task.fields[accuracy]:.2%}"),
    TimeElapsedColumn(),
)
losses, accuracies = [], []
began = time.perf_counter()
with Progress(*columns) as progress:
    task = progress.add_task("train", total=EPOCHS, loss=float("nan"), accuracy=held_out_accuracy())
    for _ in range(EPOCHS):
        mean_loss.reset_state()
        order = shuffled.permutation(len(x_train))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            held = train_step(x_train[batch], y_train[batch])
        losses.append(float(mean_loss.result()))
        accuracies.append(held_out_accuracy())
        progress.update(task, advance=1, loss=losses[-1], accuracy=accuracies[-1])
seconds = time.perf_counter() - began
steps = EPOCHS * -(-len(x_train) // BATCH)

read = np.argmax(model.predict(x_test[:20], verbose=0), axis=1)
figure = plt.figure(figsize=(10, 4))
curve = figure.add_subplot(1, 2, 1)
curve.plot(range(1, EPOCHS + 1), losses, label="training loss")
curve.plot(range(1, EPOCHS + 1), accuracies, label="held-out accuracy")
curve.set_xlabel("epoch")
curve.set_ylim(0, 1.05)
curve.legend()
for i in range(20):
    axes = figure.add_subplot(4, 10, 6 + i % 5 + 10 * (i // 5))
    axes.imshow(x_test[i].reshape(8, 8), cmap="gray_r")
    axes.set_title(read[i], fontsize=9, color="black" if read[i] == y_test[i] else "red")
    axes.axis("off")
figure.tight_layout()
figure.savefig(PICTURE, dpi=100)

print(f"held-out accuracy {accuracies[-1]:.2%} after {steps} steps in {seconds:.1f} s; picture in {PICTURE}")
if held:
    print(f"the tape of one step held {held}")
