"""The floors of the house: each file imports only from its own floor and those below."""

import ast
from pathlib import Path

import tapeflow

ROOT = Path(tapeflow.__file__).parent
FLOORS = {
    name: floor
    for floor, names in enumerate(
        [
            ["core", "version"],
            ["ops"],
            ["autodiff"],
            ["graph"],
            ["engines"],
            ["control"],
            ["functions"],
            ["distribute", "data", "train", "summary"],
            ["keras"],
            ["compat", "cli"],
        ]
    )
    for name in names
}


def imports(path):
    """The parts of tapeflow that a file imports when it is loaded (imports inside functions load late)."""
    package = path.relative_to(ROOT.parent).with_suffix("").parts
    if path.name == "__init__.py":
        package = (*package[:-1], "")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    late = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)}
    for node in ast.walk(tree):
        if id(node) in late:
            continue
        if isinstance(node, ast.ImportFrom):
            base = (*package[: len(package) - node.level],) if node.level else ()
            full = (*base, *(node.module.split(".") if node.module else ()))
            if full[:1] == ("tapeflow",):
                yield from [full[1]] if len(full) > 1 else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("tapeflow."):
                    yield alias.name.split(".")[1]


def test_files_import_only_downward():
    wrong = []
    for path in sorted(ROOT.rglob("*.py")):
        place = path.relative_to(ROOT).with_suffix("").parts[0]
        if place not in FLOORS:
            continue  # the namespace files beside the floors only name things
        for target in imports(path):
            if target in FLOORS and FLOORS[target] > FLOORS[place]:
                wrong.append(f"{path.relative_to(ROOT)} imports {target}")
    assert wrong == []


def test_the_rule_sees_what_a_file_imports():
    assert set(imports(ROOT / "core" / "tensor.py")) == {"core"}
    assert set(imports(ROOT / "autodiff" / "tape.py")) == {"core", "autodiff"}


def test_file_names_say_something():
    names = {path.stem for path in ROOT.rglob("*.py") if "keras/utils" not in path.as_posix()}
    assert names.isdisjoint({"util", "utils", "helper", "helpers", "common", "misc"})
