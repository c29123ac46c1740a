"""`tf.keras.layers.Layer`: the call around what a layer computes, building, losses. See `holder.py` for what it owns.

What a call costs above its ops decides how fast small models are. A layer that has been called before and is handed one
input and nothing else, where nobody has said whether this is training, goes straight to `call`; everything else goes
through `_call_fully`.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from ...core import nest
from ...core.convert import convert_to_tensor
from ...core.dtypes import as_dtype, is_differentiable, numpy_dtype
from ...core.shapes import TensorShape
from ...core.tapes import active_tapes
from ...core.tensor import Tensor
from ...core.variable import Variable as CoreVariable
from ...engines.eager import install
from .. import constraints, initializers, regularizers
from ..conversion import float_dtype, of_default_float
from ..naming import scope, unique_name
from ..registry import serialize
from ..tracking import structure
from ..variable import Variable
from .calls import Flags, calls, rewritten
from .holder import Holder, Untracked, unique
from .input_spec import check_inputs
from .keras_tensor import KerasTensor, has_keras_tensors
from .masks import mask_of, masks_of, set_masks
from .symbolic import symbolic_call

install()  # large convolutions, pooling and recurrent networks are offered to the compiler

_KERAS_2 = ("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")
_KERAS_3 = ("shape", "initializer", "dtype", "trainable", "autocast", "regularizer", "constraint", "aggregation")
_WEIGHT_OPTIONS = {*_KERAS_2, *_KERAS_3, "use_resource", "synchronization", "layout", "overwrite_with_gradient"}


class Layer(Holder):
    """A function of tensors that has variables.

    Subclasses make their variables in `build(input_shape)` by `add_weight`, and compute in `call(inputs, ...)`, which
    may have parameters `training` and `mask`. Variables, layers, and lists and dictionaries of them that are assigned
    to attributes belong to the layer.

    Arguments:
        activity_regularizer: a penalty on the outputs.
        trainable: whether its variables are trained.
        dtype: the float type of its variables, to which inputs of other float types are cast.
        autocast: whether they are.
        name: its name; by default the class's in snake case.
        input_shape, batch_input_shape, input_dim, batch_size: the shape of the inputs, with which a model can be built
            before it is called.
    """

    _call_parameters: tuple[str, ...] = ()
    _takes_training = False
    _takes_mask = False
    _masked_parameters: tuple[str, ...] = ()
    _inbound_nodes: Any = ()  # its calls in functional models
    _settled = False  # whether it has been called, and calls with one input can go straight to `call`

    _own_call = False  # whether `call` is the program's

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "compute_mask" in cls.__dict__ and not cls.__module__.startswith(__name__.partition(".")[0]):
            Flags.use_masks()
        if "call" in cls.__dict__:
            cls._own_call = not cls.__module__.startswith("tapeflow.")
            names = tuple(inspect.signature(cls.call).parameters)
            cls._call_parameters = names[1:]
            cls._takes_training = "training" in names
            cls._takes_mask = "mask" in names
            cls._masked_parameters = tuple([name for name in names[1:] if f"{name}_mask" in names])

    _built_for: Any = None  # the shape of the first inputs, with which it was built

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self._losses = Untracked()
        shape = _input_shape(kwargs)
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments passed to {type(self).__name__}: {kwargs}")
        self.name = name or unique_name(type(self).__name__)
        if not isinstance(self.name, str):
            raise ValueError(f"Argument `name` must be a string. Received: name={name!r} (of type {type(name)})")
        self.built = False
        self.autocast = autocast
        self.input_spec = None
        self.supports_masking = False
        self.activity_regularizer = regularizers.get(activity_regularizer)
        if self.activity_regularizer is not None:
            Flags.use_losses()
        self._dtype = float_dtype(dtype)
        self._trainable = bool(trainable)
        self._batch_input_shape = shape

    # -- calling --

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The layer of its inputs. Builds it first, where that is to be done."""
        if (
            len(args) != 1
            or kwargs
            or not self._settled
            or Flags.busy
            or self._takes_training
            and calls.training is not None
            or self._own_call
            and active_tapes().trace is not None
        ):
            return self._call_fully(args, kwargs)
        x = args[0]
        if type(x) is not Tensor or x._value.dtype is not self._dtype:
            if has_keras_tensors(x):
                return symbolic_call(self, args, kwargs)
            x = self._converted(x)
        try:
            return self.call(x)
        except Exception:
            check_inputs(self.input_spec, x, self.name)
            raise

    def _call_fully(self, args: tuple, kwargs: dict) -> Any:
        if not args and self._call_parameters and self._call_parameters[0] in kwargs:
            args = (kwargs.pop(self._call_parameters[0]),)
        if has_keras_tensors(args) or has_keras_tensors(kwargs):
            return symbolic_call(self, args, kwargs)
        masks = self._masks(args, kwargs) if Flags.masks else None
        args = tuple([self._converted(x) for x in args])
        kwargs = {key: x if key == "training" else self._converted(x) for key, x in kwargs.items()}
        training = self._training(args, kwargs)
        outermost = not calls.depth
        if outermost and Flags.losses:
            self._forget_losses()
        before = calls.training
        calls.training = training
        calls.depth += 1
        try:
            if self._settled:
                outputs = self._checked_call(args, kwargs)
            else:
                outputs = self._first_call(args, kwargs)
        finally:
            calls.depth -= 1
            calls.training = before
        if Flags.masks and args:
            self._hand_on(args[0], masks, outputs)
        if self.activity_regularizer is not None:
            for y in nest.flatten(outputs):
                self.add_loss(self.activity_regularizer(y) / max(y.shape[0] or 1, 1))
        return outputs

    def _masks(self, args: tuple, kwargs: dict) -> Any:
        """The masks of the first argument; those of arguments join the keywords where `call` asks for them."""
        found = masks_of(args[0]) if args else None
        if found is not None and self._takes_mask and kwargs.get("mask") is None and self._free("mask", args):
            kwargs["mask"] = found
        for name in self._masked_parameters:
            given = kwargs.get(name)
            place = self._call_parameters.index(name)
            x = given if given is not None else args[place] if place < len(args) else None
            mask = mask_of(x)
            if mask is not None and kwargs.get(f"{name}_mask") is None and self._free(f"{name}_mask", args):
                kwargs[f"{name}_mask"] = mask
        return found

    def _free(self, parameter: str, args: tuple) -> bool:
        names = self._call_parameters
        return names.index(parameter) >= len(args)

    def _hand_on(self, inputs: Any, masks: Any, outputs: Any) -> None:
        """Gives the outputs their masks."""
        if not self.supports_masking:
            return
        made = nest.flatten(outputs)
        if any(mask_of(y) is None for y in made if isinstance(y, Tensor)):
            found = self.compute_mask(inputs, masks)
            if found is not None:
                set_masks(outputs, found)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the outputs, of the inputs and theirs: the same one. Subclasses that know better define it."""
        return mask

    def _checked_call(self, args: tuple, kwargs: dict) -> Any:
        if args:
            check_inputs(self.input_spec, args[0], self.name)
        call = rewritten(self.call) if self._own_call else self.call
        return call(*args, **kwargs)

    def _first_call(self, args: tuple, kwargs: dict) -> Any:
        """A call before the layer is known to be built, with its name in the paths of variables made meanwhile."""
        with scope(self.name):
            if not self.built:
                self._build_for(args, kwargs)
            outputs = self._checked_call(args, kwargs)
        self._settled = self.built
        return outputs

    def _training(self, args: tuple, kwargs: dict) -> Any:
        """The `training` of this call, given or taken from the layer around; and puts it among the arguments."""
        names = self._call_parameters
        if self._takes_training and "training" in names and names.index("training") < len(args):
            given = args[names.index("training")]
            return calls.training if given is None else given
        given = kwargs.pop("training", None)
        if given is None:
            given = calls.training
        if given is not None and self._takes_training:
            kwargs["training"] = given
        return given

    def _converted(self, x: Any) -> Any:
        """An argument with its floats cast to the layer's dtype; lists of numbers and arrays become tensors."""
        kind = type(x)
        if kind is np.ndarray and self.autocast:
            return of_default_float(x, self._dtype)
        if kind is Tensor:
            have = x._value.dtype
            if have is self._dtype or not self.autocast or not is_differentiable(have):
                return x
            return of_default_float(x, self._dtype)
        if x is None or kind in (bool, int, float, str):
            return x
        if isinstance(x, dict):
            return {key: self._converted(part) for key, part in x.items()}
        if isinstance(x, tuple) or isinstance(x, list) and any(_has_shape(part) for part in x):
            parts = [self._converted(part) for part in x]
            return type(x)(*parts) if hasattr(x, "_fields") else tuple(parts) if isinstance(x, tuple) else parts
        if self.autocast:
            return of_default_float(x, self._dtype)
        return convert_to_tensor(x) if kind is np.ndarray or isinstance(x, list) else x

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """What the layer computes; subclasses define it."""
        raise TypeError(f"Layer {type(self).__name__} does not have a `call()` method implemented.")

    # -- building --

    def build(self, input_shape: Any) -> None:
        """Makes the variables for inputs of this shape (a tuple, None for what is not known). Subclasses define it."""
        self.built = True

    def _build_for(self, args: tuple, kwargs: dict) -> None:
        shapes = [shape_of(x) for x in args]
        names = list(inspect.signature(self.build).parameters)
        if len(names) > 1:
            by_name = {f"{name}_shape": shape for name, shape in zip(self._call_parameters, shapes, strict=False)}
            by_name.update({f"{name}_shape": shape_of(x) for name, x in kwargs.items()})
            wanted = {name: by_name[name] for name in names if name in by_name}
            self.build(**wanted) if len(wanted) == len(names) else self.build(*shapes[: len(names)])
        else:
            self.build(shapes[0] if shapes else None)
        self.built = True
        self._built_for = shapes[0] if shapes else None
        structure.version += 1

    def build_from_config(self, config: dict) -> None:
        """Builds it for the input shape of a configuration."""
        if config and config.get("input_shape") is not None:
            with scope(self.name):
                self.build(tuple(config["input_shape"]))
            self.built = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the outputs for inputs of a shape, as tuples. Subclasses define it."""
        raise TypeError(f"Layer {self.name} should override `def compute_output_shape(self, input_shape)`.")

    def _known_input_shape(self) -> Any:
        """The shape that its inputs were said to have, or that it was built for; None where there is neither."""
        return self._built_for if self._batch_input_shape is None else self._batch_input_shape

    def _output_shape(self, input_shape: Any) -> Any:
        """`compute_output_shape`, or None for a layer that does not say."""
        if type(self).compute_output_shape is Layer.compute_output_shape:
            return None
        return self.compute_output_shape(input_shape)

    # -- variables --

    def add_weight(self, *args: Any, **kwargs: Any) -> Variable:
        """Makes a variable of the layer.

        Arguments, in Keras 3's order (in Keras 2's, where the first is a string, the name):
            shape: its shape; () by default.
            initializer: what it begins with; Glorot's for floats, zeros for others.
            dtype: its dtype; the layer's by default.
            trainable: whether it is trained.
            autocast: accepted, without effect, as are others of Keras 2 and 3.
            regularizer: a penalty that joins the layer's losses.
            constraint: what optimizers apply to it after an update.
            aggregation: for distribution strategies.
            name: its name.

        Raises TypeError for arguments that neither has.
        """
        order = _KERAS_2 if args and isinstance(args[0], str) else _KERAS_3
        given = dict(zip(order, args, strict=False))
        if len(args) > len(order) or given.keys() & kwargs.keys() or kwargs.keys() - _WEIGHT_OPTIONS:
            raise TypeError(f"add_weight() does not take these arguments: {args}, {kwargs}")
        given.update(kwargs)
        shape, dtype, initializer = given.get("shape"), given.get("dtype"), given.get("initializer")
        kind = numpy_dtype(as_dtype(dtype)) if dtype is not None else self._dtype
        if initializer is None:
            initializer = "glorot_uniform" if is_differentiable(kind) else "zeros"
        variable = Variable(
            initializers.get(initializer),
            shape=_dims(() if shape is None else shape),
            dtype=as_dtype(kind).name,
            trainable=given.get("trainable", True) is not False,
            aggregation=given.get("aggregation", "none"),
            name=given.get("name") or "variable",
            regularizer=regularizers.get(given.get("regularizer")),
            constraint=constraints.get(given.get("constraint")),
        )
        self._take(variable)
        if not self._trainable:
            variable._trainable = False
        return variable

    add_variable = add_weight

    # -- losses --

    def add_loss(self, loss: Any) -> None:
        """Adds a loss, or a list of them, to those of the call that is being made."""
        Flags.use_losses()
        self._losses.extend(loss if isinstance(loss, (list, tuple)) else [loss])

    @property
    def losses(self) -> list[Any]:
        """What was added in the last call, here and in the layers inside, and the penalties on their variables."""
        layers = unique(self._flatten_layers())
        added = [value() if callable(value) else value for layer in layers for value in layer._losses]
        weights = [v for v in self.trainable_weights if getattr(v, "regularizer", None) is not None]
        return [*added, *[v.regularizer(v) for v in weights]]

    def _forget_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._losses.clear()

    def add_metric(self, *args: Any, **kwargs: Any) -> None:
        """Raises: metrics belong to models and training loops, as in Keras 3."""
        raise AttributeError(
            "add_metric() is not there (nor is it in Keras 3): keep a tf.keras.metrics object in the layer or the "
            "training loop and call its update_state."
        )

    # -- description --

    @property
    def dtype(self) -> str:
        """The name of the dtype of its variables."""
        return as_dtype(self._dtype).name

    variable_dtype = compute_dtype = dtype

    @property
    def path(self) -> str:
        """Its name."""
        return self.name

    @property
    def input_shape(self) -> Any:
        """The shape of its inputs, where it was given one or a model gave it. Raises AttributeError otherwise."""
        if self._inbound_nodes:
            return shape_of(self.input)
        shape = self._known_input_shape()
        if shape is None:
            raise AttributeError(f"The layer '{self.name}' has never been called and thus has no defined input shape.")
        return shape

    @property
    def output_shape(self) -> Any:
        """The shape of its outputs for inputs of `input_shape`."""
        if self._inbound_nodes:
            return shape_of(self.output)
        return self.compute_output_shape(self.input_shape)

    @property
    def input(self) -> Any:
        """What it was called with in a functional model, first. Raises AttributeError where it was in none."""
        return _only(self._first_node("input").arguments)

    @property
    def output(self) -> Any:
        """What it gave in a functional model, first. Raises AttributeError where it was in none."""
        return self._first_node("output").outputs

    def _first_node(self, what: str) -> Any:
        if not self._inbound_nodes:
            raise AttributeError(f"The layer '{self.name}' has never been called and thus has no defined {what}.")
        return self._inbound_nodes[0]

    def get_config(self) -> dict:
        """The arguments to make the same layer again, without its variables' values.

        A subclass whose constructor takes others adds them.
        """
        config = {"name": self.name, "trainable": self._trainable, "dtype": self.dtype}
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = serialize(self.activity_regularizer, "keras.regularizers")
        return config

    @classmethod
    def from_config(cls, config: dict) -> Layer:
        """A layer of a configuration. Raises TypeError for one that the constructor does not take."""
        return cls(**config)

    def get_build_config(self) -> dict | None:
        """The input shape, for `build_from_config`."""
        return {"input_shape": self._known_input_shape()}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _only(args: tuple) -> Any:
    return args[0] if len(args) == 1 else list(args)


def _has_shape(x: Any) -> bool:
    """Whether it is an argument of its own in a list: a tensor, an array, or a list of them."""
    if isinstance(x, (list, tuple)):
        return any(_has_shape(part) for part in x)
    return isinstance(x, (Tensor, CoreVariable, KerasTensor)) or hasattr(x, "__array__") and np.ndim(x) > 0


def shape_of(x: Any) -> Any:
    """The shapes of an argument, in its structure."""
    if isinstance(x, dict):
        return {key: shape_of(part) for key, part in x.items()}
    if isinstance(x, (list, tuple)):
        return [shape_of(part) for part in x]
    return tuple(x.shape) if hasattr(x, "shape") else None


def _dims(shape: Any) -> tuple:
    if isinstance(shape, TensorShape):
        return tuple(shape.as_list())
    return tuple(int(n) for n in (shape if hasattr(shape, "__iter__") else (shape,)))


def _input_shape(options: dict) -> tuple | None:
    """The batch's shape that the options of a layer say; takes those options out."""
    batch_size = options.pop("batch_size", None)
    shape = options.pop("input_shape", None)
    size = options.pop("input_dim", None)
    length = options.pop("input_length", None)
    batch_shape = options.pop("batch_input_shape", options.pop("batch_shape", None))
    if batch_shape is not None:
        return tuple(batch_shape)
    if shape is None and size is not None:
        shape = (size,) if length is None else (length, size)
    return None if shape is None else (batch_size, *(shape if hasattr(shape, "__iter__") else (shape,)))
