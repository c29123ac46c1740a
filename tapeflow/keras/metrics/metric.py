"""`tf.keras.metrics.Metric`: numbers gathered over many batches."""

from __future__ import annotations

from typing import Any

from ...core.dtypes import as_dtype
from ...core.variable import Variable as CoreVariable
from .. import initializers
from ..conversion import float_dtype
from ..naming import scope, unique_name
from ..tracking import Owner, owned, tracked
from ..variable import Variable, zeros


class Metric(Owner):
    """A value of all that it has been shown since it was made or reset.

    Subclasses make their variables by `add_weight` in the constructor, and define `update_state(...)` and `result()`.
    Called, a metric updates its state and returns its result.

    Arguments:
        dtype: the float type of its state.
        name: its name.
    """

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self._variables: list[Variable] = []
        self.name = name or unique_name(type(self).__name__)
        self._dtype = float_dtype(dtype)

    @property
    def dtype(self) -> str:
        """The name of the float type of its state."""
        return as_dtype(self._dtype).name

    def add_variable(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, aggregation: Any = "sum",
        name: str | None = None,
    ) -> Variable:  # fmt: skip
        """Makes a variable of its state, of zeros where no initializer is given."""
        with scope(self.name):
            variable = Variable(
                initializers.get(initializer or "zeros"),
                shape=tuple(shape),
                dtype=dtype or self.dtype,
                trainable=False,
                aggregation=aggregation,
                synchronization="on_read",
                name=name or "variable",
            )
        self._variables.append(variable)
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None, **kwargs: Any
    ) -> Variable:
        """Makes a variable of its state, of zeros where no initializer is given.

        A string in the place of the shape is the name, as in Keras 2, whose other arguments have no effect.
        """
        if isinstance(shape, str):
            shape, name = kwargs.get("shape", ()), shape
        return self.add_variable(shape, initializer, dtype, name=name)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value if name == "_variables" else tracked(value))

    @property
    def variables(self) -> list[CoreVariable]:
        """Its state, and that of the metrics in its attributes."""
        if "_variables" not in self.__dict__:
            raise RuntimeError(
                f"In metric '{type(self).__name__}', you forgot to call `super().__init__()` in `__init__()`."
            )
        inside = [m for value in self.__dict__.values() for m in owned(value)]
        found = {id(v): v for v in self._variables}
        for m in inside:
            found.update({id(v): v for v in ([m] if isinstance(m, CoreVariable) else getattr(m, "variables", ()))})
        return list(found.values())

    weights = variables

    @property
    def non_trainable_variables(self) -> list[CoreVariable]:
        """Its state; nothing of it is trained."""
        return self.variables

    trainable_variables = property(lambda self: [], doc="Nothing: no state of a metric is trained.")

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Takes a batch into account; subclasses define it."""
        raise TypeError(f"{type(self).__name__} does not define update_state(...), as a metric must")

    def result(self) -> Any:
        """The value now; subclasses define it."""
        raise TypeError(f"{type(self).__name__} does not define result(), as a metric must")

    def reset_state(self) -> None:
        """Forgets all batches: sets the state to zeros."""
        for v in self.variables:
            v.assign(zeros(v.shape, v._dtype))

    def reset_states(self) -> None:
        """`reset_state`, under its former name."""
        self.reset_state()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Takes a batch into account, and returns the value."""
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict:
        """The arguments to make the same metric again."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict) -> Metric:
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"
