"""Load a strategy file as Jesse would, and read the source of its methods."""

from __future__ import annotations

import ast
import copy
import hashlib
import importlib.util
import inspect
import sys
import warnings
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from fastbt.compiler.standins import jesse_standins
from fastbt.engine.routes import hyperparameters_from_dna
from fastbt.errors import StrategyError, did_you_mean


@dataclass(frozen=True)
class Method:
    """The source of one method.

    Attributes
    ----------
    name : str
    node : ast.FunctionDef
        With line numbers of the file.
    file : Path
    lines : list of str
        The file's lines.
    namespace : dict
        The module's globals.
    decorators : tuple of str
        Their names, outermost first.
    """

    name: str
    node: ast.FunctionDef
    file: Path
    lines: list[str]
    namespace: dict[str, Any]
    decorators: tuple[str, ...]

    @property
    def is_property(self) -> bool:
        """Whether it is read like an attribute."""
        return "property" in self.decorators

    @property
    def is_cached(self) -> bool:
        """Whether Jesse caches its value until the end of the bar."""
        return "cached" in self.decorators

    @property
    def is_static(self) -> bool:
        """Whether it takes no self."""
        return "staticmethod" in self.decorators

    @property
    def is_class(self) -> bool:
        """Whether it takes the class instead of self."""
        return "classmethod" in self.decorators


@dataclass(frozen=True)
class StrategySource:
    """A loaded strategy.

    Attributes
    ----------
    cls : type
        The strategy's class, derived from fastbt's stand-in for `jesse.strategies.Strategy`.
    name : str
    file : Path
    methods : dict of Method
        The class's own methods and those of its own bases, the nearest definition of each.
    hyperparameters : list of dict
        As the strategy declares them.
    sha256 : str
        Of all source files that define it.
    dna : dict or None
        What its `dna()` stands for, if it has one.
    methods_by_class : dict
        The methods that each of its own classes defines itself.
    class_state : dict
        Lists, dicts and the like that these classes hold themselves, by class and name, as they were at first.
    """

    cls: type
    name: str
    file: Path
    methods: dict[str, Method] = field(repr=False)
    hyperparameters: list[dict[str, Any]] = field(repr=False)
    sha256: str = field(repr=False)
    dna: dict[str, Any] | None = field(default=None, repr=False)
    methods_by_class: dict[type, dict[str, Method]] = field(default_factory=dict, repr=False)
    class_state: dict[tuple[type, str], Any] = field(default_factory=dict, repr=False)

    def restored(self) -> type:
        """Return the class with its own lists and dicts as they were when it was loaded: runs may change them."""
        for (owner, key), value in self.class_state.items():
            setattr(owner, key, copy.deepcopy(value))
        return self.cls

    @property
    def defaults(self) -> dict[str, Any]:
        """Default value of each hyper-parameter, or what the strategy's `dna()` stands for."""
        defaults = {each["name"]: each["default"] for each in self.hyperparameters}
        return defaults if self.dna is None else {**defaults, **self.dna}


def _find_file(path: Path) -> Path:
    """Return the file that holds the strategy of a file, a folder or a name."""
    if path.is_dir():
        inner = path / "__init__.py"
        if inner.is_file():
            return inner
        raise StrategyError(f"{path} holds no __init__.py; a strategy folder holds its class there")
    if path.is_file():
        if path.suffix != ".py":
            raise StrategyError(f"{path} is no Python file; a strategy is a .py file or a folder with __init__.py")
        return path
    named = Path("strategies") / path / "__init__.py"
    if len(path.parts) == 1 and named.is_file():
        return named
    siblings: list[str] = []
    parent = path.parent if len(path.parts) > 1 else Path("strategies")
    if parent.is_dir():
        siblings = [each.name for each in parent.iterdir() if (each / "__init__.py").is_file() or each.suffix == ".py"]
    raise StrategyError(f"there is no strategy at {path}.{did_you_mean(path.name, siblings)}")


#: Modules of the project whose strategy was loaded last, other than the strategy's own.
_project_modules: set[str] = set()

#: Where a class was defined; by name, another project's module may stand in `sys.modules` by now.
_owners: WeakKeyDictionary[type, ModuleType] = WeakKeyDictionary()


class _SourceLoader(SourceFileLoader):
    """Compiles the text as it is now: bytecode is told by time and size, and may be older."""

    def get_code(self, fullname: str) -> Any:
        path = self.get_filename(fullname)
        text = self.get_data(path)
        with warnings.catch_warnings():
            if (path, text) in _warned_of:
                warnings.simplefilter("ignore")
            _warned_of.add((path, text))
            return self.source_to_code(text, path)


#: The texts of which Python has said what it warns of.
_warned_of: set[tuple[str, bytes]] = set()


def parsed(text: str) -> ast.Module:
    """Return the tree of a file; what Python warns of, it said when the file was imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


@contextmanager
def _project_on_path(folder: Path) -> Iterator[None]:
    """Let a strategy import what lies in its project's folder: afresh, and not what another project calls the same."""
    for name in _project_modules:
        sys.modules.pop(name, None)
    _project_modules.clear()
    before = set(sys.modules)
    writes = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.dont_write_bytecode = writes
        for name in set(sys.modules) - before:
            module = sys.modules[name]
            file = Path(getattr(module, "__file__", None) or "/")
            # A project's folder may hold its virtual environment, or be a clone of fastbt.
            installed = name.partition(".")[0] == "fastbt" or "site-packages" in file.parts
            if folder in file.parents and not installed:
                _project_modules.add(name)
                for value in vars(module).values():
                    if isinstance(value, type) and value.__module__ == name:
                        _owners[value] = module


def _module_of(cls: type) -> ModuleType:
    """Return the module that defines a class."""
    return _owners[cls] if cls in _owners else sys.modules[cls.__module__]


def _file_of(cls: type) -> Path:
    """Return the file that defines a class."""
    file = _owners[cls].__file__ if cls in _owners else inspect.getfile(cls)
    assert file is not None
    return Path(file)


def _import(file: Path) -> ModuleType:
    """Import a strategy's module next to its own project's modules."""
    digest = hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:12]
    name = f"fastbt_strategy_{digest}"
    is_package = file.name == "__init__.py"
    project = file.resolve().parent.parent.parent if is_package else file.resolve().parent
    spec = importlib.util.spec_from_file_location(
        name,
        file.resolve(),
        loader=_SourceLoader(name, str(file.resolve())),
        submodule_search_locations=[str(file.resolve().parent)] if is_package else None,
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    for each in [each for each in sys.modules if each.startswith(f"{name}.")]:
        del sys.modules[each]
    try:
        with _project_on_path(project), jesse_standins():
            sys.modules[name] = module
            spec.loader.exec_module(module)
    except SyntaxError as error:
        raise StrategyError(
            f"{error.filename}:{error.lineno}:{error.offset}: the strategy is not valid Python: {error.msg}\n"
            f"    {(error.text or '').rstrip()}"
        ) from None
    except ModuleNotFoundError as error:
        raise StrategyError(
            f"{file}: imports {error.name!r}, which is not installed here; install it, or take the import out"
        ) from error
    except Exception as error:
        raise StrategyError(f"{file}: could not be imported: {type(error).__name__}: {error}") from error
    return module


def _strategy_class(module: ModuleType, file: Path, name: str | None) -> type:
    from fastbt.engine.strategy import Strategy

    found = {
        key: value
        for key, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, Strategy)
        and value is not Strategy
        and value.__module__ == module.__name__
    }
    if not found:
        raise StrategyError(f"{file} defines no class that derives from jesse.strategies.Strategy")
    if name is not None:
        if name not in found:
            raise StrategyError(f"{file} defines no strategy {name!r}.{did_you_mean(name, found)}")
        return found[name]
    # The one that no other one derives from; else the one named like the folder or the file.
    leaves = [cls for cls in found.values() if not any(cls is not o and issubclass(o, cls) for o in found.values())]
    if len(leaves) == 1:
        return leaves[0]
    wanted = file.parent.name if file.name == "__init__.py" else file.stem
    if wanted in found:
        return found[wanted]
    raise StrategyError(f"{file} defines several strategies ({', '.join(sorted(found))}); name one as {file}:NAME")


def _decorator_name(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _methods_of(cls: type) -> dict[str, Method]:
    module = _module_of(cls)
    file = _file_of(cls)
    text = file.read_text()
    wanted = cls.__qualname__.split(".")
    body: list[ast.stmt] = parsed(text).body
    node: ast.ClassDef | None = None
    for part in wanted:
        # The last definition wins, as it does in Python.
        matches = [each for each in ast.walk(ast.Module(body, [])) if isinstance(each, ast.ClassDef)]
        named = [each for each in matches if each.name == part]
        if not named:
            raise StrategyError(f"{file}: the source of class {cls.__qualname__} was not found")
        node = named[-1]
        body = node.body
    assert node is not None
    lines = text.splitlines()
    found = {}
    for each in node.body:
        if isinstance(each, ast.FunctionDef):
            decorators = tuple(_decorator_name(decorator) for decorator in each.decorator_list)
            if "setter" not in decorators:
                found[each.name] = Method(each.name, each, file, lines, vars(module), decorators)
    return found


@cache
def function_method(function: FunctionType) -> Method | None:
    """Return the source of a plain function of the strategy's project, or None if it is somebody else's."""
    module = sys.modules.get(function.__module__)
    file = getattr(module, "__file__", None)
    if module is None or file is None or "site-packages" in file or function.__name__ == "<lambda>":
        return None
    path = Path(file)
    if path.is_relative_to(Path(__file__).parent.parent) or path.is_relative_to(Path(inspect.__file__).parent):
        return None
    text = path.read_text()
    for each in parsed(text).body:
        if isinstance(each, ast.FunctionDef) and each.name == function.__name__:
            return Method(each.name, each, path, text.splitlines(), vars(module), ("staticmethod",))
    return None


def imported(statement: str, method: Method) -> dict[str, Any]:
    """Return the names that an import statement of a method gives."""
    namespace = {key: method.namespace.get(key) for key in ("__name__", "__package__", "__path__")}
    before = set(namespace) | {"__builtins__"}
    file = method.file.resolve()
    folder = str(file.parent.parent.parent if file.name == "__init__.py" else file.parent)
    sys.path.insert(0, folder)
    try:
        with jesse_standins():
            exec(statement, namespace)
    finally:
        sys.path.remove(folder)
    return {key: value for key, value in namespace.items() if key not in before}


def load_strategy(strategy: str | Path | type) -> StrategySource:
    """Load a strategy.

    Parameters
    ----------
    strategy : str, Path or type
        A strategy file, a folder with `__init__.py`, the name of a folder in `./strategies`, any of them followed by
        `:ClassName`, or a class that was imported from a file.

    Returns
    -------
    StrategySource

    Raises
    ------
    StrategyError
        If there is no such file, it cannot be imported, or it holds no strategy.

    Examples
    --------
    >>> load_strategy("strategies/Nowhere")
    Traceback (most recent call last):
    ...
    fastbt.errors.StrategyError: there is no strategy at strategies/Nowhere...
    """
    from fastbt.engine.strategy import Strategy

    class_name: str | None = None
    if isinstance(strategy, type):
        if issubclass(strategy, Strategy):
            return _describe(strategy)
        try:
            file = Path(inspect.getfile(strategy))
        except (TypeError, OSError):
            raise StrategyError(
                f"the source of class {strategy.__name__} cannot be found; save the strategy in a file, pass its path"
            ) from None
        class_name = strategy.__qualname__
    else:
        text = str(strategy)
        if ":" in text[2:] and not Path(text).exists():
            text, class_name = text.rsplit(":", 1)
        file = _find_file(Path(text))
    module = _import(file)
    return _describe(_strategy_class(module, file, class_name))


def _describe(cls: type) -> StrategySource:
    from fastbt.engine.strategy import Strategy

    methods: dict[str, Method] = {}
    by_class: dict[type, dict[str, Method]] = {}
    digest = hashlib.sha256()
    for base in cls.__mro__:
        if base in Strategy.__mro__:
            continue
        try:
            own = _methods_of(base)
        except (OSError, TypeError):
            raise StrategyError(
                f"the source of class {base.__qualname__} cannot be found; save the strategy in a file, pass its path"
            ) from None
        digest.update(_file_of(base).read_bytes())
        by_class[base] = own
        for name, method in own.items():
            methods.setdefault(name, method)
    declared: list[dict[str, Any]] = []
    if "hyperparameters" in methods:
        try:
            declared = list(cls.hyperparameters(None))  # type: ignore[attr-defined]
        except Exception as error:
            raise StrategyError(
                f"{cls.__name__}.hyperparameters() raised {type(error).__name__}: {error}; it must not use self"
            ) from error
        for each in declared:
            missing = {"name", "default"} - set(each)
            if missing:
                raise StrategyError(f"{cls.__name__}.hyperparameters(): {each!r} lacks {', '.join(sorted(missing))}")
    file = _file_of(cls)
    dna = _dna(cls, methods, declared)
    state = {
        (owner, key): copy.deepcopy(value)
        for owner in by_class
        for key, value in vars(owner).items()
        if isinstance(value, list | dict | set | deque | np.ndarray) and not key.startswith("__")
    }
    return StrategySource(cls, cls.__name__, file, methods, declared, digest.hexdigest(), dna, by_class, state)


def _dna(cls: type, methods: Mapping[str, Method], declared: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the hyper-parameters of a strategy's `dna()`, which Jesse prefers to the defaults."""
    if "dna" not in methods:
        return None
    try:
        text = cls.dna(None)  # type: ignore[attr-defined]
        return hyperparameters_from_dna(declared, text) if text else None
    except Exception as error:
        raise StrategyError(f"{cls.__name__}.dna() cannot be read: {type(error).__name__}: {error}") from error
