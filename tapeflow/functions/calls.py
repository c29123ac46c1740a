"""The calls in a function handed to a hook, so that what it calls can be rewritten in turn.

Most traced functions have no `if`, `while` or `for` of their own. Of these only the calls matter to AutoGraph, and
compiling them anew takes 1 ms, where the whole rewriting takes 40 with its imports. Lines and columns stay those of the
program, so tracebacks show it as it was written.
"""

from __future__ import annotations
import __future__

import ast
import copy
import functools
import linecache
from collections.abc import Callable
from types import CellType, CodeType, FunctionType
from typing import Any

HOOK = "__tapeflow_called__"
# what makes a function one for the whole rewriting
_STATEMENTS = (
    ast.If, ast.IfExp, ast.While, ast.For, ast.BoolOp, ast.Not, ast.Assert, ast.AsyncFor, ast.AsyncWith, ast.Await,
    ast.Yield, ast.YieldFrom, ast.ClassDef,
)  # fmt: skip
# functions that look at the frame that calls them
_OF_FRAMES = frozenset(["eval", "exec", "locals", "globals", "vars", "dir"])
_FUTURES = __future__.annotations.compiler_flag
_MORE = 50  # lines
_made: dict[tuple, CodeType | None] = {}


def handed_on(function: FunctionType, hook: Callable) -> Callable | None:
    """The function with `hook(f, args, kwargs)` in the place of each call `f(*args, **kwargs)`.

    None where it has statements for AutoGraph, or its source is not there or cannot be taken apart.
    """
    code = function.__code__
    if HOOK in code.co_freevars:
        return function
    key = code, code.co_filename
    if key not in _made:
        try:
            _made[key] = _compiled(function)
        except (OSError, SyntaxError, TypeError, ValueError):
            _made[key] = None
    made = _made[key]
    if made is None:
        return None
    cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
    cells[HOOK] = CellType(hook)
    closure = tuple([cells[name] for name in made.co_freevars])
    out = FunctionType(made, function.__globals__, function.__name__, function.__defaults__, closure)
    out.__kwdefaults__ = function.__kwdefaults__
    out.__qualname__, out.__module__, out.__doc__ = function.__qualname__, function.__module__, function.__doc__
    return out


def _compiled(function: FunctionType) -> CodeType | None:
    code = function.__code__
    if code.co_name == "<lambda>":
        node = _lambda(code)
        if node is None or not _is_light(node):
            return None
        node = copy.deepcopy(node)  # the tree of the file is kept
        _without_defaults(node.args)
        node.body = _Calls().visit(node.body)
        return _inside_of(ast.Return(node), code, {*code.co_freevars, HOOK})
    definition, indented = _parsed(function)
    if type(definition) is not ast.FunctionDef or definition.name != code.co_name or not _is_light(definition):
        return None
    definition.decorator_list = []
    definition.returns = None
    _without_defaults(definition.args)
    definition.body = [_Calls().visit(statement) for statement in definition.body]
    ast.increment_lineno(definition, code.co_firstlineno - (2 if indented else 1))
    return _inside_of(definition, code, {*code.co_freevars, HOOK})


def _without_defaults(arguments: ast.arguments) -> None:
    """Takes annotations and the values of defaults away, which the function itself has."""
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
        if argument is not None:
            argument.annotation = None
    arguments.defaults = [ast.Constant(None) for _ in arguments.defaults]
    arguments.kw_defaults = [None if d is None else ast.Constant(None) for d in arguments.kw_defaults]


def _inside_of(statement: ast.stmt, code: CodeType, names: set[str]) -> CodeType:
    """The code of the function that a statement makes, compiled where these names are another function's."""
    around: Any = ast.parse(f"def around({', '.join(sorted(names))}): pass")
    around.body[0].body = [statement]
    ast.fix_missing_locations(around)
    whole = compile(around, code.co_filename, "exec", code.co_flags & _FUTURES, True)
    return _inner(_inner(whole, "around"), code.co_name)


def _lambda(code: CodeType) -> ast.Lambda | None:
    """The lambda of a file that this code was made of, None where that cannot be told."""
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename)
    alike = []
    for node in _lambdas("".join(lines)):
        if node.lineno == code.co_firstlineno:
            again = copy.deepcopy(node)
            _without_defaults(again.args)
            made = _inside_of(ast.Return(again), code, set(code.co_freevars))
            if _traits(made) == _traits(code):
                alike.append((node, made.co_code))
    if len(alike) > 1:  # the code itself may differ a little from what a whole file gives
        alike = [(node, made) for node, made in alike if made == code.co_code]
    return alike[0][0] if alike else None


def _traits(code: CodeType) -> tuple:
    return code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_consts


@functools.lru_cache(16)
def _lambdas(source: str) -> list[ast.Lambda]:
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Lambda)]


def _parsed(function: FunctionType) -> tuple[Any, bool]:
    """The definition of a function, and whether its line numbers begin at 2, not 1. Raises OSError without a source.

    The last line that has code may be in the middle of a statement: lines follow until it parses. `inspect` finds the
    end by tokenizing, whose first use costs 8 ms.
    """
    code = function.__code__
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename, function.__globals__)[code.co_firstlineno - 1 :]
    # an indented function is parsed as the body of an `if`: taking the indent away would change strings of many lines
    indented = bool(lines) and lines[0][:1] in " \t"
    last = _last_line(code) - code.co_firstlineno + 1
    for end in range(last, min(len(lines), last + _MORE) + 1):
        source = "".join(lines[:end])
        try:
            tree = ast.parse(f"if 1:\n{source}" if indented else source)
        except SyntaxError:
            continue
        return (tree.body[0].body[0] if indented else tree.body[0]), indented  # type: ignore[attr-defined]
    raise OSError("no source")


def _last_line(code: CodeType) -> int:
    """The last line of a function that has code."""
    inside = [_last_line(c) for c in code.co_consts if isinstance(c, CodeType)]
    return max([line for _, _, line in code.co_lines() if line is not None] + inside)


def _inner(code: CodeType, name: str) -> CodeType:
    return next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name)


def _is_light(definition: ast.AST) -> bool:
    for node in ast.walk(definition):
        if isinstance(node, _STATEMENTS) or isinstance(node, ast.comprehension) and node.ifs:
            return False
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if name in _OF_FRAMES or name.startswith("__") and not name.endswith("__"):  # the latter are a class's own
            return False
    return True


class _Calls(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.Call:
        if isinstance(node.func, ast.Name) and node.func.id == "super":
            return node  # which looks at the frame that calls it
        self.generic_visit(node)
        keywords = ast.Dict(
            [None if k.arg is None else ast.Constant(k.arg) for k in node.keywords], [k.value for k in node.keywords]
        )
        given = [node.func, ast.Tuple(node.args, ast.Load()), keywords]
        made = ast.Call(ast.Name(HOOK, ast.Load()), given, [])
        for part in (made, made.func, given[1], keywords, *[k for k in keywords.keys if k is not None]):
            ast.copy_location(part, node)
        return made
