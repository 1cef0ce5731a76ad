"""Tell whether the trades of a strategy may be plain: the kernel of `fastbt/engine/plain.py` is tried for them.

That kernel has no order table, so a strategy whose hooks read one is played by the machine alone, as is one with hooks
that plain trades do not call. What the kernel cannot know beforehand, such as a second point of an entry, it notices in
the run.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterable, Mapping
from typing import Final

from fastbt.compiler.effects import EffectTable

#: Fields of the run's state that the kernel keeps as the machine does, whenever a hook runs.
KEPT_FIELDS: Final = frozenset(
    "mode leverage fee_rate starting_balance timeframe_minutes warmup_bars window is_blind "
    "status minute bar index time complete partial stale market_price "
    "part_open part_close part_high part_low part_volume "
    "wallet qty previous_qty entry_price exit_price current_price opened_at closed_at "
    "buy_n sell_n stop_loss_n take_profit_n buy sell stop_loss take_profit "
    "trades_count increased_count reduced_count last_trade_index liquidations "
    "order_price order_qty order_filled_qty order_side order_type order_via order_fee order_reduce_only "
    "closed_side closed_qty closed_entry_price closed_exit_price closed_fee closed_pnl closed_opened_at "
    # No entry works while a hook runs.
    "route others n_buy_rows n_sell_rows buy_rows sell_rows".split()
)
#: What strategies may write: orders.
_WRITTEN: Final = frozenset("status buy_n sell_n stop_loss_n take_profit_n buy sell stop_loss take_profit".split())
#: Engine functions that write only these.
_WRITERS: Final = frozenset({"_liquidate", "_fail"})
#: Engine functions that read an order table, but not that of exits.
_READERS: Final = frozenset({"_average_entry_price"})
_MARGIN: Final = "_available_margin"
#: Hooks that plain trades call, and those that they leave out because they cannot come to them.
_CALLED: Final = (
    "before should_long should_short go_long go_short filters update_position on_open_position on_close_position"
).split()
_NEVER_CALLED: Final = frozenset({"should_cancel_entry", "on_increased_position", "on_reduced_position"})


def may_be_plain(hooks: Iterable[str], functions: Mapping[str, ast.FunctionDef], table: EffectTable) -> bool:
    """Tell whether plain trades can be tried.

    Parameters
    ----------
    hooks : iterable of str
        The hooks that do anything.
    functions : mapping
        The generated functions, by name.
    table : EffectTable
        Of these and of the engine's.
    """
    if not set(hooks) <= _NEVER_CALLED | set(_CALLED):
        return False
    waiting = [name for name in _CALLED if name in functions]
    seen = set(waiting)
    while waiting:
        for node in ast.walk(functions[waiting.pop()]):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "s":
                if node.attr not in (KEPT_FIELDS if isinstance(node.ctx, ast.Load) else _WRITTEN):
                    return False
            if not (isinstance(node, ast.Call) and any(isinstance(a, ast.Name) and a.id == "s" for a in node.args)):
                continue
            if not isinstance(node.func, ast.Name):
                return False
            name = node.func.id
            if name in functions:
                if name not in seen:
                    seen.add(name)
                    waiting.append(name)
                continue
            effects = table.of_function(name)
            if name in _READERS or (name in _WRITERS and effects.reads <= KEPT_FIELDS):
                continue
            if effects.writes or not effects.reads <= KEPT_FIELDS:
                return False
    return True


class PlainCopies:
    """Copies of functions that ask for the available margin, for kernels in which no entry order works.

    There it is known without a list of orders, the reading of which would keep the whole state of a run in memory.

    Parameters
    ----------
    texts : iterable of str
        The generated functions.

    Attributes
    ----------
    text : str
        The copies.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        functions = {each.name: each for each in ast.parse("\n".join(texts)).body if isinstance(each, ast.FunctionDef)}
        self._new = {_MARGIN: "_plain_margin"}
        found = True
        while found:
            found = False
            for name, function in functions.items():
                if name not in self._new and any(map(self._is_changed, ast.walk(function))):
                    self._new[name] = f"{name}__plain"
                    found = True
        copies = []
        for name in functions.keys() & self._new.keys():
            copied = copy.deepcopy(functions[name])
            copied.name = self._new[name]
            for node in filter(self._is_changed, ast.walk(copied)):
                assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
                node.func.id = self._new[node.func.id]
            copies.append(ast.unparse(copied))
        self.text = "\n\n\n".join(sorted(copies))

    def _is_changed(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self._new

    def called_by(self, kernels: str) -> str:
        """Return the text of kernels that call the copies."""
        for name, new in self._new.items():
            kernels = re.sub(rf"\b{name}\((?=s, v, k, x, )", f"{new}(", kernels)
        return kernels
