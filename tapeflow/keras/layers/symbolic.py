"""Calls of layers with KerasTensors: a node that remembers the call, and the shapes and dtypes of its outputs.

The outputs' shapes are found by tracing the layer, as `tf.function` would; the graph is thrown away.
"""

from __future__ import annotations

from typing import Any

from ...core import nest
from ...core.errors import UnimplementedError
from ...core.size import Size, known
from ...core.tensor import Tensor
from ...graph.trace import Trace
from .holder import Untracked
from .keras_tensor import History, KerasTensor
from .masks import mask_of, set_mask


class Node:
    """One call of a layer in a functional model: its arguments, and what it gave, both in their structures."""

    def __init__(self, operation: Any, args: tuple, kwargs: dict, outputs: Any) -> None:
        self.operation = operation
        self.arguments = args
        self.keywords = kwargs
        self.outputs = outputs

    @property
    def input_tensors(self) -> list[KerasTensor]:
        """The KerasTensors among its arguments."""
        return [x for x in nest.flatten((self.arguments, self.keywords)) if isinstance(x, KerasTensor)]

    @property
    def output_tensors(self) -> list[KerasTensor]:
        """The KerasTensors that it gave."""
        return [x for x in nest.flatten(self.outputs) if isinstance(x, KerasTensor)]

    @property
    def parent_nodes(self) -> list[Node]:
        """The calls that gave its arguments."""
        return [node_of(x) for x in self.input_tensors]


def node_of(x: KerasTensor) -> Node:
    """The call that gave a KerasTensor. Raises ValueError for one that no layer gave."""
    history = x._keras_history
    if history is None:
        raise ValueError(f"{x!r} comes from no layer: begin with tf.keras.Input.")
    return history.operation._inbound_nodes[history.node_index]


def remember_call(layer: Any, args: tuple, kwargs: dict, outputs: Any) -> None:
    """Adds a node to a layer, and tells the outputs where they come from."""
    if not isinstance(layer._inbound_nodes, list):
        layer._inbound_nodes = Untracked()
    node = Node(layer, args, kwargs, outputs)
    for i, x in enumerate(node.output_tensors):
        x._keras_history = History(layer, len(layer._inbound_nodes), i)
    layer._inbound_nodes.append(node)


def symbolic_call(layer: Any, args: tuple, kwargs: dict) -> Any:
    """The outputs of a layer for KerasTensors in its arguments, as KerasTensors; a node remembers the call."""
    trace = Trace(layer.name)
    sizes: dict[int, Any] = {}  # of the trace -> of the arguments
    with trace:
        placed, named = nest.map_structure(lambda x: _placeholder(trace, x, sizes), (args, kwargs))
        try:
            made = layer._call_fully(tuple(placed), named)
            outputs = nest.map_structure(lambda y: _output(y, sizes), made)
        except (UnimplementedError, NotImplementedError, TypeError):
            # not to be traced with sizes that are not known; perhaps it says itself what it gives
            outputs = _by_shape(layer, args)
            if outputs is None:
                raise
        finally:
            layer._forget_losses()
    remember_call(layer, args, kwargs, outputs)
    return outputs


def _placeholder(trace: Trace, x: Any, sizes: dict[int, Any]) -> Any:
    if not isinstance(x, KerasTensor):
        return x
    symbol = trace.placeholder(known(x._value.shape), x._value.dtype, x.name)
    sizes.update({id(n): own for n, own in zip(symbol._value.shape, x._value.shape, strict=True) if type(n) is Size})
    mask = mask_of(x)
    if mask is not None:
        set_mask(symbol, _placeholder(trace, mask, sizes))
    return symbol


def _output(x: Any, sizes: dict[int, Any]) -> Any:
    if not isinstance(x, Tensor):
        return x
    shape = [sizes.get(id(n)) if type(n) is Size else n for n in x._value.shape]
    out = KerasTensor(shape, x.dtype)
    mask = mask_of(x)
    if mask is not None:
        set_mask(out, _output(mask, sizes))
    return out


def _by_shape(layer: Any, args: tuple) -> Any:
    """The outputs by the layer's own word; None for a layer that does not say."""
    shape = nest.map_structure(lambda x: tuple(x.shape) if isinstance(x, Tensor) else None, args[0])
    given = layer._output_shape(shape)
    if given is None:
        return None
    if isinstance(given, list) and not all(n is None or isinstance(n, int) for n in given):
        return [KerasTensor(one, layer.dtype) for one in given]
    return KerasTensor(tuple(given), layer.dtype)
