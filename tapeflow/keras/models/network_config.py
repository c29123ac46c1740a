"""Functional models as configurations, in Keras's form: each layer's, with the calls of it and what they were given."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core import nest
from ...core.convert import constant
from ...core.dtypes import as_dtype
from ...core.tensor import Tensor
from ..layers import deserialize
from ..layers.input_layer import InputLayer
from ..layers.keras_tensor import KerasTensor
from ..layers.symbolic import Node, node_of
from ..registry import serialize
from .network import Network

_KERAS_TENSOR, _TENSOR = "__keras_tensor__", "__tensor__"


def network_config(network: Network) -> dict:
    """`layers`, `input_layers` and `output_layers` of a functional model's configuration."""
    numbers: dict[int, int] = {}
    calls: dict[int, list[Node]] = {id(layer): [] for layer in network.layers}
    for node in network.nodes:
        of_layer = calls[id(node.operation)]
        numbers[id(node)] = len(of_layer)
        of_layer.append(node)

    def address(x: KerasTensor) -> list:
        history = network.tensor(x)._keras_history
        return [history.operation.name, numbers[id(node_of(network.tensor(x)))], history.tensor_index]  # type: ignore[union-attr]

    def argument(x: Any) -> Any:
        if isinstance(x, KerasTensor):
            config = {"shape": list(x.shape), "dtype": x.dtype.name, "keras_history": address(x)}
            return {"class_name": _KERAS_TENSOR, "config": config}
        if isinstance(x, (Tensor, np.ndarray)):
            config = {"value": np.asarray(x).tolist(), "dtype": as_dtype(x.dtype).name}
            return {"class_name": _TENSOR, "config": config}
        if isinstance(x, (list, tuple)):
            return [argument(part) for part in x]
        return {key: argument(part) for key, part in x.items()} if isinstance(x, dict) else x

    layers = []
    for layer in network.layers:
        given = [] if isinstance(layer, InputLayer) else calls[id(layer)]
        inbound = [{"args": argument(node.arguments), "kwargs": argument(node.keywords)} for node in given]
        layers.append({**serialize(layer, "keras.layers"), "name": layer.name, "inbound_nodes": inbound})
    return {
        "layers": layers,
        "input_layers": _addresses(address, network.inputs),
        "output_layers": _addresses(address, network.outputs),
    }


def _addresses(address: Any, structure: Any) -> Any:
    if isinstance(structure, KerasTensor):
        return address(structure)
    if isinstance(structure, dict):
        return {key: _addresses(address, part) for key, part in structure.items()}
    return [_addresses(address, part) for part in structure]


def network_of(config: dict, custom_objects: dict | None = None) -> tuple[Any, Any]:
    """The inputs and outputs of a configuration, as new KerasTensors of new layers.

    Raises ValueError for one whose calls never come to have what they need.
    """
    layers: dict[str, Any] = {}
    made: dict[tuple, list] = {}
    waiting: list[tuple[str, int, dict]] = []
    for entry in config["layers"]:
        layer = deserialize({k: v for k, v in entry.items() if k not in ("name", "inbound_nodes")}, custom_objects)
        name = entry.get("name", layer.name)
        layers[name] = layer
        if isinstance(layer, InputLayer):
            made[name, 0] = [layer.output]
        waiting += [(name, i, call) for i, call in enumerate(entry["inbound_nodes"])]

    def tensor(address: Any) -> KerasTensor:
        name, node, index = address
        return made[name, node][index]

    def argument(x: Any) -> Any:
        if isinstance(x, dict) and x.get("class_name") == _KERAS_TENSOR:
            return tensor(x["config"]["keras_history"])
        if isinstance(x, dict) and x.get("class_name") == _TENSOR:
            return constant(x["config"]["value"], x["config"]["dtype"])
        if isinstance(x, list):
            return [argument(part) for part in x]
        return {key: argument(part) for key, part in x.items()} if isinstance(x, dict) else x

    while waiting:
        later = []
        for name, i, call in waiting:
            try:
                args, kwargs = argument(call["args"]), argument(call["kwargs"])
            except KeyError:
                later.append((name, i, call))
                continue
            outputs = layers[name](*args, **kwargs)
            made[name, i] = [y for y in nest.flatten(outputs) if isinstance(y, KerasTensor)]
        if len(later) == len(waiting):
            raise ValueError(f"The calls of these layers need what no other gives: {sorted({n for n, _, _ in later})}")
        waiting = later
    return _tensors(tensor, config["input_layers"]), _tensors(tensor, config["output_layers"])


def _tensors(tensor: Any, addresses: Any) -> Any:
    if isinstance(addresses, dict):
        return {key: _tensors(tensor, part) for key, part in addresses.items()}
    if len(addresses) == 3 and isinstance(addresses[0], str):
        return tensor(addresses)
    return [_tensors(tensor, part) for part in addresses]
