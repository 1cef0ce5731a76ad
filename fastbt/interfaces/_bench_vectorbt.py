"""vectorbt in an environment of its own, driven as processes, so that its pins do not touch ours."""

from __future__ import annotations

import importlib.util
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from fastbt._cache import cache_root
from fastbt.errors import OracleError, SettingsError
from fastbt.types import Float2D, JsonDict

HOW: Final = "`fastbt bench --setup-vectorbt` makes the environment it needs"
#: Sets of one call of vectorbt: the fastest of those tried, 10 to 200.
CHUNK: Final = 50

#: A fast and a slow window, with its pairs of stop-loss and take-profit.
Group = tuple[int, int, Sequence[tuple[float, float]]]


def environment() -> Path:
    """Return the folder of vectorbt's environment."""
    return cache_root() / "peers" / "vectorbt"


def interpreter() -> Path:
    """Return the environment's Python; it need not exist."""
    windows = sys.platform == "win32"
    return environment() / ("Scripts/python.exe" if windows else "bin/python")


def available() -> bool:
    """Tell whether vectorbt's environment was made."""
    return (environment() / "ready").is_file() and interpreter().exists()


def setup_commands() -> list[list[str]]:
    """Return the commands that make the environment, with uv if there is one.

    Examples
    --------
    >>> len(setup_commands())
    2
    """
    folder, python = str(environment()), str(interpreter())
    # By name only: the current version. Numba is named because vectorbt's Rust engine was the slower one.
    wanted = ["vectorbt", "numba"]
    uv = ["uv"] if shutil.which("uv") else []
    if not uv and importlib.util.find_spec("uv") is not None:
        uv = [sys.executable, "-m", "uv"]
    if uv:
        # Our own interpreter: the same Python on both sides.
        return [
            [*uv, "venv", "--clear", "--python", sys.executable, folder],
            [*uv, "pip", "install", "--upgrade", "--python", python, *wanted],
        ]
    return [
        [sys.executable, "-m", "venv", "--clear", folder],
        [python, "-m", "pip", "install", "--upgrade", *wanted],
    ]


def make_environment(say: Callable[[str], None]) -> None:
    """Make vectorbt's environment anew.

    Raises
    ------
    SettingsError
        If a command fails; the message ends with what it printed.
    """
    environment().parent.mkdir(parents=True, exist_ok=True)
    (environment() / "ready").unlink(missing_ok=True)
    for command in setup_commands():
        say(shlex.join(command))
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        except OSError as error:
            raise SettingsError(f"{shlex.join(command)}: could not be started: {error}") from error
        if done.returncode != 0:
            raise SettingsError(f"{shlex.join(command)}: failed\n{(done.stderr or done.stdout).strip()[-2000:]}")
    (environment() / "ready").touch()


class VectorbtProcesses:
    """Several vectorbt processes that share out the sets of a run.

    Parameters
    ----------
    n : int
        How many.

    Raises
    ------
    OracleError
        If a process does not start, or dies.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self.versions: dict[str, str] = {}
        self._processes: list[subprocess.Popen[str]] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="fastbt-vectorbt-")
        worker = Path(__file__).with_name("_bench_vectorbt_worker.py")
        try:
            for _ in range(self.n):
                self._processes.append(
                    subprocess.Popen(
                        [str(interpreter()), str(worker)],
                        cwd=self._folder.name,
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.DEVNULL,
                        text=True,
                        encoding="utf-8",
                    )
                )
            for process in self._processes:
                self._receive(process)
        except OSError as error:
            self.close()
            raise OracleError(f"vectorbt's interpreter could not be started: {error}; {HOW}") from error
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def load(self, candles: Float2D, warmup_bars: int) -> None:
        """Give every process the candles."""
        assert self._folder is not None
        path = Path(self._folder.name) / "candles.npy"
        np.save(path, candles)
        for process in self._processes:
            self._send(process, {"call": "load", "path": str(path), "warmup_bars": warmup_bars})
        for process in self._processes:
            self.versions = self._receive(process)

    def run(self, groups: Sequence[Group], *, fee: float, cash: float, measure: str = "profit") -> dict[str, Any]:
        """Run the sets of all groups, each process a contiguous share; return one list for each measure."""
        edges = [len(groups) * i // self.n for i in range(self.n + 1)]
        busy = []
        for process, first, last in zip(self._processes, edges[:-1], edges[1:], strict=True):
            if first == last:
                continue
            share = groups[first:last]
            request = {"call": "run", "groups": share, "fee": fee, "cash": cash, "chunk": CHUNK, "measure": measure}
            self._send(process, request)
            busy.append(process)
        found: dict[str, Any] = {}
        for process in busy:
            for name, values in self._receive(process).items():
                if isinstance(values, list):
                    found.setdefault(name, []).extend(values)
        return found

    def _send(self, process: subprocess.Popen[str], message: JsonDict) -> None:
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
        except OSError:
            raise self._died(process) from None

    def _receive(self, process: subprocess.Popen[str]) -> JsonDict:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise self._died(process)
        answer: JsonDict = json.loads(line)
        if "error" in answer:
            raise OracleError(f"vectorbt: {answer['error']}; {HOW} anew")
        return answer

    @staticmethod
    def _died(process: subprocess.Popen[str]) -> OracleError:
        return OracleError(f"vectorbt's process ended with exit code {process.wait()}; {HOW} anew")

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    try:
                        stream.close()
                    except OSError:  # a request that a dead worker never read
                        pass
            try:
                process.wait(timeout=5.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes = []
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
