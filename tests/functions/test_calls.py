"""Functions whose calls alone are rewritten: they do what they did, where they did it, and so do those called."""

import subprocess
import sys
import textwrap
import traceback

import numpy as np
import pytest

import tapeflow as tf
from tapeflow.functions.calls import handed_on

ONE = tf.constant(1.0)


def spied(function):
    """The function with its calls handed to a list, and the list."""
    seen = []

    def hook(f, args, kwargs):
        seen.append((f, args, kwargs))
        return f(*args, **kwargs)

    return handed_on(function, hook), seen


def called(*args, **kwargs):
    return args, kwargs


def given(a, /, b=2, *rest, c: int = 3, **named) -> tuple:
    return called(a, b, *rest, c=c, **named)


def test_arguments_of_every_kind():
    made, seen = spied(given)
    assert made(1) == given(1) and made(1, 4, 5, c=6, d=7) == given(1, 4, 5, c=6, d=7)
    assert seen[1] == (called, (1, 4, 5), {"c": 6, "d": 7})
    assert (made.__name__, made.__defaults__, made.__kwdefaults__) == ("given", (2,), {"c": 3})
    assert made.__module__ == __name__


def test_closures_are_shared():
    count = 0

    def up(by):
        nonlocal count
        count = sum([count, by])
        return count

    made, seen = spied(up)
    assert made(2) == 2 and up(3) == 5 and count == 5 and seen[0][0] is sum


def test_functions_inside_and_comprehensions():
    def f(n):
        def inner(k):
            return abs(k)

        return [inner(k) for k in range(n)], (lambda k: abs(-k))(n)

    made, seen = spied(f)
    assert made(3) == f(3)
    assert [g is abs for g, _, _ in seen].count(True) == 4


class Base:
    def value(self):
        return "base"


class Derived(Base):
    def value(self):
        return (
            super()
            .value()
            .replace(
                "base",
                """two
lines""",
            )
        )


def test_methods_with_super_and_strings_of_many_lines():
    made, seen = spied(Derived.value)
    assert made(Derived()) == "two\nlines"
    assert len(seen) == 2


class Private:
    def __hidden(self):
        return 1

    def value(self):
        return self.__hidden()


WHOLE = {
    "if": "def f(x):\n    if x:\n        return g(x)\n    return x",
    "ternary": "def f(x):\n    return g(x) if x else x",
    "not": "def f(x):\n    return g(not x)",
    "and": "def f(x):\n    return g(x and 1)",
    "assert": "def f(x):\n    assert g(x)",
    "for": "def f(x):\n    for i in g(x):\n        pass",
    "while": "def f(x):\n    while g(x):\n        pass",
    "filter": "def f(x):\n    return [g(y) for y in x if y]",
    "inside": "def f(x):\n    def h(y):\n        return 1 if y else 2\n    return h(x)",
    "generator": "def f(x):\n    yield g(x)",
    "locals": "def f(x):\n    return locals()",
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_left_to_the_whole_rewriting(name, tmp_path):
    file = tmp_path / "program.py"
    file.write_text(WHOLE[name])
    scope = {"g": lambda x: x}
    exec(compile(WHOLE[name], str(file), "exec"), scope)
    assert handed_on(scope["f"], called) is None


def test_names_of_a_class_alone_and_functions_without_source():
    assert handed_on(Private.value, called) is None
    scope = {}
    exec("def f(x):\n    return abs(x)", scope)
    assert handed_on(scope["f"], called) is None
    assert handed_on(eval("lambda x: abs(x)"), called) is None


def test_lambdas_are_found_by_what_they_do():
    by = 3
    several = [lambda x: abs(x), lambda x: max(x, by), lambda x, y=2: max(x, y), lambda x: x if x else abs(x)]
    for f, result in zip(several[:3], (1, 3, 2), strict=True):
        made, seen = spied(f)
        assert made(1) == result and len(seen) == 1
    assert handed_on(several[3], called) is None


def chosen(x):
    if x > 0.0:
        return x * 2.0
    return -x


def test_functions_called_are_rewritten_in_turn():
    class Chooser:
        def __call__(self, x):
            return chosen(x)

        def method(self, x):
            return chosen(x) + self(x)

    chooser = Chooser()

    @tf.function
    def f(x):
        return chosen(x) + chooser(x) + chooser.method(x=x) + sum(map(chosen, [x]))

    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError):
        f(ONE)  # Python's own map calls it as it is

    @tf.function
    def g(x):
        return chosen(x) + chooser(x) + chooser.method(x=x)

    assert float(g(ONE)) == 8.0 and float(g(-ONE)) == 4.0


def test_recursion_over_python_values():
    @tf.function
    def f(x, n):
        return power(x, n)

    assert float(f(ONE * 3.0, 4)) == 81.0


def power(x, n):
    if n == 0:
        return tf.ones_like(x)
    return x * power(x, n - 1)


def test_tracebacks_show_the_program():
    @tf.function
    def f(x):
        return tf.reshape(
            x,
            [2, 2],
        )

    with pytest.raises(ValueError) as raised:
        f(tf.ones([3]))
    lines = [frame.line for frame in traceback.extract_tb(raised.value.__traceback__) if frame.filename == __file__]
    assert "return tf.reshape(" in lines


def test_the_package_that_rewrites_statements_is_imported_for_statements_alone(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent("""
        import sys
        import tapeflow as tf

        def twice(x):
            return tf.add(x, x)

        @tf.function
        def f(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = twice(x)
            return tape.gradient(y, x)

        def chosen(x):
            return x if x > 0 else -x

        @tf.function
        def g(x):
            return chosen(x)

        assert float(f(tf.constant(1.0))) == 2.0
        assert "malt" not in sys.modules
        assert float(g(tf.constant(-1.0))) == 1.0
        assert "malt" in sys.modules
        """)
    )
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_numpy_and_third_parties_run_as_they_are():
    @tf.function
    def f(x):
        return x * float(np.linalg.norm([3.0, 4.0]))

    assert float(f(ONE)) == 5.0
