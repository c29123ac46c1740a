"""Standing in for TensorFlow: after `install()`, `import tensorflow` and its kin give tapeflow's own modules.

`tensorflow`, `tensorflow.keras.layers`, `keras`, `tf_keras` and `tensorflow.compat.v2` resolve to the very modules of
the package (`tensorflow.keras is tapeflow.keras`), following its attributes; `tensorflow.python.*` to namespaces made
from the table in `private`. A name that is not there is an ImportError that names the nearest ones.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from tapeflow.compat import private
from tapeflow.compat.namespace import PACKAGE, lacking, look_up
from tapeflow.compat.nearest import missing, sentence

# The packages stood in for, and what each is below the package ("" is the package itself).
ROOTS = {"tensorflow": "", "keras": "keras", "tf_keras": "keras"}


class StandIn(MetaPathFinder, Loader):
    """Finds modules below ROOTS. It comes first, so that an installed TensorFlow or Keras is not looked at."""

    def __init__(self) -> None:
        # The imported name of each module given out, by its own name: `tapeflow.nn` was asked for as `tensorflow.nn`.
        self.given: dict[str, str] = {}
        self.made_parents: list[ModuleType] = []

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in ROOTS:
            return None
        module = self.module(fullname)
        if module is None:
            raise absent(fullname)
        return ModuleSpec(fullname, self, loader_state=module)

    def module(self, fullname: str) -> ModuleType | None:
        """The module that stands for `fullname`, or None where there is none."""
        root, _, rest = fullname.partition(".")
        if is_private(fullname):
            return private_module(fullname)
        return public_module(".".join(filter(None, (ROOTS[root], rest))))

    def exec_module(self, module: ModuleType) -> None:
        """Put the real module in place of the empty one that the import system made; it takes what it finds there."""
        fullname = module.__name__
        assert module.__spec__ is not None
        real: ModuleType = module.__spec__.loader_state
        if not hasattr(real, "__path__"):
            real.__path__ = []  # the import system looks below a module only where it has a path
            self.made_parents.append(real)
        self.given.setdefault(real.__name__, fullname)
        sys.modules[fullname] = real


class Absent(MetaPathFinder):
    """Words the error of `from tensorflow import name`. It comes last, after the package's real submodules.

    Python asks for `name` as an attribute, then as a submodule of the module by its own name (`tapeflow.name`), and
    drops a ModuleNotFoundError about that very name for a text of its own. This one is about `tensorflow.name`.
    """

    def __init__(self, given: dict[str, str]) -> None:
        self.given = given

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:
        parent, _, name = fullname.rpartition(".")
        if parent in self.given and not name.startswith("_"):
            raise absent(f"{self.given[parent]}.{name}")


class PrivateModule(ModuleType):
    """A module below `tensorflow.python`: its names are looked up in the namespaces that the table gives."""

    def __init__(self, fullname: str, path: str) -> None:
        super().__init__(fullname, f"`{fullname}` as far as public TensorFlow programs use it.")
        self.__path__: list[str] = []
        self._path_below_root = path

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__"):
            for dotted in private.places(self._path_below_root, name):
                try:
                    return look_up(dotted)
                except AttributeError:
                    continue
        raise missing(self.__name__, name)


def is_private(fullname: str) -> bool:
    return f"{fullname}.".startswith(f"{private.ROOT}.")


def private_module(fullname: str) -> ModuleType | None:
    """The module for a name at or below `tensorflow.python`, or None where the table has none."""
    path = fullname[len(private.ROOT) :].removeprefix(".")
    subtree, _, rest = path.partition(".")
    if path not in private.SPACES and subtree in private.SUBTREES:
        public = public_module(".".join(filter(None, (private.SUBTREES[subtree], rest))))
        if public is not None:
            return public
    return PrivateModule(fullname, path) if private.is_listed(path) else None


def lacking_private(dotted: str) -> str | None:
    """`namespace.lacking` for a dotted path that begins with `python`, TensorFlow's private modules."""
    parts = dotted.split(".")
    below, module = 0, None
    for count in range(1, len(parts) + 1):
        found = private_module(".".join(["tensorflow", *parts[:count]]))
        if found is None:
            break
        below, module = count, found
    if below == len(parts):
        return None
    part = lacking(".".join(parts[below:]), module)
    return None if part is None else ".".join([*parts[:below], part])


def public_module(dotted: str) -> ModuleType | None:
    """The package's module at a dotted path below `tf`, or None."""
    try:
        found = look_up(dotted) if dotted else importlib.import_module(PACKAGE)
    except AttributeError:
        return None
    return found if isinstance(found, ModuleType) else None


def absent(fullname: str) -> ModuleNotFoundError:
    """The error for a module, or a name of one, that is not there."""
    root, _, rest = fullname.partition(".")
    dotted = ".".join(filter(None, ("tf", ROOTS[root], rest)))
    # A private module has its imported name for its own, and Python drops an error about `own name.name` (see Absent).
    return ModuleNotFoundError(sentence(dotted), name=dotted if is_private(fullname) else fullname)


def install() -> None:
    """Make `import tensorflow`, `keras` and `tf_keras` give tapeflow from now on; a second call changes nothing.

    RuntimeError where one of them has been imported already, as two cannot live under one name.
    """
    if installed() is not None:
        return
    for root in ROOTS:
        if root in sys.modules:
            where = getattr(sys.modules[root], "__file__", None) or "a module without a file"
            raise RuntimeError(
                f"tapeflow cannot stand in for {root}: it is already imported, from {where}. "
                "Call tapeflow.compat.tensorflow.install() before anything imports it, or run the program "
                "with `tapeflow run`."
            )
    finder = StandIn()
    sys.meta_path.insert(0, finder)
    sys.meta_path.append(Absent(finder.given))


def uninstall() -> None:
    """Take back `install()`: later imports find what is installed under those names. Without one nothing happens."""
    finder = installed()
    if finder is None:
        return
    sys.meta_path[:] = [entry for entry in sys.meta_path if not isinstance(entry, (StandIn, Absent))]
    for name in [name for name in sys.modules if name.partition(".")[0] in ROOTS]:
        del sys.modules[name]
    for module in finder.made_parents:
        if not isinstance(module, PrivateModule):
            del module.__path__
    vars(importlib.import_module(PACKAGE)).pop("python", None)


def installed() -> StandIn | None:
    return next((entry for entry in sys.meta_path if isinstance(entry, StandIn)), None)
