"""The table that `model.summary()` prints."""

from __future__ import annotations

from typing import Any

from ...core import nest
from ..layers.layer import Layer

_PARTS = (0.45, 0.33, 0.21, 0.0, 0.0)  # of the line, for each column at least


def table(
    model: Any, width: int, expand_nested: bool = False, show_trainable: bool = False, layer_range: Any = None
) -> str:
    """The layers of a model, the shapes of their outputs and their numbers of parameters, and the sums of these."""
    network = model._whole()  # with it, the layers of a Sequential know their outputs' shapes
    links = {} if network is None or model._is_chain else _links(network)
    rows = [["Layer (type)", "Output Shape", "Param #", *(["Trainable"] if show_trainable else [])]]
    if links:
        rows[0].append("Connected to")
    layers = model.layers
    if layer_range is not None:
        names = [layer.name for layer in layers]
        layers = layers[names.index(layer_range[0]) : names.index(layer_range[1]) + 1]
    for layer in layers:
        found = _rows(layer, expand_nested, show_trainable, 0)
        if links:
            found = [[*row, links.get(id(layer), "-") if i == 0 else ""] for i, row in enumerate(found)]
        rows.extend(found)
    columns = len(rows[0])
    widths = [max(len(row[i]) for row in rows) + 2 for i in range(columns)]
    widths = [max(w, int(part * (width - columns - 1))) for w, part in zip(widths, _PARTS)]
    text = [f'Model: "{model.name}"', _rule(widths, "┏━┳┓"), _line(widths, rows[0], "┃"), _rule(widths, "┡━╇┩")]
    for i, row in enumerate(rows[1:]):
        text += [_rule(widths, "├─┼┤")] * (i > 0) + [_line(widths, row, "│")]
    text.append(_rule(widths, "└─┴┘"))
    for label, weights in (
        ("Total", model.weights),
        ("Trainable", model.trainable_weights),
        ("Non-trainable", model.non_trainable_weights),
    ):
        sizes = [(v.shape.num_elements(), v.dtype.size) for v in weights]
        text.append(f" {label} params: {sum(n for n, _ in sizes):,} ({_bytes(sum(n * b for n, b in sizes))})")
    return "\n".join(text)


def _rows(layer: Layer, expand_nested: bool, show_trainable: bool, depth: int) -> list[list[str]]:
    shape = _shape(layer)
    count = f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"
    row = [f"{'  ' * depth}{layer.name} ({type(layer).__name__})", shape, count]
    rows = [row + ([("Y" if layer.trainable else "N") if layer.weights else "-"] if show_trainable else [])]
    if expand_nested:
        for inner in layer._sublayers():
            if isinstance(inner, Layer):
                rows.extend(_rows(inner, True, show_trainable, depth + 1))
    return rows


def _shape(layer: Layer) -> str:
    """The shape of a layer's outputs: in the functional model it was called in first, or by its own word."""
    inputs = getattr(layer, "inputs", None)  # a model's own
    if layer._inbound_nodes or inputs:
        shapes = [str(tuple(x.shape)) for x in nest.flatten(layer.output)]
        return ", ".join(shapes)
    shape = layer._known_input_shape()
    found = None if shape is None else layer._output_shape(shape)
    return "?" if found is None else str(found)


def _links(network: Any) -> dict[int, str]:
    """For each layer of a functional model that is no mere chain, which layers its inputs come from."""
    taken = [id(network.tensor(x)) for node in network.nodes for x in node.input_tensors]
    chain = all(len(node.input_tensors) < 2 and len(node.output_tensors) == 1 for node in network.nodes)
    if chain and len(set(taken)) == len(taken) and len(network.flat_outputs) == len(network.flat_inputs) == 1:
        return {}
    links: dict[int, list[str]] = {}
    for node in network.nodes:
        for x in node.input_tensors:
            layer, number, index = network.tensor(x)._keras_history
            links.setdefault(id(node.operation), []).append(f"{layer.name}[{number}][{index}]")
    return {layer: ", ".join(names) for layer, names in links.items()}


def _rule(widths: list[int], marks: str) -> str:
    left, dash, cross, right = tuple(marks)
    return left + cross.join(dash * w for w in widths) + right


def _line(widths: list[int], cells: list[str], bar: str) -> str:
    numbers = {2}
    shown = [f" {c:>{w - 2}} " if i in numbers else f" {c:<{w - 2}} " for i, (c, w) in enumerate(zip(cells, widths))]
    return bar + bar.join(shown) + bar


def _bytes(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} TB"
