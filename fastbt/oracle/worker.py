"""The process that runs the real Jesse: `python -m fastbt.oracle.worker`, driven by `JesseProcess`.

Nothing of fastbt is imported, so the same file also runs in an environment that holds only Jesse. Requests come in on
standard input and answers go out on what was standard output, each as eight bytes of length and a pickle; what Jesse or
a strategy prints goes to standard error.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import os
import pickle
import struct
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

LENGTH = struct.Struct(">Q")
#: Fields of an order that are compared; the others are random identifiers or constants.
ORDER_FIELDS = (
    "side",
    "type",
    "qty",
    "filled_qty",
    "price",
    "fee",
    "executed_at",
    "created_at",
    "reduce_only",
    "submitted_via",
    "status",
)
TRADE_FIELDS = (
    "symbol",
    "type",
    "qty",
    "entry_price",
    "exit_price",
    "fee",
    "size",
    "PNL",
    "PNL_percentage",
    "holding_period",
    "opened_at",
    "closed_at",
    "leverage",
)

Answer = dict[str, Any]


def send(stream: IO[bytes], message: object) -> None:
    """Write one message."""
    data = pickle.dumps(message, protocol=5)
    stream.write(LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read one message; EOFError when the other side is gone."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        raise EOFError
    (length,) = LENGTH.unpack(head)
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return pickle.loads(data)


def plain(value: Any) -> Any:
    """Turn numpy's scalars into Python's, so that an answer can be read beside any numpy."""
    return value.item() if isinstance(value, np.generic) else value


def sort_execution_orders(orders: list[Any], short_candles: Any) -> list[Any]:
    """Order fills along the path of each candle, as Jesse does, but equal prices in order of submission.

    Jesse keeps the waiting orders in a set, whose order is random: two orders at one price would fill in another order
    at every run, and no comparison could be exact.
    """
    waiting = list(orders)
    path: list[Any] = []
    for candle in short_candles:
        opened, closed, high, low = candle[1:5]
        reached = [order for order in waiting if low <= order.price <= high]
        waiting = [order for order in waiting if not low <= order.price <= high]
        if len(reached) > 1:
            above = sorted((order for order in reached if order.price > opened), key=lambda order: order.price)
            # As in Jesse, orders at the open are listed twice, here and in front: the length decides when it stops.
            below = sorted(
                (order for order in reached if not order.price > opened), key=lambda order: order.price, reverse=True
            )
            path += [order for order in reached if order.price == opened]
            reached = above + below if opened > closed else below + above
        path += reached
        if len(path) == len(orders):
            break
    return path


class Strategies:
    """Strategy classes by path, each loaded once among its own project's modules."""

    def __init__(self) -> None:
        self._loaded: dict[tuple[Any, ...], type] = {}
        self._roots: list[str] = []
        self._before = set(sys.modules)

    def load(self, path: str, class_name: str | None, project: str | None) -> type:
        """Return the strategy class of a file or folder; `project` is the folder that its imports start from."""
        file = Path(path).resolve()
        if file.is_dir():
            file = file / "__init__.py"
        status = file.stat()
        key = (str(file), class_name, project, status.st_size, status.st_mtime_ns)
        if key not in self._loaded:
            self._loaded[key] = self._load(file, class_name, project)
        return self._loaded[key]

    def _load(self, file: Path, class_name: str | None, project: str | None) -> type:
        name = file.parent.name if file.name == "__init__.py" else file.stem
        home = file.parent.parent if file.name == "__init__.py" else file.parent
        in_project = home.name == "strategies"
        root = Path(project).resolve() if project else home.parent if in_project else home
        self._enter(root)
        if in_project and root == home.parent and name.isidentifier():
            # The name under which Jesse itself imports it, so that strategies can import one another.
            module = importlib.import_module(f"strategies.{name}")
        else:
            spec = importlib.util.spec_from_file_location(
                name, file, submodule_search_locations=[str(file.parent)] if file.name == "__init__.py" else None
            )
            if spec is None or spec.loader is None:
                raise ImportError(f"{file} is not a Python file")
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            spec.loader.exec_module(module)
        return self._pick(module, class_name or None, name)

    def _enter(self, root: Path) -> None:
        """Put this project in front of the import path, and forget the modules of the one before."""
        for known in self._roots:
            sys.path.remove(known)
        for name in set(sys.modules) - self._before:
            origin = getattr(sys.modules[name], "__file__", None)
            paths = [origin] if origin else list(getattr(sys.modules[name], "__path__", []))
            of_project = any(path.startswith(root_ + os.sep) for path in paths for root_ in [*self._roots, str(root)])
            installed = any(path.startswith(sys.prefix + os.sep) for path in paths)
            if of_project and not installed:
                del sys.modules[name]
        self._roots = [str(root)]
        sys.path.insert(0, str(root))
        importlib.invalidate_caches()

    @staticmethod
    def _pick(module: Any, class_name: str | None, name: str) -> type:
        from jesse.strategies import Strategy

        if class_name:
            chosen = getattr(module, class_name, None)
            if chosen is None:
                raise ImportError(f"there is no class {class_name!r} in {module.__file__}")
            return chosen  # type: ignore[no-any-return]
        found = {
            key: value
            for key, value in vars(module).items()
            if isinstance(value, type) and issubclass(value, Strategy) and value.__module__ == module.__name__
        }
        if name in found:
            return found[name]
        if len(found) != 1:
            raise ImportError(f"wanted one strategy class in {module.__file__}, found: {', '.join(found) or 'none'}")
        return next(iter(found.values()))


class Recorder:
    """What one run of Jesse leaves in its global store, read before Jesse resets it."""

    def __init__(self) -> None:
        self.order_count = 0
        self.stopped_at = math.nan
        self.outcome: Answer = {}

    def install(self) -> None:
        """Wrap the three places of Jesse where a run's facts pass by, and mend the random order of ties and routes."""
        backtest_mode: Any = importlib.import_module("jesse.modes.backtest_mode")
        orders = importlib.import_module("jesse.store.state_orders").OrdersState
        # `jesse.research.backtest` is both a module and the function that hides it.
        research: Any = importlib.import_module("jesse.research.backtest")
        store = importlib.import_module("jesse.store").store
        for owner, name in (
            (backtest_mode, "_sort_execution_orders"),
            (backtest_mode, "_generate_outputs"),
            (orders, "add_order"),
            (research, "simulator"),
        ):
            if not hasattr(owner, name):
                raise AttributeError(f"this version of Jesse has no {owner.__name__}.{name}")
        generate, add, simulate = backtest_mode._generate_outputs, orders.add_order, research.simulator

        def generate_outputs(*args: Any, **kwargs: Any) -> Any:
            outputs = generate(*args, **kwargs)
            self.outcome = self._read(store)
            return outputs

        def add_order(state: Any, order: Any) -> None:
            self.order_count += 1
            add(state, order)

        def simulator(*args: Any, **kwargs: Any) -> Any:
            try:
                return simulate(*args, **kwargs)
            except BaseException:
                self.stopped_at = float(store.app.time)
                raise

        backtest_mode._sort_execution_orders = sort_execution_orders
        backtest_mode._generate_outputs = generate_outputs
        orders.add_order = add_order
        research.simulator = simulator
        _keep_route_order()

    @staticmethod
    def _read(store: Any) -> Answer:
        import jesse.helpers as jh

        currency = jh.app_currency()
        accounts = list(store.exchanges.storage.values())
        return {
            "trades": [Recorder._trade(trade) for trade in store.closed_trades.trades],
            "daily_balance": [float(balance) for balance in store.app.daily_balance],
            "daily_time": [int(stamp) for stamp in store.app.daily_balance_timestamps],
            "starting_balance": float(sum(account.starting_assets[currency] for account in accounts)),
            "finishing_balance": float(sum(account.assets[currency] for account in accounts)),
            "started_at": int(store.app.starting_time),
            "finished_at": int(store.app.ending_time),
            "total_open_trades": int(store.app.total_open_trades),
            "open_pl": float(store.app.total_open_pl),
            "liquidations": int(store.app.total_liquidations),
        }

    @staticmethod
    def _trade(trade: Any) -> Answer:
        fields: Answer = {**trade.to_dict, "leverage": trade.leverage}
        answer = {name: plain(fields[name]) for name in TRADE_FIELDS}
        answer["orders"] = [Recorder._order(order) for order in trade.orders]
        return answer

    @staticmethod
    def _order(order: Any) -> Answer:
        answer = {name: plain(getattr(order, name)) for name in ORDER_FIELDS}
        if answer["created_at"] is None:  # a liquidation has no time of submission
            answer["created_at"] = math.nan
        return answer


def _keep_route_order() -> None:
    """Keep positions in route order: in the order of Jesse's set, the last bit of their sum depends on the process."""
    config = importlib.import_module("jesse.config").config
    router = importlib.import_module("jesse.routes").router
    service: Any = importlib.import_module("jesse.services.position_service")
    initialize = service.initialize_positions_state

    def initialize_in_order() -> None:
        config["app"]["trading_symbols"] = tuple(route.symbol for route in router.routes)
        initialize()

    service.initialize_positions_state = initialize_in_order


class Server:
    """Answers requests until the other side closes."""

    def __init__(self, backtest: Callable[..., Any], recorder: Recorder) -> None:
        self._backtest = backtest
        self._recorder = recorder
        self._strategies = Strategies()
        self._arrays: dict[str, Any] = {}

    def serve(self, requests: IO[bytes], answers: IO[bytes]) -> None:
        """Read requests and write one answer for each `backtest`."""
        while True:
            try:
                kind, *content = receive(requests)
            except EOFError:
                return
            if kind == "quit":
                return
            if kind == "array":
                key, shape, dtype, data = content
                self._arrays[key] = np.frombuffer(data, dtype=dtype).reshape(shape)
            elif kind == "forget":
                del self._arrays[content[0]]
            else:
                try:
                    answer = self.run(content[0])
                except Exception as error:
                    answer = {"status": "broken", **_told(error)}
                send(answers, answer)

    def run(self, request: Answer) -> Answer:
        """Run one backtest."""
        try:
            routes = [{**route, "strategy": self._strategies.load(**route["strategy"])} for route in request["routes"]]
        except Exception as error:
            return {"status": "unloadable", **_told(error)}
        recorder = self._recorder
        recorder.order_count, recorder.stopped_at, recorder.outcome = 0, math.nan, {}
        candles, warmup = self._candles(request["candles"]), self._candles(request["warmup_candles"])
        began = time.perf_counter()
        try:
            result = self._backtest(
                request["config"],
                routes,
                request["data_routes"],
                candles,
                warmup or None,
                hyperparameters=request["hyperparameters"],
                fast_mode=request["fast_mode"],
            )
        except (Exception, SystemExit) as error:
            seconds = time.perf_counter() - began
            return {
                "status": "failed",
                **_told(error),
                "time": recorder.stopped_at,
                "order_count": recorder.order_count,
                "seconds": seconds,
            }
        seconds = time.perf_counter() - began
        metrics = {key: plain(value) for key, value in result["metrics"].items()}
        return {
            "status": "ok",
            **recorder.outcome,
            "metrics": metrics,
            "order_count": recorder.order_count,
            "seconds": seconds,
        }

    def _candles(self, listed: dict[str, Answer]) -> dict[str, Answer]:
        return {key: {**entry, "candles": self._arrays[entry["candles"]]} for key, entry in listed.items()}


def _told(error: BaseException) -> Answer:
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return {"exception": type(error).__name__, "message": str(error), "traceback": text}


def main() -> None:
    """Import Jesse, say hello, serve."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    # Started as a file, Python put this folder in front of the path, where it would hide other modules.
    here = str(Path(__file__).resolve().parent)
    sys.path[:] = [entry for entry in sys.path if entry != here]
    began = time.perf_counter()
    try:
        backtest = importlib.import_module("jesse.research").backtest
        importlib.import_module("jesse.strategies")
        recorder = Recorder()
        recorder.install()
    except Exception as error:
        send(answers, {"status": "missing" if isinstance(error, ModuleNotFoundError) else "broken", **_told(error)})
        return
    # From here on only strategies are imported, and their folders stay as they are.
    sys.dont_write_bytecode = True
    versions = {"python": sys.version.split()[0], "numpy": np.__version__}
    versions["jesse"] = importlib.import_module("jesse.version").__version__
    send(answers, {"status": "ready", "versions": versions, "seconds": time.perf_counter() - began})
    Server(backtest, recorder).serve(requests, answers)


if __name__ == "__main__":
    main()
