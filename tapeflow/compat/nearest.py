"""What is said when a name is not there: the one wording of it, with the nearest names by spelling."""

from __future__ import annotations

import difflib
import functools
from typing import Any

# How alike two last parts must be to be offered, from 0 (nothing shared) to 1 (equal).
ALIKE = 0.7

ROOTS = {"tensorflow": "tf", "tapeflow": "tf", "keras": "tf.keras", "tf_keras": "tf.keras"}


class MissingName(AttributeError):
    """An AttributeError that looks for the nearest names only when its text is asked for.

    `hasattr(tf, name)` and `try: ... except AttributeError` throw the text away, and finding it walks every namespace.
    """

    def __init__(self, module: str, name: str) -> None:
        super().__init__(module, name)
        self.module, self.name = module, name

    def __str__(self) -> str:
        return sentence(f"{tf_name(self.module)}.{self.name}")

    def __reduce__(self) -> tuple[Any, ...]:
        return AttributeError, (str(self),)


# A traceback says `AttributeError: tapeflow has no ...`, as for any module.
MissingName.__module__, MissingName.__name__, MissingName.__qualname__ = "builtins", "AttributeError", "AttributeError"


def missing(module_name: str, name: str) -> AttributeError:
    """The error for `name`, which the module called `module_name` lacks (to be raised by its `__getattr__`).

    `module_name` may be spelled from any of the roots: `tapeflow.nn`, `tensorflow.nn`, `keras.layers`. Names with a
    leading underscore, which libraries probe for, get the plain text of Python.
    """
    if name.startswith("_"):
        return AttributeError(f"module {module_name!r} has no attribute {name!r}")
    return MissingName(module_name, name)


def tf_name(module_name: str) -> str:
    """A module's name as TensorFlow programs write it: `tapeflow.nn` and `tensorflow.nn` are `tf.nn`."""
    root, dot, rest = module_name.partition(".")
    return ROOTS.get(root, root) + dot + rest


def sentence(dotted: str) -> str:
    """One line on a `tf.` name that is not there, with the nearest names that are."""
    return f"tapeflow has no {dotted} (yet)" + offer(nearest(dotted.removeprefix("tf.")))


def offer(names: list[str]) -> str:
    return f"; nearest: {', '.join(f'tf.{name}' for name in names)}" if names else ""


def nearest(dotted: str, count: int = 3) -> list[str]:
    """Up to `count` public names below `tf` that are spelled most like `dotted`, best first.

    The last part decides (`nn.rleu` is near `nn.relu`, `mat_mul` near `matmul`): how many letters are shared, with a
    bonus for names in the same namespace; then the shorter path, then the alphabet.
    """
    space, _, last = dotted.rpartition(".")
    folded = fold(last)
    found = []
    for name in known():
        other_space, _, other = name.rpartition(".")
        alike = similarity(folded, fold(other))
        if alike >= ALIKE:
            found.append((-alike - 0.1 * (other_space == space), name.count("."), name))
    best: dict[str, str] = {}  # one path for each word: `reduce_sum` is `tf.reduce_sum`, not `tf.math.reduce_sum` too
    for _, _, name in sorted(found):
        best.setdefault(name.rpartition(".")[2], name)
    return list(best.values())[:count]


def similarity(a: str, b: str) -> float:
    """How alike two words are, from 0 to 1, with cheap bounds before the costly comparison."""
    matcher = difflib.SequenceMatcher(None, b, a, autojunk=False)
    if matcher.real_quick_ratio() < ALIKE or matcher.quick_ratio() < ALIKE:
        return 0.0
    return matcher.ratio()


def fold(word: str) -> str:
    return word.replace("_", "").lower()


@functools.lru_cache(maxsize=1)
def known() -> tuple[str, ...]:
    """Every public name below `tf`."""
    from tapeflow.compat.namespace import walk

    return tuple(name for name, _ in walk())
