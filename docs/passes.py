"""The page docs/functions.md: a training step as it is traced and after the passes, and each pass's share of it."""

from collections import Counter

import tapeflow as tf
from tapeflow.graph import passes

OPENING = """\
# What becomes of a traced function

`tf.function` runs the Python function once and keeps the ops as a graph; passes then make it smaller before it is
compiled. `print(step.get_concrete_function(...).graph)` shows what is left. `make docs` writes this page from the
package, so it is what the passes do now. The step, for a batch of 32 (784-128-10, Adam):

```python
{source}```

| | nodes |
|---|---|
"""

SOURCE = """\
@tf.function
def step(images, labels):
    images = tf.reshape(tf.cast(images, tf.float32), [32, 784])  # which they are already
    with tf.GradientTape() as tape:
        logits = model(images)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        penalty = tf.add_n([tf.nn.l2_loss(w) for w in model.trainable_variables])
        loss = tf.reduce_mean(losses) + 1e-4 * penalty
    gradients = tape.gradient(loss, model.trainable_variables)
    norm = tf.linalg.global_norm(gradients)
    clipped, _ = tf.clip_by_global_norm(gradients, 5.0)  # computes the norm as well
    confidence = tf.reduce_max(tf.nn.softmax(logits), 1)  # which nobody asks for
    optimizer.apply_gradients(zip(clipped, model.trainable_variables))
    return loss, norm
"""


def page() -> str:
    """The page as text."""
    before = traced()
    rows = [("traced", before)]
    graph = before
    for run in (passes.simplified, passes.folded, passes.merged, passes.pruned):
        graph = run(graph)
        rows.append((f"after `{run.__name__}`", graph))
    text = OPENING.format(source=SOURCE) + "".join(f"| {name} | {len(g.nodes)} |\n" for name, g in rows)
    return text + "\n" + _by_name(before, graph) + _as_text(graph)


def traced():
    """The graph of the step as it is traced."""
    model = tf.keras.Sequential([tf.keras.layers.Dense(128, activation="relu"), tf.keras.layers.Dense(10)])
    model.build((None, 784))
    scope = {
        "tf": tf,
        "model": model,
        "optimizer": tf.keras.optimizers.Adam(),
    }
    scope["optimizer"].build(model.trainable_variables)
    exec(SOURCE.replace("@tf.function", "@tf.function(autograph=False)"), scope)
    images, labels = tf.TensorSpec([32, 784], tf.float32), tf.TensorSpec([32], tf.int32)
    return scope["step"].get_concrete_function(images, labels).traced


def _by_name(before, after) -> str:
    first, last = (Counter(node.op.name for node in graph.nodes) for graph in (before, after))
    names = sorted(first | last, key=lambda name: (-first[name], name))
    lines = [f"| `{name}` | {first[name]} | {last[name]} |\n" for name in names]
    total = f"| all | {sum(first.values())} | {sum(last.values())} |\n"
    return "| op | traced | after the passes |\n|---|---|---|\n" + "".join(lines) + total


def _as_text(graph) -> str:
    lines = [line.partition("#")[0].rstrip() for line in str(graph).splitlines()]
    return "\nThe graph that runs:\n\n```\n" + "\n".join(lines) + "\n```\n"
