"""Other libraries, each in an environment of its own and driven as processes, so that their pins do not touch ours."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from fastbt._cache import cache_root
from fastbt.errors import OracleError, SettingsError
from fastbt.sweep.memory import peak_memory
from fastbt.types import Float2D, JsonDict

Say = Callable[[str], None]

#: A fast and a slow window, with its pairs of stop-loss and take-profit.
Group = tuple[int, int, Sequence[tuple[float, float]]]

#: What is installed for each library. vectorbt by name only: the current version. Numba is named because vectorbt's
#: Rust engine was the slower one. The others change their rules between versions; ours follow these.
PACKAGES: Final[dict[str, tuple[str, ...]]] = {
    "vectorbt": ("vectorbt", "numba"),
    "raptorbt": ("raptorbt==0.13.*", "numpy"),
    "chidoribt": ("chidoribt[numba]==0.4.*",),
}
#: Sets of one call: the fastest of those tried, 10 to 200.
CHUNK: Final = 50


def how(name: str) -> str:
    """Return how to get a library's environment.

    Examples
    --------
    >>> how("raptorbt")
    '`fastbt bench --setup-peers` makes the environment it needs'
    """
    return f"`fastbt bench --setup-{'vectorbt' if name == 'vectorbt' else 'peers'}` makes the environment it needs"


def environment(name: str) -> Path:
    """Return the folder of a library's environment."""
    return cache_root() / "peers" / name


def interpreter(name: str) -> Path:
    """Return the environment's Python; it need not exist."""
    windows = sys.platform == "win32"
    return environment(name) / ("Scripts/python.exe" if windows else "bin/python")


def available(name: str) -> bool:
    """Tell whether a library's environment was made."""
    return (environment(name) / "ready").is_file() and interpreter(name).exists()


def setup_commands(name: str) -> list[list[str]]:
    """Return the commands that make a library's environment, with uv if there is one.

    Examples
    --------
    >>> len(setup_commands("vectorbt"))
    2
    """
    folder, python = str(environment(name)), str(interpreter(name))
    # Nothing is built here: what has no wheel needs a compiler that nobody promised.
    wanted = ["--upgrade", "--only-binary", ":all:", *PACKAGES[name]]
    uv = ["uv"] if shutil.which("uv") else []
    if not uv and importlib.util.find_spec("uv") is not None:
        uv = [sys.executable, "-m", "uv"]
    if uv:
        # Our own interpreter: the same Python on both sides.
        return [
            [*uv, "venv", "--clear", "--python", sys.executable, folder],
            [*uv, "pip", "install", "--python", python, *wanted],
        ]
    return [
        [sys.executable, "-m", "venv", "--clear", folder],
        [python, "-m", "pip", "install", *wanted],
    ]


def make_environment(name: str, say: Say) -> None:
    """Make a library's environment anew.

    Raises
    ------
    SettingsError
        If a command fails; the message ends with what it printed.
    """
    environment(name).parent.mkdir(parents=True, exist_ok=True)
    (environment(name) / "ready").unlink(missing_ok=True)
    for command in setup_commands(name):
        say(shlex.join(command))
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        except OSError as error:
            raise SettingsError(f"{shlex.join(command)}: could not be started: {error}") from error
        if done.returncode != 0:
            printed = (done.stderr or done.stdout).strip()[-2000:]
            raise SettingsError(f"{shlex.join(command)}: failed{_why(name, printed)}\n{printed}")
    (environment(name) / "ready").touch()


def make_environments(names: Sequence[str], say: Say) -> None:
    """Make the environments of several libraries; one that fails does not keep the others from being made.

    Raises
    ------
    SettingsError
        If one could not be made.
    """
    failures = []
    for name in names:
        try:
            make_environment(name, say)
        except SettingsError as error:
            failures.append(str(error))
    if failures:
        raise SettingsError("\n\n".join(failures))


def _why(name: str, printed: str) -> str:
    """Return what is behind a failure, if that can be told: no wheel for this Python or machine."""
    signs = (
        "no wheels",
        "no usable wheels",
        "no matching distribution",
        "has no wheels",
        "requires-python",
        "only-binary",
    )
    if not any(sign in printed.lower() for sign in signs):
        return ""
    return (
        f": {name}, or something it needs, has no wheel for Python {platform.python_version()} on {platform.system()} "
        f"{platform.machine()}, or the package index cannot be reached. Run fastbt with a Python that has one; without "
        f"it the bench leaves {name} out"
    )


class PeerProcesses:
    """Several processes of one library that share out the sets of a run.

    Parameters
    ----------
    name : str
        vectorbt, raptorbt or chidoribt.
    n : int
        How many processes.
    threads : int
        Of each process, where the library has threads.
    variables : mapping, optional
        More environment variables of the processes.

    Attributes
    ----------
    versions : dict of str
        Of the library and what it stands on, once candles are loaded.
    cpu : float
        Processor seconds of all processes for the last run.

    Raises
    ------
    OracleError
        If a process does not start, or dies.
    """

    def __init__(self, name: str, n: int, *, threads: int = 1, variables: Mapping[str, str] | None = None) -> None:
        self.name, self.n = name, n
        self.versions: dict[str, str] = {}
        self.cpu = 0.0
        self._variables = {"NUMBA_NUM_THREADS": str(threads), "RAYON_NUM_THREADS": str(threads), **(variables or {})}
        self._processes: list[subprocess.Popen[str]] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix=f"fastbt-{self.name}-")
        stack = ExitStack()
        worker = Path(__file__).with_name("_bench_peer_worker.py")
        try:
            for i in range(self.n):
                # What it prints says why, should it die.
                printed = stack.enter_context(open(self._printed(i), "wb"))
                self._processes.append(
                    subprocess.Popen(
                        [str(interpreter(self.name)), str(worker), self.name],
                        cwd=self._folder.name,
                        env=self._environment(),
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=printed,
                        text=True,
                        encoding="utf-8",
                    )
                )
            for process in self._processes:
                self._receive(process)
        except OSError as error:
            self.close()
            raise OracleError(f"{self.name}'s interpreter could not be started: {error}; {how(self.name)}") from error
        except BaseException:
            self.close()
            raise
        finally:
            stack.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _environment(self) -> dict[str, str]:
        # Our machine code is no business of theirs, and a search path for modules would mix the environments.
        ours = ("NUMBA_CACHE_DIR", "FASTBT_NUMBA_CACHE_DIR", "PYTHONPATH", "PYTHONHOME")
        return {name: value for name, value in os.environ.items() if name not in ours} | self._variables

    def _printed(self, number: int) -> Path:
        """Return the file of what a process prints."""
        assert self._folder is not None
        return Path(self._folder.name) / f"printed-{number}.txt"

    def load(self, candles: Float2D, warmup_bars: int) -> None:
        """Give every process the candles."""
        assert self._folder is not None
        path = Path(self._folder.name) / "candles.npy"
        np.save(path, candles)
        for process in self._processes:
            self._send(process, {"call": "load", "path": str(path), "warmup_bars": warmup_bars})
        for process in self._processes:
            self.versions = self._receive(process)

    def run(self, groups: Sequence[Group], **settings: Any) -> dict[str, Any]:
        """Run the sets of all groups, each process a contiguous share; return one list for each measure.

        `settings` are what the library's worker takes: see `_bench_peer_worker`.
        """
        edges = [len(groups) * i // self.n for i in range(self.n + 1)]
        busy = []
        for process, first, last in zip(self._processes, edges[:-1], edges[1:], strict=True):
            if first == last:
                continue
            self._send(process, {"call": "run", "groups": groups[first:last], "chunk": CHUNK, **settings})
            busy.append(process)
        found: dict[str, Any] = {}
        self.cpu = 0.0
        for process in busy:
            answer = self._receive(process)
            self.cpu += answer["cpu"]
            for name, values in answer.items():
                if isinstance(values, list):
                    found.setdefault(name, []).extend(values)
        return found

    @property
    def known_versions(self) -> dict[str, str]:
        """The versions that figures depend on, by names that do not clash with ours."""
        found = {self.name: self.versions[self.name]}
        if "numba" in self.versions:
            found[f"{self.name}'s numba"] = self.versions["numba"]
        return found

    def peaks(self) -> list[int | None]:
        """Return the most memory that each process has held so far, in bytes."""
        return [peak_memory(process.pid) for process in self._processes]

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
            raise OracleError(f"{self.name}: {answer['error']}; {how(self.name)} anew")
        return answer

    def _died(self, process: subprocess.Popen[str]) -> OracleError:
        code = process.wait()
        printed = self._printed(self._processes.index(process)).read_text(errors="replace").strip()
        last = f": {printed.splitlines()[-1]}" if printed else ""
        return OracleError(f"{self.name}'s process ended with exit code {code}{last}; {how(self.name)} anew")

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
