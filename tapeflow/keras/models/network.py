"""The layers between a functional model's inputs and outputs: which there are, in which order, and running them.

A model is found by following its outputs' nodes back to its inputs. Running it is one walk over a list of steps, in
which every KerasTensor has a slot of its own.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from ...core import nest
from ...core.convert import convert_to_tensor
from ...core.dtypes import is_differentiable
from ...core.size import known
from ...core.tensor import Tensor
from ...core.variable import Variable
from ...ops.casting import cast
from ...ops.shaping import expand_dims, squeeze
from ..layers.input_layer import Input, InputLayer
from ..layers.keras_tensor import KerasTensor
from ..layers.masks import mask_of, set_mask, set_masks
from ..layers.symbolic import Node, node_of


class Network:
    """What lies between inputs and outputs.

    Arguments:
        inputs: KerasTensors in any structure. One that is not an `Input` becomes one: what is before it is left out.
        outputs: KerasTensors in any structure.
        name: the model's name, for errors.

    Raises ValueError for inputs and outputs that are no KerasTensors, and for outputs that need other inputs.
    """

    def __init__(self, inputs: Any, outputs: Any, name: str) -> None:
        for kind, structure in (("inputs", inputs), ("outputs", outputs)):
            wrong = [x for x in nest.flatten(structure) if not isinstance(x, KerasTensor)]
            if wrong or not nest.flatten(structure):
                raise ValueError(f"All `{kind}` of a model must be KerasTensors. Received: {kind}={structure!r}")
        self.name = name
        self.stand_ins: dict[KerasTensor, KerasTensor] = {}
        self.inputs = nest.map_structure(self._beginning, inputs)
        self.outputs = outputs
        self.flat_inputs: list[KerasTensor] = nest.flatten(self.inputs)
        self.flat_outputs: list[KerasTensor] = [self.tensor(x) for x in nest.flatten(outputs)]
        self.nodes = self._nodes()
        self.layers = self._layers()
        self._plan()

    def _beginning(self, x: KerasTensor) -> KerasTensor:
        if isinstance(node_of(x).operation, InputLayer):
            return x
        made = Input(batch_shape=tuple(known(x._value.shape) or ()), dtype=x.dtype, name=x.name)
        self.stand_ins[x] = made
        return made

    def tensor(self, x: KerasTensor) -> KerasTensor:
        """The tensor, or the input that takes its place here."""
        return self.stand_ins.get(x, x)

    # -- the graph --

    def _nodes(self) -> list[Node]:
        """The calls between inputs and outputs, each behind those that it needs."""
        begins = {id(x) for x in self.flat_inputs}
        found: list[Node] = []
        done: set[int] = set()
        self._met: dict[int, int] = {}  # the layers, by when the walk back from the outputs comes to them
        waiting = [(self.tensor(x), False) for x in reversed(self.flat_outputs)]
        while waiting:
            x, ready = waiting.pop()
            node = node_of(x)
            if ready:
                if id(node) not in done:
                    done.add(id(node))
                    found.append(node)
                continue
            if id(node) in done:
                continue
            self._met.setdefault(id(node.operation), len(self._met))
            if isinstance(node.operation, InputLayer) and id(x) not in begins:
                raise ValueError(
                    f"`inputs` not connected to `outputs`: the outputs of model '{self.name}' depend on {x!r}, of the "
                    f"layer '{node.operation.name}', which is none of its inputs: {[i.name for i in self.flat_inputs]}"
                )
            waiting.append((x, True))
            waiting.extend((self.tensor(t), False) for t in reversed(node.input_tensors))
        for x in self.flat_inputs:
            node = node_of(x)
            if id(node) not in done:
                found.append(node)
        return found

    def _layers(self) -> list[Any]:
        """The layers by their distance from the outputs, the farthest first, as Keras lists them and their weights."""
        depths: dict[int, int] = {}
        of_layers: dict[int, int] = {}
        layers: dict[int, Any] = {}
        for node in reversed(self.nodes):
            layer = node.operation
            depth = max(depths.get(id(node), 0), of_layers.get(id(layer), 0))
            depths[id(node)] = of_layers[id(layer)] = depth
            layers[id(layer)] = layer
            for x in node.input_tensors:
                parent = id(node_of(self.tensor(x)))
                depths[parent] = max(depths.get(parent, 0), depth + 1)
        levels = defaultdict(list)
        for key, layer in layers.items():
            levels[of_layers[key]].append(layer)
        ordered = []
        for depth in sorted(levels, reverse=True):
            ordered += sorted(levels[depth], key=lambda layer: self._met.get(id(layer), -1))
        names = [layer.name for layer in ordered]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"All layer names of a model should be unique. These are there twice: {sorted(twice)}")
        return ordered

    # -- running --

    def _plan(self) -> None:
        slots = {id(x): i for i, x in enumerate(self.flat_inputs)}
        steps = []
        for node in self.nodes:
            if isinstance(node.operation, InputLayer):
                continue
            given = [slots[id(self.tensor(x))] for x in node.input_tensors]
            made = node.output_tensors
            for x in made:
                slots[id(x)] = len(slots)
            simple = len(node.arguments) == 1 and isinstance(node.arguments[0], KerasTensor) and not node.keywords
            single = isinstance(node.outputs, KerasTensor)
            steps.append((node.operation, given, [slots[id(x)] for x in made], None if simple and single else node))
        self._steps = steps
        self._count = len(slots)
        self._results = [slots[id(x)] for x in self.flat_outputs]

    def run(self, inputs: Any, masks: Any = None) -> Any:
        """The outputs, in their structure, of inputs in theirs. Raises ValueError for inputs that do not fit."""
        values: list[Any] = [None] * self._count
        values[: len(self.flat_inputs)] = self._given(inputs)
        if masks is not None:
            set_masks(values[: len(self.flat_inputs)], masks)
        for layer, sources, targets, node in self._steps:
            if node is None:
                values[targets[0]] = layer(values[sources[0]])
                continue
            tensors = iter([values[s] for s in sources])
            args, kwargs = nest.map_structure(
                lambda x, tensors=tensors: next(tensors) if isinstance(x, KerasTensor) else x,
                (node.arguments, node.keywords),
            )
            made = [y for y in nest.flatten(layer(*args, **kwargs)) if isinstance(y, Tensor)]
            for target, y in zip(targets, made, strict=True):
                values[target] = y
        results = [values[s] for s in self._results]
        if isinstance(self.outputs, KerasTensor):
            return results[0]
        return nest.pack_sequence_as(self.outputs, results)

    def _given(self, inputs: Any) -> list[Tensor]:
        """The inputs as tensors of the dtypes and ranks of the model's, in their order."""
        expected = self.flat_inputs
        if len(expected) == 1 and isinstance(inputs, Tensor):
            given = [inputs]
        else:
            given = self._in_order(inputs)
        if len(given) != len(expected):
            raise ValueError(
                f"Model '{self.name}' expects {len(expected)} input(s): {[x.name for x in expected]}. Received "
                f"{len(given)}: {inputs!r}"
            )
        return [self._adapted(x, want, i) for i, (x, want) in enumerate(zip(given, expected, strict=True))]

    def _in_order(self, inputs: Any) -> list:
        if isinstance(inputs, dict):
            names = self._names()
            missing = [name for name in names if name not in inputs]
            if missing:
                raise ValueError(f"Model '{self.name}' was not given these inputs: {missing}. Got: {list(inputs)}")
            return [inputs[name] for name in names]
        return nest.flatten(inputs)

    def _names(self) -> list[str]:
        if isinstance(self.inputs, dict):
            return sorted(self.inputs)
        return [node_of(x).operation.name for x in self.flat_inputs]

    def _adapted(self, x: Any, want: KerasTensor, position: int) -> Any:
        if not isinstance(x, (Tensor, Variable)):
            x = convert_to_tensor(x)
        elif isinstance(x, Variable):
            x = x.read_value()
        mask = mask_of(x)
        have, wanted = x._value.shape, want._value.shape
        result = x
        if have is not None:
            if len(have) == len(wanted) + 1 and have[-1] == 1:
                result = squeeze(result, -1)
            elif len(have) == len(wanted) - 1 and wanted[-1] == 1:
                result = expand_dims(result, -1)
            have = result._value.shape
            if len(have) != len(wanted) or any(
                type(n) is int and type(m) is int and n != m for n, m in zip(have, wanted, strict=True)
            ):
                raise ValueError(
                    f"Input {position} of layer '{self.name}' is incompatible with the layer: expected "
                    f"shape={tuple(known(wanted) or ())}, found shape={tuple(known(x._value.shape) or ())}"
                )
        kind, have_kind = want._value.dtype, x._value.dtype
        if kind is not have_kind and kind != have_kind and not (is_differentiable(kind) and kind.itemsize < 4):
            result = cast(result, kind)
        if mask is not None and result is not x:
            set_mask(result, mask)
        return result
