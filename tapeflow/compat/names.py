"""Which `tf.` names a program uses, found in its syntax tree without running it.

Aliases are followed: imports (`import tensorflow.keras.backend as K`, `from tensorflow.keras.layers import Dense`) and
assignments of a name (`layers = tf.keras.layers`), each in the scope that Python would find it in. What a call returns
is not followed.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

# Packages that are, or stand for, TensorFlow: what each is below `tf`.
ROOTS = {
    "tensorflow": "tf",
    "tapeflow": "tf",
    "keras": "tf.keras",
    "tf_keras": "tf.keras",
}
SELF = "tf.compat.v2"

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def usage(source: str, filename: str = "<program>") -> list[tuple[str, int]]:
    """The `tf.` names in Python source, each with its line, in the order of lines and without repeats.

    A name is as long as its chain of attributes: `tf.keras.layers.Dense`. SyntaxError for source that is no Python.
    """
    finder = Finder()
    finder.run(ast.parse(source, filename))
    return sorted(set(finder.found), key=lambda item: (item[1], item[0]))


def tf_path(module: str) -> str | None:
    """A module's name below `tf`, or None for a module of another package."""
    root, dot, rest = module.partition(".")
    return canonical(ROOTS[root] + dot + rest) if root in ROOTS else None


def canonical(dotted: str) -> str:
    """`dotted` with `tf.compat.v2`, another name of `tf`, taken out."""
    return "tf" + dotted[len(SELF) :] if f"{dotted}.".startswith(f"{SELF}.") else dotted


@dataclass
class Scope:
    """What names mean in one module, class, function or comprehension: a `tf.` name, or None for anything else."""

    parent: Scope | None = None
    is_class: bool = False
    meanings: dict[str, str | None] = field(default_factory=dict)
    imported: set[str] = field(default_factory=set)
    elsewhere: dict[str, Scope] = field(default_factory=dict)  # names declared global or nonlocal
    # Functions with the scope they see: their bodies run after this scope has bound all its names.
    later: list[tuple[Function, Scope]] = field(default_factory=list)

    def look_up(self, name: str) -> str | None:
        scope: Scope | None = self.elsewhere.get(name, self)
        while scope is not None:
            if name in scope.meanings:
                return scope.meanings[name]
            scope = scope.parent
        return None

    def bind(self, name: str, meaning: str | None, imported: bool = False) -> None:
        scope = self.elsewhere.get(name, self)
        scope.meanings[name] = meaning
        (scope.imported.add if imported else scope.imported.discard)(name)

    def enclosing(self) -> Scope:
        """The scope that functions defined here see: a class body's names are not visible in its methods."""
        scope = self
        while scope.is_class and scope.parent is not None:
            scope = scope.parent
        return scope

    def module(self) -> Scope:
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope


class Finder(ast.NodeVisitor):
    """Walks a module in the order it runs, keeping the meaning of names and collecting the `tf.` names used."""

    def __init__(self) -> None:
        self.scope = Scope()
        self.found: list[tuple[str, int]] = []

    def run(self, tree: ast.Module) -> None:
        for statement in tree.body:
            self.visit(statement)
        self.finish()

    def finish(self) -> None:
        """Visit the bodies of functions defined in the current scope, now that its names are all bound."""
        for function, seen in self.scope.later:
            self.function_body(function, seen)

    def use(self, dotted: str, line: int) -> None:
        if dotted != "tf":
            self.found.append((dotted, line))

    # -- what a name means -------------------------------------------------------------------------------------------

    def meaning(self, node: ast.AST | None) -> str | None:
        """The `tf.` name that an expression spells, or None."""
        if isinstance(node, ast.Name):
            return self.scope.look_up(node.id)
        if isinstance(node, ast.Attribute):
            base = self.meaning(node.value)
            return canonical(f"{base}.{node.attr}") if base else None
        return None

    def visit_Attribute(self, node: ast.Attribute) -> None:
        dotted = self.meaning(node)
        if dotted is None:
            self.visit(node.value)
        elif isinstance(node.ctx, ast.Load):
            self.use(dotted, node.end_lineno or node.lineno)

    # -- imports and assignments -------------------------------------------------------------------------------------

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            dotted = tf_path(alias.name)
            if dotted:
                self.use(dotted, node.lineno)
            top = alias.name.partition(".")[0]
            self.scope.bind(alias.asname or top, dotted if alias.asname else ROOTS.get(top), imported=True)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        dotted = tf_path(node.module or "") if not node.level else None
        for alias in node.names:
            name = canonical(f"{dotted}.{alias.name}") if dotted and alias.name != "*" else dotted
            if name:
                self.use(name, alias.lineno)
            if alias.name != "*":
                self.scope.bind(alias.asname or alias.name, name, imported=True)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.assign(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self.assign(node.target, node.value)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.assign(node.target, node.value)

    def assign(self, target: ast.AST, value: ast.AST) -> None:
        rows = (ast.Tuple, ast.List)
        if isinstance(target, rows) and isinstance(value, rows) and len(target.elts) == len(value.elts):
            for part, part_value in zip(target.elts, value.elts, strict=True):
                self.assign(part, part_value)
        elif not isinstance(target, ast.Name):
            self.visit(target)
        # `try: import tensorflow as tf / except ImportError: tf = None` leaves tf what the import made it.
        elif not (isinstance(value, ast.Constant) and value.value is None and target.id in self.scope.imported):
            self.scope.bind(target.id, self.meaning(value))

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.scope.bind(node.id, None)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        for part in (node.iter, node.target, *node.body, *node.orelse):
            self.visit(part)

    visit_AsyncFor = visit_For

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.scope.bind(node.name, None)
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        self.scope.elsewhere.update(dict.fromkeys(node.names, self.scope.module()))

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        for name in node.names:
            scope = self.scope.parent
            while scope is not None and name not in scope.meanings:
                scope = scope.parent
            self.scope.elsewhere[name] = scope or self.scope.module()

    # -- scopes ------------------------------------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in (*node.decorator_list, node.returns, *argument_parts(node.args)):
            if part is not None:
                self.visit(part)
        self.scope.bind(node.name, None)
        self.scope.later.append((node, self.scope.enclosing()))

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for part in argument_parts(node.args):
            self.visit(part)
        self.scope.later.append((node, self.scope.enclosing()))

    def function_body(self, node: Function, seen: Scope) -> None:
        body = node.body if isinstance(node.body, list) else [node.body]
        # A name bound anywhere in a function is its own from its first line on.
        own = dict.fromkeys((*argument_names(node.args), *bound_names(body)))
        outer, self.scope = self.scope, Scope(seen, meanings=own)
        for statement in body:
            self.visit(statement)
        self.finish()
        self.scope = outer

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        self.scope.bind(node.name, None)
        outer, self.scope = self.scope, Scope(self.scope.enclosing(), is_class=True)
        for statement in node.body:
            self.visit(statement)
        inner, self.scope = self.scope, outer
        self.scope.later += inner.later

    def each_comprehension(self, node: Comprehension) -> None:
        outer, self.scope = self.scope, Scope(self.scope)
        for part in node.generators:
            for expression in (part.iter, part.target, *part.ifs):
                self.visit(expression)
        for expression in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.visit(expression)
        inner, self.scope = self.scope, outer
        self.scope.later += inner.later

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = each_comprehension


def argument_parts(arguments: ast.arguments) -> list[ast.AST]:
    """The expressions of a signature, which run where the function is defined: defaults and annotations."""
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    annotations = [argument.annotation for argument in named if argument is not None]
    return [part for part in (*arguments.defaults, *arguments.kw_defaults, *annotations) if part is not None]


def argument_names(arguments: ast.arguments) -> list[str]:
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return [argument.arg for argument in named if argument is not None]


def bound_names(body: list) -> set[str]:
    """The names that statements bind in their own scope, less those they declare global or nonlocal."""
    names: set[str] = set()
    declared: set[str] = set()
    stack = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            declared.update(node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif not isinstance(node, ast.Lambda | Comprehension):
            stack.extend(ast.iter_child_nodes(node))
    return names - declared
