"""Examples of the recurrent networks, for the tables of `tests.ops.examples`.

The outputs that only gradients look at have no gradients of their own, and the gradients' ops take them as given: their
derivatives are checked in `test_recurrent.py`, through the states.
"""

from __future__ import annotations

from tapeflow.ops import recurrent

from .examples import EXAMPLES, FLOAT, Example, pick, values

_UNITS = 2


def inputs_of(gates, states, bias, rng, dtype, masked):
    batch, steps = pick(rng, [(2, 3), (1, 1), (3, 2)])
    shapes = [(batch, steps, gates * _UNITS), *[(batch, _UNITS)] * states, (_UNITS, gates * _UNITS)]
    shapes += [(gates * _UNITS,)] * bias
    made = [values(rng, shape, dtype, -1, 1) for shape in shapes]
    return [*made, rng.random((batch, steps)) < 0.6] if masked else made


def _forward(gates, states, bias):
    def make(rng, dtype):
        masked = bool(rng.integers(2))
        return tuple(inputs_of(gates, states, bias, rng, dtype, masked)), (masked, bool(rng.integers(2)))

    return make


def _backward(name, gates, states, bias):
    def make(rng, dtype):
        arrays, attributes = _forward(gates, states, bias)(rng, dtype)
        made = getattr(recurrent, name).op.kernel(arrays, *attributes)
        given = (True, *[bool(rng.integers(2))] * (states - 1))
        rates = [values(rng, made[0].shape, dtype) for there in given if there]
        return (*arrays, *made, *rates), (*attributes, given)

    return make


for _name, _kind in {"lstm": (4, 2, 0), "gru": (3, 1, 1), "tanh_rnn": (1, 1, 0)}.items():
    EXAMPLES[_name] = Example(_forward(*_kind), FLOAT, order=2 if _name == "tanh_rnn" else 0)
    EXAMPLES[f"{_name}_grad"] = Example(_backward(_name, *_kind), FLOAT, order=0)
