"""Tell whether the trades of a strategy may be plain: the kernel of `fastbt/engine/plain.py` is tried for them.

That kernel has no order table, so a strategy whose hooks read one is played by the machine alone, as is one with hooks
that plain trades do not call. What the kernel cannot know beforehand, such as a second point of an entry, it notices in
the run.
"""

from __future__ import annotations

import ast
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
