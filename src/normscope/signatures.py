"""What a dotted name takes as arguments, read from its source without importing it.

Importing PyTorch takes seconds; a mistyped key should be named at once.
"""

import ast
import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path

Definition = ast.FunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Signature:
    """Parameter names in order, each with the source of its annotation ("" if it has none); whether it takes
    arbitrary further keywords."""

    annotations: dict[str, str]
    open_ended: bool


def signature_of(dotted: str) -> Signature | None:
    """The keyword arguments of the function or class that a dotted name stands for.

    Follows `from x import y`, star imports and base classes through the source files.

    Returns:
        None if there is no such name.
    """
    found = _find(dotted)
    if found is None:
        return None
    definition, module = found
    return _of_class(definition, module) if isinstance(definition, ast.ClassDef) else _of_function(definition, skip=0)


def docstring_of(dotted: str) -> str:
    """The docstring of the function or class that a dotted name stands for; "" if it has none or is not there."""
    found = _find(dotted)
    return (ast.get_docstring(found[0], clean=False) or "") if found else ""


def _of_function(function: ast.FunctionDef, *, skip: int) -> Signature:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args][skip:] + arguments.kwonlyargs
    annotations = {a.arg: ast.unparse(a.annotation) if a.annotation else "" for a in named}
    return Signature(annotations, arguments.kwarg is not None)


def _of_class(definition: ast.ClassDef, module: str) -> Signature:
    for member in definition.body:
        if isinstance(member, ast.FunctionDef) and member.name == "__init__":
            return _of_function(member, skip=1)
    if any("dataclass" in ast.unparse(decorator) for decorator in definition.decorator_list):
        fields = [m for m in definition.body if isinstance(m, ast.AnnAssign) and isinstance(m.target, ast.Name)]
        return Signature({ast.unparse(f.target): ast.unparse(f.annotation) for f in fields}, False)
    for base in definition.bases:
        found = _find(f"{module}.{ast.unparse(base)}")
        if found is not None and isinstance(found[0], ast.ClassDef):
            return _of_class(found[0], found[1])
    return Signature({}, False)


@cache
def _find(dotted: str, depth: int = 0) -> tuple[Definition, str] | None:
    """The definition behind a dotted name, with the module that it stands in."""
    module, _, name = dotted.rpartition(".")
    path = _module_path(module)
    if path is None or depth > 8:
        return None
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    stars = []
    for node in _top_level(path):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return node, module
        if isinstance(node, ast.ImportFrom):
            source = _source(node, package)
            for alias in node.names:
                if alias.name == "*":
                    stars.append(source)
                elif (alias.asname or alias.name) == name:
                    return _find(f"{source}.{alias.name}", depth + 1)
    return next((found for source in stars if (found := _find(f"{source}.{name}", depth + 1))), None)


def _source(node: ast.ImportFrom, package: str) -> str:
    """The module that a `from ... import` names, dots resolved."""
    if node.level == 0:
        return node.module or ""
    parts = package.split(".")
    base = ".".join(parts[: len(parts) - node.level + 1])
    return f"{base}.{node.module}" if node.module else base


@cache
def _top_level(path: Path) -> list[ast.stmt]:
    return ast.parse(path.read_text(encoding="utf-8")).body


@cache
def _module_path(module: str) -> Path | None:
    """The file of a module, found by its packages' folders."""
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top) if top else None
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations)))
    for part in rest:
        if (folder / f"{part}.py").is_file() and part == rest[-1]:
            return folder / f"{part}.py"
        folder = folder / part
    return folder / "__init__.py" if (folder / "__init__.py").is_file() else None
