"""The real Jesse, in a process of its own."""

from __future__ import annotations

import hashlib
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from fastbt.errors import OracleError
from fastbt.oracle import worker
from fastbt.types import JsonDict

_MISSING: Final = (
    "Jesse is not installed in this environment; `uv sync --group test` or `pip install jesse-fastbt[jesse]`"
)
#: What the worker may see of our environment: variables of ours or of the user's projects could change Jesse's results.
_KEPT_VARIABLES: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT", "USERPROFILE")
_KEPT_PREFIXES: Final = ("COVERAGE_",)
_ARRAYS_KEPT: Final = 32
_STDERR_LINES: Final = 40


def jesse_available() -> bool:
    """Tell whether Jesse is installed here, without importing it.

    Examples
    --------
    >>> jesse_available() in (True, False)
    True
    """
    try:
        metadata.version("jesse")
    except metadata.PackageNotFoundError:
        return False
    return True


class JesseProcess:
    """Runs backtests in the real Jesse, imported once in a process with a temporary working directory.

    Parameters
    ----------
    python : str, optional
        The interpreter to run, by default this one. Another environment needs only Jesse, not fastbt.
    start_timeout : float, optional
        Seconds that importing Jesse may take; it takes 7 to 12 on two cores.

    Raises
    ------
    OracleError
        If Jesse is not installed, did not start, or died; the message ends with the last lines that it printed.

    Notes
    -----
    Jesse fills orders of equal price at random. The worker makes it fill them in the order of their submission.

    Examples
    --------
    ::

        with JesseProcess() as jesse:
            result = jesse.backtest(config, routes, [], candles, hyperparameters={"period": 20})
    """

    def __init__(self, *, python: str | None = None, start_timeout: float = 180.0) -> None:
        self._python = python or sys.executable
        self._start_timeout = start_timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._answers: queue.Queue[JsonDict | None] = queue.Queue()
        self._printed: deque[str] = deque(maxlen=_STDERR_LINES)
        self._threads: list[threading.Thread] = []
        self._sent: OrderedDict[str, None] = OrderedDict()
        #: Versions of jesse, numpy and python in the worker.
        self.versions: dict[str, str] = {}
        #: Seconds that the worker took to import Jesse.
        self.import_seconds = 0.0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the worker and wait until Jesse is imported; does nothing if it runs.

        Raises
        ------
        OracleError
            If Jesse is missing or does not start in time.
        """
        if self._process is not None:
            return
        if self._python == sys.executable and not jesse_available():
            raise OracleError(_MISSING)
        self._folder = tempfile.TemporaryDirectory(prefix="fastbt-jesse-", ignore_cleanup_errors=True)
        self._answers, self._printed, self._sent = queue.Queue(), deque(maxlen=_STDERR_LINES), OrderedDict()
        try:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self._folder.name,
                env=self._environment(self._folder.name),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            self.close()
            raise OracleError(f"Jesse's interpreter {self._python} could not be started: {error}") from error
        self._threads = [
            threading.Thread(target=self._read_answers, args=(self._process, self._answers), daemon=True),
            threading.Thread(target=self._read_printed, args=(self._process, self._printed), daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        hello = self._next_answer(self._start_timeout, "importing Jesse")
        if hello["status"] != "ready":
            self.close()
            if hello["status"] == "missing" and "jesse" in hello["message"]:
                raise OracleError(_MISSING if self._python == sys.executable else f"{self._python}: {_MISSING}")
            raise OracleError(f"Jesse could not be imported: {hello['exception']}: {hello['message']}")
        self.versions = hello["versions"]
        self.import_seconds = hello["seconds"]

    @property
    def pid(self) -> int | None:
        """The worker's process id; None if it does not run."""
        return None if self._process is None else self._process.pid

    def _command(self) -> list[str]:
        if self._python == sys.executable:
            # By its own name, so that coverage and debuggers know the module; the package may not be installed.
            root = str(Path(__file__).resolve().parents[2])
            code = f"import sys; sys.path.append({root!r}); from fastbt.oracle.worker import main; main()"
            return [self._python, "-c", code]
        return [self._python, worker.__file__]

    @staticmethod
    def _environment(folder: str) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if name.upper() in _KEPT_VARIABLES or name.startswith(_KEPT_PREFIXES)
        }
        return {
            **kept,
            "JESSE_CACHE_DIR": str(Path(folder) / "cache"),
            # Several routes: Jesse sums equity over a set, in the order of hashes.
            "PYTHONHASHSEED": "0",
            "PYTHONUTF8": "1",
            "PYTHONUNBUFFERED": "1",
        }

    @staticmethod
    def _read_answers(process: subprocess.Popen[bytes], answers: queue.Queue[JsonDict | None]) -> None:
        assert process.stdout is not None
        try:
            while True:
                answers.put(worker.receive(process.stdout))
        except (EOFError, OSError, ValueError):
            answers.put(None)

    @staticmethod
    def _read_printed(process: subprocess.Popen[bytes], printed: deque[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            printed.append(line.decode(errors="replace").rstrip())

    def _next_answer(self, timeout: float | None, doing: str) -> JsonDict:
        try:
            answer = self._answers.get(timeout=timeout)
        except queue.Empty:
            tail = self._kill()
            raise OracleError(f"Jesse did not answer within {timeout:g} s while {doing}{tail}") from None
        if answer is None:
            raise self._died(doing)
        return answer

    def _died(self, doing: str) -> OracleError:
        process = self._process
        tail = self._kill()
        code = process.returncode if process else None
        return OracleError(f"Jesse's process ended with exit code {code} while {doing}{tail}")

    def _kill(self) -> str:
        """End the worker at once and return what it printed last, as the end of a message."""
        if self._process is not None and self._process.poll() is None:
            try:
                self._process.wait(timeout=1.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self.close()
        lines = [line for line in self._printed if line.strip()]
        return "\nIts last lines were:\n  " + "\n  ".join(lines) if lines else ""

    def _send(self, message: object, doing: str) -> None:
        assert self._process is not None and self._process.stdin is not None
        try:
            worker.send(self._process.stdin, message)
        except OSError:
            raise self._died(doing) from None

    def backtest(
        self,
        config: Mapping[str, Any],
        routes: Sequence[Mapping[str, Any]],
        data_routes: Sequence[Mapping[str, Any]],
        candles: Mapping[str, Mapping[str, Any]],
        warmup_candles: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        hyperparameters: Mapping[str, Any] | None = None,
        fast_mode: bool = False,
        timeout: float | None = 900.0,
    ) -> JsonDict:
        """Run `jesse.research.backtest` and return what it left behind, as a plain dict.

        Parameters
        ----------
        config, routes, data_routes, candles, warmup_candles : mapping or sequence
            As `jesse.research.backtest` takes them, but the strategy of a route is a path (a `.py` file, or a folder
            with `__init__.py`) or a mapping with `path` and, if wanted, `class_name` and `project`: the folder from
            which the strategy's own imports start, by default the one above `strategies/`.
        hyperparameters : mapping, optional
            For `self.hp`; the strategy's defaults if missing.
        fast_mode : bool, optional
            Jesse's flag; fastbt equals the default, step mode.
        timeout : float, optional
            Seconds after which the worker is killed; None waits for ever.

        Returns
        -------
        dict
            `status` "ok": `trades` (each with its `orders`), `daily_balance`, `daily_time` (ms UTC), `metrics`,
            `order_count`, `starting_balance`, `finishing_balance`, `started_at`, `finished_at`, `total_open_trades`,
            `open_pl`, `liquidations`, `seconds`.
            `status` "failed", when Jesse raised: `exception` (its name), `message`, `traceback`, `time` (ms UTC of the
            simulation; NaN before it began), `order_count`, `seconds`.

        Raises
        ------
        OracleError
            If the strategy cannot be loaded, the worker dies, or the time is up. The next call starts a new worker.
        """
        self.start()
        request = {
            "config": dict(config),
            "routes": [{**route, "strategy": _strategy(route["strategy"])} for route in routes],
            "data_routes": [dict(route) for route in data_routes],
            "candles": self._share(candles),
            "warmup_candles": self._share(warmup_candles or {}),
            "hyperparameters": None if hyperparameters is None else dict(hyperparameters),
            "fast_mode": bool(fast_mode),
        }
        self._send(("backtest", request), "taking a request")
        answer = self._next_answer(timeout, "running a backtest")
        if answer["status"] in ("unloadable", "broken"):
            what = "could not load the strategy" if answer["status"] == "unloadable" else "failed outside of a backtest"
            raise OracleError(f"Jesse {what}: {answer['exception']}: {answer['message']}\n{answer['traceback']}")
        return answer

    def _share(self, listed: Mapping[str, Mapping[str, Any]]) -> dict[str, JsonDict]:
        """Send each array that the worker does not hold yet, and name them by their content."""
        named = {}
        for key, entry in listed.items():
            array = np.ascontiguousarray(entry["candles"], dtype=np.float64)
            data = array.tobytes()
            digest = hashlib.blake2b(data + repr(array.shape).encode(), digest_size=16).hexdigest()
            if digest not in self._sent:
                self._send(("array", digest, array.shape, "float64", data), "taking candles")
            self._sent[digest] = None
            self._sent.move_to_end(digest)
            named[key] = {**entry, "candles": digest}
        while len(self._sent) > max(_ARRAYS_KEPT, 2 * len(listed)):
            oldest, _ = self._sent.popitem(last=False)
            self._send(("forget", oldest), "taking candles")
        return named

    def close(self) -> None:
        """End the worker and remove its folder; does nothing if it does not run."""
        process, self._process = self._process, None
        if process is not None:
            if process.poll() is None:
                try:
                    if process.stdin is not None:
                        worker.send(process.stdin, ("quit",))
                    process.wait(timeout=5.0)
                except (OSError, subprocess.TimeoutExpired):
                    process.kill()
            process.wait()
            for thread in self._threads:
                thread.join(timeout=5.0)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    try:
                        stream.close()
                    except OSError:  # a request that a dead worker never read
                        pass
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def _strategy(strategy: Any) -> JsonDict:
    if isinstance(strategy, Mapping):
        path, rest = strategy["path"], strategy
    elif isinstance(strategy, (str, os.PathLike)):
        path, rest = strategy, {}
    else:
        raise OracleError(f"Jesse's process takes a strategy as the path of its file or folder, was {strategy!r}")
    found = Path(path).expanduser().resolve()
    if not found.exists():
        raise OracleError(f"there is no strategy at {found}")
    project = rest.get("project")
    return {
        "path": str(found),
        "class_name": rest.get("class_name"),
        "project": None if project is None else str(Path(project).expanduser().resolve()),
    }
