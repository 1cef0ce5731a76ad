"""The code cache follows the sources, and needs no writable home."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fastbt import _cache

KEEP = ("PATH", "HOME", "LD_LIBRARY_PATH", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")


@pytest.fixture(autouse=True)
def forget():
    cached = (_cache.cache_root, _cache.source_hash, _cache.code_cache)
    for function in cached:
        function.cache_clear()
    yield
    for function in cached:
        function.cache_clear()


def run(code: str, folder: Path, **variables: str) -> str:
    environment = {name: os.environ[name] for name in KEEP if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**environment, **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip()


def test_cache_root__is_the_folder_that_was_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("FASTBT_CACHE_DIR", str(tmp_path / "here"))
    assert _cache.cache_root() == tmp_path / "here"
    assert (tmp_path / "here").is_dir()


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the place differs there")
def test_cache_root__follows_the_desktop_standard(tmp_path, monkeypatch):
    monkeypatch.delenv("FASTBT_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert _cache.cache_root() == tmp_path / "fastbt"


def test_cache_root__falls_back_to_a_private_temporary_folder(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FASTBT_CACHE_DIR", str(tmp_path / "file" / "below"))
    monkeypatch.setattr(_cache.tempfile, "tempdir", str(tmp_path))
    root = _cache.cache_root()
    assert root.parent == tmp_path
    assert root.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no permission bits there")
def test_cache_root__does_not_trust_a_temporary_folder_that_others_can_write(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    planted = tmp_path / f"fastbt-{os.getuid()}"
    planted.mkdir()
    planted.chmod(0o777)
    monkeypatch.setenv("FASTBT_CACHE_DIR", str(tmp_path / "file" / "below"))
    monkeypatch.setattr(_cache.tempfile, "tempdir", str(tmp_path))
    root = _cache.cache_root()
    assert root != planted
    assert root.stat().st_mode & 0o077 == 0


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small package in place of fastbt's sources."""
    folder = tmp_path / "package"
    (folder / "engine").mkdir(parents=True)
    (folder / "engine" / "fees.py").write_text("FEE = 1\n")
    (folder / "notes.txt").write_text("a\n")
    monkeypatch.setattr(_cache, "_PACKAGE", folder)
    monkeypatch.setenv("FASTBT_CACHE_DIR", str(tmp_path / "cache"))
    return folder


def hash_again() -> str:
    _cache.source_hash.cache_clear()
    return _cache.source_hash()


def test_source_hash__changes_with_any_source_file_and_with_nothing_else(package):
    first = hash_again()
    assert hash_again() == first
    (package / "notes.txt").write_text("b\n")
    (package / "engine" / "__pycache__").mkdir()
    (package / "engine" / "__pycache__" / "stale.py").write_text("")
    assert hash_again() == first
    (package / "engine" / "fees.py").write_text("FEE = 2.0\n")
    second = hash_again()
    assert second != first
    (package / "new.py").write_text("")
    assert len({first, second, hash_again()}) == 3


def test_source_hash__comes_back_with_the_old_sources(package):
    first = hash_again()
    (package / "engine" / "fees.py").write_text("FEE = 2.0\n")
    assert hash_again() != first
    (package / "engine" / "fees.py").write_text("FEE = 1\n")
    assert hash_again() == first


def test_source_hash__reads_a_file_again_only_if_its_size_or_time_changed(package):
    first = hash_again()
    source = package / "engine" / "fees.py"
    status = source.stat()
    source.write_text("FEE = 9\n")
    os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert hash_again() == first
    os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert hash_again() != first


def test_source_hash__survives_a_broken_memo(package):
    first = hash_again()
    for text in ("", "[]", '{"fingerprint": 1}', "not json"):
        (_cache.cache_root() / "sources.json").write_text(text)
        assert hash_again() == first


def test_source_hash__keeps_checked_code_apart(package, monkeypatch):
    monkeypatch.delenv("NUMBA_BOUNDSCHECK", raising=False)
    first = hash_again()
    monkeypatch.setenv("NUMBA_BOUNDSCHECK", "1")
    assert hash_again() != first


def test_code_cache__keeps_the_newest_folders_and_those_in_use(package):
    folders = _cache.cache_root() / "code"
    now = time.time()
    ages_in_hours = {"running": 0.5, "a": 2, "b": 3, "c": 4, "d": 50}
    for name, hours in ages_in_hours.items():
        (folders / name / "numba").mkdir(parents=True)
        os.utime(folders / name, (now - hours * 3600,) * 2)
    current = _cache.code_cache()
    assert {folder.name for folder in folders.iterdir()} == {current.name, "running", "a"}


KERNEL = """
from fastbt._jit import kernel

@kernel
def double(x):
    return 2.0 * x

print(double(4.0))
"""


def test_configure_numba__keeps_machine_code_in_the_keyed_folder(tmp_path):
    (tmp_path / "kernels.py").write_text(KERNEL)
    cache = tmp_path / "cache"
    code = "import sys; sys.path.insert(0, '.'); import kernels, numba; print(numba.config.CACHE_DIR)"
    said, folder = run(code, tmp_path, FASTBT_CACHE_DIR=str(cache)).split()
    assert said == "8.0"
    assert Path(folder).parent.parent == cache / "code"
    assert len(list(Path(folder).rglob("kernels.double-*.nbi"))) == 1
    assert not (tmp_path / "__pycache__").exists() or not list((tmp_path / "__pycache__").glob("*.nb?"))


def test_configure_numba__leaves_the_choice_of_the_user_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "mine"))
    monkeypatch.delenv("FASTBT_NUMBA_CACHE_DIR", raising=False)
    _cache.configure_numba()
    assert os.environ["NUMBA_CACHE_DIR"] == str(tmp_path / "mine")
    assert "FASTBT_NUMBA_CACHE_DIR" not in os.environ


def test_configure_numba__chooses_anew_in_a_child_process(tmp_path, monkeypatch):
    inherited = str(tmp_path / "of the parent")
    code = "from fastbt import _cache; _cache.configure_numba(); import os; print(os.environ['NUMBA_CACHE_DIR'])"
    folder = run(
        code,
        tmp_path,
        FASTBT_CACHE_DIR=str(tmp_path / "cache"),
        NUMBA_CACHE_DIR=inherited,
        FASTBT_NUMBA_CACHE_DIR=inherited,
    )
    assert Path(folder).is_relative_to(tmp_path / "cache" / "code")
