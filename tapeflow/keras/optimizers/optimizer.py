"""`tf.keras.optimizers.Optimizer`: from gradients to changed variables, and what all optimizers share around that.

A subclass says how one variable changes: Keras's own way is `update_step(gradient, variable, learning_rate)` on
tensors; the optimizers here work on bare arrays (see `update.py`).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ...autodiff.tape import GradientTape
from ...core import errors, nest
from ...core.context import init_scope
from ...core.convert import convert_to_tensor
from ...core.indexed_slices import IndexedSlices, scatter_rows
from ...core.op import ARRAYS, Namespace
from ...core.tapes import active_tapes
from ...core.tensor import Tensor, flat, wrap
from ...core.variable import Variable as CoreVariable
from .. import initializers
from ..naming import scope, unique_name
from ..registry import resolve
from ..registry import serialize as _serialize
from ..tracking import Owner
from ..variable import Variable, zeros
from .clipping import clip_global_norm, clip_norms, clip_values
from .schedules import KNOWN as SCHEDULES
from .schedules import LearningRateSchedule

_ONE = np.int64(1)


class Optimizer(Owner):
    """Changes variables against their gradients.

    Arguments:
        learning_rate: a number, a `LearningRateSchedule`, or a function without arguments; also called `lr`.
        weight_decay: the part of each variable, times the learning rate, that a step takes away.
        clipnorm, clipvalue, global_clipnorm: bounds for the norm of each gradient, for each element, for the norm of
            all.
        use_ema, ema_momentum, ema_overwrite_frequency: whether averages of the variables are kept, how slowly they
            follow, and after how many steps they take the variables' place.
        loss_scale_factor: gradients are divided by it.
        gradient_accumulation_steps: how many steps' gradients are averaged for one change.
        name: its name.

    Raises ValueError for arguments out of range, unknown ones, or more than one way of clipping.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        learning_rate = kwargs.pop("lr", learning_rate)
        if kwargs.pop("decay", None):
            warnings.warn(
                "Argument `decay` is no longer supported and will be ignored; give a schedule as the learning rate.",
                stacklevel=3,
            )
        if kwargs:
            raise ValueError(f"Argument(s) not recognized: {kwargs}")
        if sum(c is not None for c in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
                f"clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}"
            )
        if gradient_accumulation_steps and gradient_accumulation_steps < 2:
            raise ValueError(
                "`gradient_accumulation_steps` must be an integer >= 2. Received: "
                f"gradient_accumulation_steps={gradient_accumulation_steps}"
            )
        if use_ema and not 0 <= ema_momentum <= 1:
            raise ValueError(f"`ema_momentum` must be in the range [0, 1]. Received: ema_momentum={ema_momentum}")
        self.name = name or unique_name(type(self).__name__)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.built = False
        self._variables: list[Variable] = []
        self._trainable_variables: list[Any] = []
        self._index: dict[int, int] = {}  # id of a variable -> where it is in `_trainable_variables`
        self._averages: list[Variable] = []
        self._accumulators: list[Variable] = []
        self._undecayed: Callable[[Any], bool] = lambda variable: False
        self._iterations = self._own(0, "iteration", "int64")
        self._learning_rate: Any = None
        self.learning_rate = learning_rate

    # -- what a program reads and sets --

    @property
    def iterations(self) -> Any:
        """The number of steps made, an int64 variable; with `gradient_accumulation_steps`, of changes, a tensor."""
        steps = self.gradient_accumulation_steps
        return self._iterations // steps if steps else self._iterations

    def _changes(self) -> int:
        """How often variables were changed so far."""
        return int(self._iterations._tensor._value) // (self.gradient_accumulation_steps or 1)

    @property
    def variables(self) -> list[Variable]:
        """The step count, the learning rate, and what the optimizer keeps for each variable."""
        return self._variables[:]

    @property
    def learning_rate(self) -> Any:
        """The learning rate now: a variable, or what a schedule gives for the step to come."""
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            return rate(self._iterations)
        return rate() if not isinstance(rate, Variable) and callable(rate) else rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        old = self._learning_rate
        if isinstance(value, dict):
            value = resolve(value, SCHEDULES, "learning rate schedule", LearningRateSchedule)
        if isinstance(value, LearningRateSchedule) or callable(value) and not isinstance(value, (Tensor, CoreVariable)):
            if isinstance(old, Variable):
                self._variables = [v for v in self._variables if v is not old]
            self._learning_rate = value
        elif isinstance(old, LearningRateSchedule):
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object as its `learning_rate` constructor "
                "argument, hence its learning rate is not settable. To set it by hand, make the optimizer with a float."
            )
        elif isinstance(old, Variable):
            old.assign(value)
        else:
            if isinstance(value, (str, bytes)) or value is None or np.ndim(value):
                raise ValueError(
                    "Argument `learning_rate` should be float, or an instance of LearningRateSchedule, or a callable. "
                    f"Received instead: learning_rate={value!r}"
                )
            self._learning_rate = self._own(float(value), "learning_rate", None)

    @property
    def lr(self) -> Any:
        """The learning rate, under its former name."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self.learning_rate = value

    # -- steps --

    def apply_gradients(
        self, grads_and_vars: Iterable[tuple[Any, Any]], name: str | None = None, **kwargs: Any
    ) -> Variable:
        """Makes one step with pairs of gradients and variables, and returns the step count.

        Gradients are tensors, arrays or IndexedSlices. Variables whose gradient is None are left as they are, with a
        warning that names them. `name`, `skip_gradients_aggregation` and `experimental_aggregate_gradients` have no
        effect. Raises ValueError where there is no gradient at all, or one of another shape than its variable.
        """
        if kwargs and not kwargs.keys() <= {"skip_gradients_aggregation", "experimental_aggregate_gradients"}:
            raise TypeError(f"apply_gradients() got unexpected keyword arguments: {sorted(kwargs)}")
        trace = active_tapes().trace
        if trace is not None:
            return self._traced_step(trace, list(grads_and_vars))
        grads = []
        variables = []
        missing = None
        constrained = False
        for g, v in grads_and_vars:
            if type(g) is Tensor:
                g = g._value
            elif g is None:
                missing = [*(missing or ()), v]
                continue
            else:
                g = _dense(g, v)
            if g.shape != v._tensor._value.shape:  # before anything is changed
                raise _wrong_shape(g, v)
            grads.append(g)
            variables.append(v)
            if v._constraint is not None:
                constrained = True
        if not grads or missing:
            self._report(grads, missing)
        if not self.built:
            self.build(variables)
        if constrained or self._has_options():
            self._change(grads, variables)
        else:
            rate = self._learning_rate
            self._update(grads, variables, rate if type(rate) is Variable else self.learning_rate)
        count = self._iterations
        count._set(count._tensor._value + _ONE)
        return count

    def _traced_step(self, trace: Any, pairs: list[tuple[Any, Any]]) -> Variable:
        """One step as an effect of a function that is being traced: the step itself runs on the arrays of each call."""
        missing = [v for g, v in pairs if g is None]
        pairs = [(g, v) for g, v in pairs if g is not None]
        if not pairs or missing:
            self._report([g for g, _ in pairs], missing)
        grads, variables = [g for g, _ in pairs], [v for _, v in pairs]
        with init_scope():
            if not self.built:
                self.build(variables)
            self._know(variables)
        if self._traced_update(grads, variables):
            self._iterations.assign_add(_ONE)
            return self._iterations
        tensors = [convert_to_tensor(x) for x in nest.flatten(grads, expand_composites=True)]

        def apply_gradients(*given: Tensor) -> None:
            filled = nest.pack_sequence_as(grads, list(given), expand_composites=True)
            self.apply_gradients(zip(filled, variables, strict=True))

        trace.effect(apply_gradients, tensors, variables)
        return self._iterations

    def _traced_update(self, grads: list[Any], variables: list[Any]) -> bool:
        """Adds what changes the variables to the graph as ops, where the optimizer can; tells whether it did."""
        return False

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Makes one step. Without variables, the gradients belong to those that the optimizer was built with.

        Raises ValueError where there are none, or another number of them.
        """
        if not len(grads):
            return
        if trainable_variables is None:
            trainable_variables = self._trainable_variables
            if not self.built or len(grads) != len(trainable_variables):
                raise ValueError(
                    "When passing `grads` without `variables`, the optimizer must already be built on as many "
                    f"variables. Call `optimizer.build(trainable_variables)` first. Received {len(grads)} gradients "
                    f"for {len(trainable_variables)} variables."
                )
        self.apply_gradients(zip(grads, trainable_variables, strict=True))

    def minimize(
        self, loss: Any, var_list: Any, grad_loss: Any = None, name: str | None = None, tape: Any = None
    ) -> Variable:
        """Differentiates a loss and makes one step: `loss` is a function without arguments, or a tensor of `tape`."""
        return self.apply_gradients(self.compute_gradients(loss, var_list, grad_loss, tape))

    def compute_gradients(self, loss: Any, var_list: Any, grad_loss: Any = None, tape: Any = None) -> list[tuple]:
        """The pairs of gradients and variables of a loss, a function without arguments or a tensor of `tape`.

        `var_list` may be a function that gives the list. Raises ValueError for a tensor without its tape.
        """
        if not callable(loss) and tape is None:
            raise ValueError("`tape` is required when a `Tensor` loss is passed.")
        if callable(loss):
            with tape or GradientTape() as tape:
                if not callable(var_list):
                    tape.watch(var_list)
                loss = loss()
        variables = list(var_list() if callable(var_list) else var_list)
        return list(zip(tape.gradient(loss, variables, grad_loss), variables, strict=True))

    def _has_options(self) -> bool:
        """Whether a step is more than the rule."""
        return bool(
            self.clipnorm
            or self.global_clipnorm
            or self.clipvalue
            or self.weight_decay is not None
            or self._keeps_more()
        )

    def _keeps_more(self) -> bool:
        """Whether there is more to a step than gradients, variables and what the rule keeps for them."""
        return bool(self.use_ema or self.loss_scale_factor is not None or self.gradient_accumulation_steps)

    def _clipped(self, F: Namespace, grads: list[Any]) -> list[Any]:
        """The gradients within the bounds asked for."""
        if self.clipnorm:
            return clip_norms(F, grads, self.clipnorm)
        if self.global_clipnorm:
            return clip_global_norm(F, grads, self.global_clipnorm)
        return clip_values(F, grads, self.clipvalue) if self.clipvalue else grads

    def _change(self, grads: list[Any], variables: list[Any]) -> None:
        """A step with all that the options ask for around it."""
        if self.loss_scale_factor is not None:
            grads = [g / g.dtype.type(self.loss_scale_factor) for g in grads]
        if self.gradient_accumulation_steps:
            grads = self._accumulate(grads, variables)
        if not grads:
            return
        grads = self._clipped(ARRAYS, grads)
        rate = self.learning_rate
        if self.weight_decay is not None:
            self._decay(variables, rate)
        self._update(grads, variables, rate)
        if self.use_ema:
            self._average()
        for v in variables:
            if v._constraint is not None:
                v.assign(v._constraint(v))

    def _update(self, grads: list[Any], variables: list[Any], rate: Any) -> None:
        """Changes every variable; arrays in, here handed to `update_step` as tensors."""
        for g, v in zip(grads, variables, strict=True):
            self.update_step(wrap(flat(g)), v, rate)

    def update_step(self, gradient: Tensor, variable: Any, learning_rate: Any) -> None:
        """How one variable changes; for subclasses that do not work on arrays."""
        raise TypeError(
            f"{type(self).__name__} does not define update_step(gradient, variable, learning_rate), as optimizers must"
        )

    # -- around a step --

    def _report(self, grads: list[Any], missing: list[Any] | None) -> None:
        names = [getattr(v, "path", v.name) for v in missing or ()]
        if not grads:
            told = f" The gradient of each of {names} is None: the loss does not depend on them." if names else ""
            raise ValueError(f"No gradients provided for any variable.{told}")
        warnings.warn(f"Gradients do not exist for variables {names} when minimizing the loss.", stacklevel=3)

    def _accumulate(self, grads: list[Any], variables: list[Any]) -> list[Any]:
        """The mean gradients at every n-th step, nothing at the others."""
        steps = self.gradient_accumulation_steps or 1
        last = (int(self._iterations) + 1) % steps == 0
        means = []
        self._know(variables)
        for g, v in zip(grads, variables, strict=True):
            kept = self._accumulators[self._index[id(v)]]
            total = flat(kept._tensor._value + g)
            kept._set(zeros(v.shape, v._dtype) if last else total)
            means.append(total / v._dtype.type(steps))
        return means if last else []

    def _decay(self, variables: list[Any], rate: Any) -> None:
        for v in variables:
            if not self._undecayed(v):
                value = v._tensor._value
                v._set(value - value * value.dtype.type(float(rate) * self.weight_decay))

    def exclude_from_weight_decay(self, var_list: Sequence[Any] | None = None, var_names: Any = None) -> None:
        """Leaves these variables, and those whose names match one of these patterns, out of the weight decay.

        Raises ValueError once the optimizer is built.
        """
        if self.built:
            raise ValueError("`exclude_from_weight_decay()` can only be configured before the optimizer is built.")
        left = {id(v) for v in var_list or ()}
        pattern = re.compile("|".join(var_names)) if var_names else None
        self._undecayed = lambda v: id(v) in left or pattern is not None and pattern.search(v.name) is not None

    def _average(self) -> None:
        m = self.ema_momentum if self._changes() else 0.0
        for average, v in zip(self._averages, self._trainable_variables, strict=True):
            kept, new = v._dtype.type(m), v._dtype.type(1 - m)
            average._set(flat(average._tensor._value * kept + v._tensor._value * new))
        every = self.ema_overwrite_frequency
        if every and (self._changes() + 1) % every == 0:
            self.finalize_variable_values(self._trainable_variables)

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """With `use_ema`, gives variables the averages of their values."""
        if self.use_ema:
            for v in var_list:
                v.assign(self._averages[self._index[id(v)]])

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`, where there is one."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    # -- what the optimizer keeps --

    def build(self, var_list: Sequence[Any]) -> None:
        """Makes what the optimizer keeps for each of the variables. The first step does it."""
        self._know(var_list)
        self.built = True

    def _know(self, variables: Sequence[Any]) -> list[Any]:
        """Makes variables the optimizer's, with what it keeps for each; gives those that were not before."""
        new = [v for v in variables if id(v) not in self._index]
        for v in new:
            self._index[id(v)] = len(self._trainable_variables)
            self._trainable_variables.append(v)
        if self.use_ema:
            self._averages += self.add_optimizer_variables(new, "average")
        if self.gradient_accumulation_steps:
            self._accumulators += self.add_optimizer_variables(new, "gradient_accumulator")
        return new

    def _get_variable_index(self, variable: Any) -> int:
        if id(variable) not in self._index:
            raise ValueError(f"Unknown variable: {variable}. Call `optimizer.build(variables)` with it first.")
        return self._index[id(variable)]

    def _own(self, value: Any, name: str, dtype: Any) -> Variable:
        with scope(self.name):
            variable = Variable(value, dtype=dtype, trainable=False, name=name)
        self._variables.append(variable)
        return variable

    def add_variable(
        self, shape: Sequence[int], initializer: Any = "zeros", dtype: Any = None, aggregation: Any = "none",
        layout: Any = None, name: str | None = None,
    ) -> Variable:  # fmt: skip
        """A variable of the optimizer's own, which is saved with it."""
        return self._own(initializers.get(initializer)(tuple(shape), dtype=dtype), name or "variable", dtype)

    def add_variable_from_reference(
        self, reference_variable: Any, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A variable of the optimizer's own, of the shape and dtype of another, named after it."""
        path = getattr(reference_variable, "path", reference_variable.name)
        path = path.replace("/", "_").replace(":", "_")
        return self.add_variable(
            reference_variable.shape, initializer, reference_variable.dtype, name=f"{path}_{name or 'var'}"
        )

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Any], name: Any, initializer: Any = "zeros"
    ) -> list[Any]:
        """For each variable one of the optimizer's own by `name`; with several names, a list for each of them."""
        names = [name] if isinstance(name, str) else list(name)
        given = list(initializer) if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        made = [
            [self.add_variable_from_reference(v, n, i) for n, i in zip(names, given, strict=True)]
            for v in trainable_variables
        ]
        columns = [[row[k] for row in made] for k in range(len(names))]
        return columns[0] if isinstance(name, str) else columns

    def assign(self, variable: Any, value: Any) -> None:
        """`variable.assign(value)`."""
        variable.assign(value)

    def assign_add(self, variable: Any, value: Any) -> None:
        """`variable.assign_add(value)`."""
        variable.assign_add(value)

    def assign_sub(self, variable: Any, value: Any) -> None:
        """`variable.assign_sub(value)`."""
        variable.assign_sub(value)

    def get_weights(self) -> list[Any]:
        """The values of `variables`."""
        return [v.numpy() for v in self._variables]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets the values of `variables`. Raises ValueError for another number, or another shape."""
        if len(weights) != len(self._variables):
            raise ValueError(
                f"The optimizer has {len(self._variables)} variables and was given {len(weights)} values; "
                "its variables are made by `optimizer.build(trainable_variables)`, or by the first step."
            )
        for variable, weight in zip(self._variables, weights, strict=True):
            variable.assign(weight)

    # -- configuration --

    def get_config(self) -> dict:
        """The arguments to make the same optimizer again."""
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            rate = _serialize(rate, "keras.optimizers.schedules")
        elif isinstance(rate, Variable):
            rate = float(rate)
        names = ("weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum",
                 "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps")  # fmt: skip
        return {"name": self.name, "learning_rate": rate, **{n: getattr(self, n) for n in names}}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Optimizer:
        return cls(**config)


def _wrong_shape(g: Any, variable: Any) -> errors.InvalidArgumentError:
    """The error of a gradient that is not of its variable's shape."""
    return errors.invalid(
        "ApplyGradients",
        f"The gradient of variable '{getattr(variable, 'path', variable.name)}' has shape {list(g.shape)}, and the "
        f"variable {list(variable._tensor._value.shape)}; they must be equal.",
    )


def _dense(gradient: Any, variable: Any) -> Any:
    """A gradient that is no plain tensor as an array of the variable's dtype."""
    if isinstance(gradient, IndexedSlices):
        dense = gradient.dense() if gradient.dense_shape is not None else None
        if dense is None:
            values, indices = np.asarray(gradient.values), np.asarray(gradient.indices)
            return scatter_rows(values, indices, variable._tensor._value.shape)
        return dense._value
    return convert_to_tensor(gradient)._value
