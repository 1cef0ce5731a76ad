# mypy: disable-error-code="no-untyped-call"
"""Compile functions as parts of what calls them.

Numba optimises every function on its own, turns it into machine code, and then does both again for every caller that it
becomes a part of: a chain of small functions is optimised as often as it is long. Here a function that another one
calls is typed and translated only; what Python calls is optimised, and made machine code, once, with all its parts.
Nothing else can call those, so LLVM is free to dissolve each in its only caller, which also makes the code faster.

A function that is `apart` is the opposite: it keeps machine code of its own, which its callers find by its address. It
is for what is large and seldom called, and would be optimised anew with every strategy.

Everything that fastbt takes from inside numba is in this file.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import hashlib
import importlib
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

import llvmlite.binding as llvm
from numba import njit
from numba.core import ir, targetconfig, types
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder, compile_result
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering
from numba.core.types import unliteral

from fastbt._cache import kernels_hash

#: Module, name and types of the arguments: how a compiled function is found again, in another process, too.
Origin = tuple[str, str, tuple[Any, ...]]


# --- libraries: the code of one function --------------------------------------------------------------------------
class _Library(JITCodeLibrary):
    """The code of one function, and the libraries that it calls."""

    origin: Origin | None = None
    is_kept = False
    #: Whether it is for the widest vectors, for which it must not become a part of other functions.
    is_wide = False

    def add_llvm_module(self, module: Any) -> None:
        """Take over what was translated: tidied up if it is kept, else left to the optimisation of the whole."""
        if self.is_kept:
            self._optimize_functions(module)
        self._final_module.link_in(module)

    def called(self) -> list[Any]:
        """Return the libraries that this one calls itself."""
        return list(dict.fromkeys(self._linking_libraries))

    def reached(self) -> list[Any]:
        """Return the libraries that this one calls, directly or through its parts."""
        found: dict[Any, None] = {}
        waiting = self.called()
        while waiting:
            library = waiting.pop(0)
            if library not in found:
                found[library] = None
                if isinstance(library, Part):
                    waiting += library.called()
        return list(found)

    def call_by_symbols(self) -> None:
        """Call functions by the names that do not change from process to process; before anything is linked."""
        symbols = {each.local_name: each.symbol for each in self.called() if has_symbol(each)}
        for function in self._final_module.functions:
            if function.is_declaration and function.name in symbols:
                function.name = symbols[function.name]

    def link(self, library: Any) -> None:
        """Make the code of another library a part of this one."""
        code = library.code if isinstance(library, Part) else library._get_module_for_linking()
        self._final_module.link_in(code, preserve=True)

    def hide(self, visible: set[str]) -> None:
        """Let no other code call the functions, so that LLVM may do with them as it likes."""
        module = self._final_module
        # Functions that call each other in a circle are found by name.
        if not any(each.name.startswith(self._codegen._rtlinker.PREFIX) for each in module.global_variables):
            for function in module.functions:
                # Numba recognises the functions that count references.
                if not function.is_declaration and function.name not in visible | _COUNTING:
                    function.linkage = "internal"


class Part(_Library):
    """Code that becomes a part of what calls it."""

    @property
    def code(self) -> Any:
        """The function, without the parts that it calls."""
        self._ensure_finalized()
        return self._final_module

    @property
    def codegen(self) -> Any:
        """Numba's generator of code, which cannot place what has no machine code."""
        return _Placeless(self._codegen)

    def finalize(self) -> None:
        """End the translation."""
        self._raise_if_finalized()
        self.call_by_symbols()
        if self.is_wide:
            self._final_module = _in_wide_vectors(self._final_module)
        (own,) = (each for each in self._final_module.functions if _is_open(each))
        self.local_name = own.name
        if self.is_kept:
            assert self.origin is not None
            own.name = self.symbol = symbol_of(self.origin)
        own.linkage = "linkonce_odr"
        own_name = own.name
        for library in self.called():
            if not isinstance(library, Part) and not is_apart(library):
                # What numba made itself.
                self.link(library)
        self._linking_libraries = [each for each in self.called() if isinstance(each, Part) or is_apart(each)]
        self._finalize_dynamic_globals()
        if self.is_kept:
            self.hide({own_name})
            # Where a function is named stands its address in this process, which nothing reads.
            text = str(self._final_module) if self._dynamic_globals else ""
            self._dynamic_globals = [each for each in self._dynamic_globals if text.count(each) > 1]
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Return no address."""
        self._ensure_finalized()
        return 0

    def _get_module_for_linking(self) -> Any:
        """Return the function with all its parts, under its name in this process: for libraries that are not ours."""
        if self._shared_module is None:
            module = self.code.clone()
            for library in self.reached():
                if isinstance(library, Part):
                    module.link_in(library.code, preserve=True)
            if self.is_kept:
                module.get_function(self.symbol).name = self.local_name
            self._shared_module = module
        return self._shared_module


def _in_wide_vectors(module: Any) -> Any:
    """Return a module of one function in which LLVM may use vectors of 512 bits, where the processor has them.

    As a rule it avoids them, since some processors take a while to get up to speed again after a few.
    """
    head = r'\1 noinline "prefer-vector-width"="512" {'
    return llvm.parse_assembly(re.sub(r"^(define .*) \{$", head, str(module), flags=re.MULTILINE))


class _Placeless:
    """Numba's generator of code, which leaves out where environments are."""

    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)

    def set_env(self, name: str, environment: Any) -> None:
        """Do nothing."""


class Whole(_Library):
    """Code that is optimised, and made machine code, together with its parts."""

    def finalize(self) -> None:
        """Link, optimise, and make machine code."""
        self._raise_if_finalized()
        self.call_by_symbols()
        own = {each.name for each in self._final_module.functions if _is_open(each)}
        apart = set()
        for library in self.reached():
            if is_apart(library):
                apart.add(library.symbol)
            else:
                self.link(library)
        for function in self._final_module.functions:
            # Else LLVM would end the process when it looks for the function.
            assert not function.is_declaration or function.name in apart or not _is_ours(function.name), function.name
        self.hide(own)
        self._optimize_final_module()
        self._final_module.verify()
        self._finalize_final_module()


#: Functions of numba's that its passes look for.
_COUNTING: Final = {"NRT_incref", "NRT_decref"}


def _is_open(function: Any) -> bool:
    return not function.is_declaration and function.linkage == llvm.Linkage.external


def _is_ours(name: str) -> bool:
    return name.startswith(("_ZN6fastbt", "fastbt."))


# --- names that do not change from process to process -------------------------------------------------------------
def symbol_of(origin: Origin) -> str:
    """Return the name of a compiled function; numba's depends on what was compiled before."""
    module, name, arguments = origin
    return f"{module}.{name}.{hashlib.sha256(str(arguments).encode()).hexdigest()[:20]}"


def has_symbol(library: Any) -> bool:
    """Tell whether a library is called by such a name."""
    return hasattr(library, "symbol")


def is_apart(library: Any) -> bool:
    """Tell whether a library keeps machine code of its own."""
    return has_symbol(library) and not isinstance(library, Part)


def _publish(result: Any, origin: Origin) -> None:
    """Let LLVM find a function that stays apart."""
    library = result.library
    if not is_apart(library):
        library.origin = origin
        library.local_name = result.fndesc.llvm_func_name
        library.symbol = symbol_of(origin)
        llvm.add_symbol(library.symbol, library.get_pointer_to_function(library.local_name))


def _library_of(origin: Origin) -> Any:
    """Return the library of a function, compiled or loaded."""
    module, name, arguments = origin
    return getattr(importlib.import_module(module), name).compiled_for(arguments).library


def _can_be_found(origin: Origin | None) -> bool:
    if origin is None:
        return False
    return hasattr(getattr(sys.modules.get(origin[0]), origin[1], None), "compiled_for")


# --- numba's compiler, with these libraries -----------------------------------------------------------------------
def _compiler(kind: type[_Library], *, is_kept: bool = False, is_wide: bool = False) -> Any:
    class Lowering(NativeLowering):
        _name = f"{kind.__name__.lower()}_lowering"

        def run_pass(self, state: Any) -> bool:
            function = state.func_id
            library = state.library = kind(state.targetctx.codegen(), function.func_qualname)
            library.enable_object_caching()
            library.is_kept, library.is_wide = is_kept, is_wide
            library.origin = function.modname, function.func_qualname, tuple(state.args)
            changed = super().run_pass(state)
            # Before the machine code is loaded, what it finds by address must be there.
            state.reload_init += [
                functools.partial(_library_of, each.origin) for each in library.reached() if is_apart(each)
            ]
            return bool(changed)

    lowering = register_pass(mutates_CFG=True, analysis_only=False)(Lowering)

    class Compiler(CompilerBase):
        def define_pipelines(self) -> list[Any]:
            manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
            manager.passes = [(lowering if each is NativeLowering else each, text) for each, text in manager.passes]
            manager._finalized = False
            manager.finalize()
            return [manager]

        def compile_extra(self, function: Any) -> Any:
            if _has_memory_apart(function, self.state.args):
                self.state.flags = self.state.flags.copy()
                self.state.flags.noalias = True
            with _hurried():
                return super().compile_extra(function)

    return Compiler


#: What every function of a strategy is handed, and what else the machine hands to its own: no two of these overlap, but
#: for what is only read.
_APART: Final = frozenset("s v k x bars minutes".split())
_APART_IN_MACHINE: Final = _APART | frozenset(
    "span block_span bar_span bar_block_span events event_prices samples sample_prices "
    "sample_times trades log daily states variables configs order groups outcomes metrics "
    "closed lanes theirs state settings engine_lanes strategy_lanes segments bars_of free_from closes is_played".split()
)
_MEMORY: Final = (types.Array, types.Record, types.BaseTuple)


def _has_memory_apart(function: Any, kinds: tuple[Any, ...]) -> bool:
    """Tell whether LLVM may assume that what is written through one argument is not read through another.

    Without that, each change of a variable of the strategy makes it read the whole state of the run again. It holds for
    the functions of a strategy and of the machine of one route; several routes reach their records in two ways.
    """
    if not function.__module__.startswith("fastbt_generated"):
        return False
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    # A strategy's method may call what it is handed `events` or `log`.
    is_machine = function.__name__.startswith("_") or function.__name__ in ("run_sets", "run_segments")
    apart = _APART_IN_MACHINE if is_machine else _APART
    return not any(
        isinstance(kind, types.BaseTuple) or (isinstance(kind, _MEMORY) and name not in apart)
        for name, kind in zip(names, kinds, strict=True)
    )


_PART: Final = _compiler(Part)
_KEPT_PART: Final = _compiler(Part, is_kept=True)
_WIDE_PART: Final = _compiler(Part, is_wide=True)
_WHOLE: Final = _compiler(Whole)


# --- what numba does again and again ------------------------------------------------------------------------------
_find_call_type: Final = types.BaseFunction.get_call_type
_record_text: Final = types.Record.__repr__
_find_variables: Final = ir.Inst._rec_list_vars


def _remembered_call_type(function: Any, context: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """Return what a function of numba's, `<` say, returns for these types.

    Numba finds it by trying dozens of definitions, for every single use.
    """
    if named:
        return _find_call_type(function, context, arguments, named)
    # The flags decide what the chosen definition is compiled with.
    flags = targetconfig.ConfigStack.top_or_none()
    known = vars(function).setdefault("_fastbt_known", {})
    key = context, _flags_key(flags), tuple(arguments)
    if key not in known:
        known[key] = _find_call_type(function, context, arguments, named)
    return known[key]


def _flags_key(flags: Any) -> Any:
    """Return what tells the flags of one compilation from those of another; these objects cannot be compared fast."""
    global _last_flags
    if flags is not _last_flags[0]:
        _last_flags = flags, None if flags is None else tuple(sorted(map(str, flags.values().items())))
    return _last_flags[1]


_last_flags: tuple[Any, Any] = None, None


def _remembered_text(record: Any) -> str:
    """Return the text of a record type, which has a hundred fields and becomes part of many names."""
    if id(record) not in _texts:
        _texts[id(record)] = record, _record_text(record)
    return _texts[id(record)][1]


#: By the address of a record type, which is kept so that no other gets its address.
_texts: Final[dict[int, tuple[Any, str]]] = {}


def _variables(instruction: Any, part: Any) -> list[Any]:
    """Return the variables in a part of an instruction, nine in ten of which are one, or no more than a text."""
    kind = type(part)
    if kind is ir.Var:
        return [part]
    if kind in _BARREN:
        return []
    if kind is dict:
        found = []
        for each in part.values():
            if type(each) is ir.Var:
                found.append(each)
            elif type(each) not in _BARREN:
                found += _variables(instruction, each)
        return found
    return cast(list[Any], _find_variables(instruction, part))


_BARREN: Final = {str, int, float, bool, type(None), ir.Loc}

#: Where numba has a method, its name, what does the same, and numba's own.
_FASTER: Final = (
    (types.BaseFunction, "get_call_type", _remembered_call_type, _find_call_type),
    (types.Record, "__repr__", _remembered_text, _record_text),
    (ir.Inst, "_rec_list_vars", _variables, _find_variables),
)


@contextlib.contextmanager
def _hurried() -> Iterator[None]:
    """Compile with less waste: a third of numba's time. Numba's lock is held meanwhile."""
    if types.BaseFunction.get_call_type is _remembered_call_type:
        # Within the compilation of what calls it.
        yield
        return
    was_on = gc.isenabled()
    # A tenth of the time goes into looking for garbage among objects that are all in use.
    gc.disable()
    for owner, name, faster, _ in _FASTER:
        setattr(owner, name, faster)
    try:
        yield
    finally:
        for owner, name, _, own in _FASTER:
            setattr(owner, name, own)
        if was_on:
            gc.enable()


# --- the cache of parts -------------------------------------------------------------------------------------------
class _PartForm(CompileResultCacheImpl):
    """What is kept of a part: its translation, and where to find what it calls."""

    def get_filename_base(self, fullname: str, abiflags: str) -> str:
        """Return a name that differs from that of the same function for Python."""
        return f"part.{super().get_filename_base(fullname, abiflags)}"

    def check_cachable(self, result: Any) -> bool:
        """Tell whether the function makes sense in another process, and all that it calls can be found there."""
        called = result.library.called()
        return bool(super().check_cachable(result)) and all(_can_be_found(each.origin) for each in called)

    def reduce(self, result: Any) -> tuple[Any, ...]:
        """Return what is kept."""
        library, described = result.library, result.fndesc
        # As numba does: these are of no more use, and not all can be kept.
        described.typemap = described.calltypes = None
        called = [each.origin for each in library.called()]
        code = library.code.as_bitcode()
        return library.name, code, library.origin, called, described, result.environment, result.signature

    def rebuild(self, target_context: Any, kept: tuple[Any, ...]) -> Any:
        """Return what numba wants to know of a compiled function."""
        name, code, origin, called, described, environment, signature = kept
        library = Part(target_context.codegen(), name)
        library.origin, library.is_kept = origin, True
        library.symbol, library.local_name = symbol_of(origin), described.llvm_func_name
        library._final_module = llvm.parse_bitcode(code)
        library._linking_libraries = [_library_of(each) for each in called]
        library._finalized = True
        return compile_result(
            typing_context=target_context.typing_context,
            target_context=target_context,
            entry_point=target_context.get_executable(library, described, environment),
            fndesc=described,
            library=library,
            environment=environment,
            signature=signature,
            objectmode=False,
            lifted=(),
            type_annotation="",
            reload_init=[],
            referenced_envs=[],
        )


class _Cache(FunctionCache):
    """Numba's cache, which an edit of any kernel of fastbt leaves behind, in a folder of the user's, too."""

    def _index_key(self, signature: Any, codegen: Any) -> tuple[Any, ...]:
        return (*super()._index_key(signature, codegen), kernels_hash())


class _PartCache(_Cache):
    _impl_class: Any = _PartForm


# --- what `_jit` decorates with -----------------------------------------------------------------------------------
def part(function: Callable[..., Any], options: dict[str, Any], *, cached: bool = True, wide: bool = False) -> Any:
    """Compile a function that only compiled functions call as a part of each; a wide one in the widest vectors."""
    compiler = _KEPT_PART if cached else _WIDE_PART if wide else _PART
    changed = {"cache": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "pipeline_class": compiler}
    dispatcher = njit(**options | changed)(function)
    if _is_dispatcher(dispatcher):
        if cached:
            dispatcher._cache = _PartCache(function)
        _answer(dispatcher, dispatcher)
    return dispatcher


def whole(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    """Compile a function with all its parts, for Python; where compiled functions call it, it is a part itself."""
    dispatcher = njit(**options, pipeline_class=_WHOLE)(function)
    if _is_dispatcher(dispatcher):
        dispatcher._cache = _Cache(function)
        _answer(dispatcher, part(function, options))
    return dispatcher


def apart(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    """Compile a function with all its parts; compiled functions that call it find it by its address."""
    dispatcher = njit(**options, pipeline_class=_WHOLE)(function)
    if _is_dispatcher(dispatcher):
        dispatcher._cache = _Cache(function)
        _answer(dispatcher, dispatcher, stays_apart=True)
    return dispatcher


def _is_dispatcher(function: Any) -> bool:
    """Tell whether numba compiles a function: with `NUMBA_DISABLE_JIT` it does not."""
    return hasattr(function, "get_call_template")


def _answer(dispatcher: Any, compiled: Any, *, stays_apart: bool = False) -> None:
    """Let compiled functions that call `dispatcher` be served by `compiled`.

    Numba compiles a callee anew for every constant that a caller passes, which made 12 versions of one kernel and took
    most of the compile time; after inlining, LLVM folds the constants all the same. So constants count as their type.
    """
    template, plain = compiled.get_call_template, cast(Any, unliteral)
    function = compiled.py_func

    def compiled_for(arguments: tuple[Any, ...]) -> Any:
        compiled.compile(arguments)
        result = compiled.overloads[arguments]
        if stays_apart:
            _publish(result, (function.__module__, function.__qualname__, arguments))
        return result

    def get_call_template(args: Any, kws: Any) -> Any:
        found = template(tuple(map(plain, args)), {key: plain(value) for key, value in kws.items()})
        if stays_apart:
            for arguments in list(compiled.overloads):
                compiled_for(arguments)
        return found

    dispatcher.get_call_template = get_call_template
    dispatcher.get_overload = compiled.get_overload
    # By it numba sees that a function calls itself.
    dispatcher._compiling_counter = compiled._compiling_counter
    dispatcher.compiled_for = compiled_for
