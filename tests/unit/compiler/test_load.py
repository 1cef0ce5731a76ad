"""Strategy files load as Jesse would load them, without Jesse; what is wrong with them is said."""

import ast
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import fastbt
from fastbt.compiler.load import load_strategy
from fastbt.compiler.program import CompiledStrategy
from fastbt.compiler.standins import Missing, jesse_standins
from fastbt.engine.account import Account
from fastbt.errors import CompileError, StrategyError

STRATEGY = """
from jesse.strategies import Strategy


class {name}(Strategy):
    def should_long(self):
        return self.index > {number}

    def go_long(self):
        self.buy = 1, self.price
"""


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def simple(name="Simple", number=3):
    return STRATEGY.format(name=name, number=number)


# --- where a strategy is --------------------------------------------------------------------------------------------


def test_load_strategy__takes_a_file_a_folder_and_a_class(tmp_path):
    file = write(tmp_path / "strategies" / "Simple" / "__init__.py", simple())
    source = load_strategy(file)
    assert (source.name, source.file) == ("Simple", file)
    assert load_strategy(str(file.parent)).name == "Simple"
    assert load_strategy(f"{file}:Simple").name == "Simple"
    assert load_strategy(source.cls).sha256 == source.sha256
    assert set(source.methods) == {"should_long", "go_long"}
    assert ast.unparse(source.methods["go_long"].node) == "def go_long(self):\n    self.buy = (1, self.price)"


def test_load_strategy__takes_the_name_of_a_folder_in_strategies(tmp_path, monkeypatch):
    write(tmp_path / "strategies" / "Simple" / "__init__.py", simple())
    monkeypatch.chdir(tmp_path)
    assert load_strategy("Simple").name == "Simple"
    with pytest.raises(StrategyError, match="no strategy at Simpel. Did you mean 'Simple'"):
        load_strategy("Simpel")


def test_load_strategy__says_that_a_file_is_missing(tmp_path):
    write(tmp_path / "Donchian.py", simple())
    with pytest.raises(StrategyError, match=r"there is no strategy at .*Donchain.py. Did you mean 'Donchian.py'"):
        load_strategy(tmp_path / "Donchain.py")
    with pytest.raises(StrategyError, match=r"holds no __init__.py"):
        load_strategy(tmp_path)


def test_load_strategy__says_that_a_file_is_no_python(tmp_path):
    with pytest.raises(StrategyError, match=r"notes.txt is no Python file; a strategy is a .py file or a folder"):
        load_strategy(write(tmp_path / "notes.txt", "buy low"))


def test_load_strategy__shows_a_syntax_error(tmp_path):
    file = write(tmp_path / "Broken.py", "x = 1\ndef f(:\n    pass\n")
    with pytest.raises(StrategyError) as caught:
        load_strategy(file)
    assert f"{file}:2:" in str(caught.value)
    assert "not valid Python" in str(caught.value)
    assert "def f(:" in str(caught.value)


def test_load_strategy__names_a_module_that_is_missing(tmp_path):
    with pytest.raises(StrategyError, match="imports 'tulipy_of_mine', which is not installed here"):
        load_strategy(write(tmp_path / "A.py", "import tulipy_of_mine\n" + simple()))


def test_load_strategy__says_what_an_import_raised(tmp_path):
    with pytest.raises(StrategyError, match="could not be imported: ZeroDivisionError: division by zero"):
        load_strategy(write(tmp_path / "A.py", "1 / 0\n" + simple()))


# --- which class ----------------------------------------------------------------------------------------------------


def test_load_strategy__wants_a_strategy_in_the_file(tmp_path):
    with pytest.raises(StrategyError, match=r"defines no class that derives from jesse.strategies.Strategy"):
        load_strategy(write(tmp_path / "A.py", "class A:\n    pass\n"))


def test_load_strategy__takes_the_class_that_no_other_derives_from(tmp_path):
    file = write(tmp_path / "A.py", simple("Base") + "\n\nclass Derived(Base):\n    pass\n")
    assert load_strategy(file).name == "Derived"


def test_load_strategy__of_several_takes_the_one_named_like_the_file(tmp_path):
    both = simple("One") + simple("Two")
    assert load_strategy(write(tmp_path / "Two.py", both)).name == "Two"
    assert load_strategy(write(tmp_path / "One" / "__init__.py", both)).name == "One"
    file = write(tmp_path / "Many.py", both)
    with pytest.raises(StrategyError, match=r"defines several strategies \(One, Two\); name one as .*Many.py:NAME"):
        load_strategy(file)
    assert load_strategy(f"{file}:One").name == "One"
    with pytest.raises(StrategyError, match="defines no strategy 'Tow'. Did you mean 'Two'"):
        load_strategy(f"{file}:Tow")


def test_load_strategy__of_a_name_defined_twice_reads_the_last(tmp_path):
    source = load_strategy(write(tmp_path / "A.py", simple("A", 3) + simple("A", 4)))
    assert "> 4" in ast.unparse(source.methods["should_long"].node)


def test_load_strategy__wants_the_source_of_a_class():
    made = type("Made", (), {"__module__": "nowhere"})
    with pytest.raises(StrategyError, match="source of class Made cannot be found; save the strategy in a file"):
        load_strategy(made)


# --- its project ----------------------------------------------------------------------------------------------------

BASE = """
from jesse.strategies import Strategy


class Base(Strategy):
    level = 3

    def should_long(self):
        return self.index > self.level

    def go_long(self):
        self.buy = 1, self.price
"""


def test_load_strategy__reads_methods_of_base_classes_in_other_files(tmp_path):
    write(tmp_path / "strategies" / "common" / "__init__.py", BASE)
    text = "from strategies.common import Base\n\n\nclass Own(Base):\n    def go_long(self):\n        self.buy = 2, 3\n"
    source = load_strategy(write(tmp_path / "strategies" / "Own" / "__init__.py", text))
    assert source.methods["should_long"].file == tmp_path / "strategies" / "common" / "__init__.py"
    assert source.methods["go_long"].file == source.file


def project(folder, number):
    write(folder / "custom_indicators" / "__init__.py", "from .levels import LEVEL\n")
    write(folder / "custom_indicators" / "levels.py", f"LEVEL = {number}\n")
    text = "import custom_indicators as cta\n" + simple().replace(
        "class Simple(Strategy):", "class Simple(Strategy):\n    level = cta.LEVEL\n"
    )
    return write(folder / "strategies" / "Simple" / "__init__.py", text)


def test_load_strategy__imports_what_lies_beside_strategies(tmp_path):
    assert load_strategy(project(tmp_path, 5)).cls.level == 5


def test_load_strategy__gives_each_project_its_own_modules(tmp_path):
    first, second = project(tmp_path / "one", 1), project(tmp_path / "two", 2)
    assert [load_strategy(file).cls.level for file in (first, second, first)] == [1, 2, 1]


def test_load_strategy__leaves_libraries_in_the_project_alone(tmp_path):
    file = project(tmp_path, 1)
    library = write(tmp_path / ".venv" / "lib" / "site-packages" / "a_library_of_theirs.py", "VALUE = object()\n")
    text = f"import sys\nsys.path.append({str(library.parent)!r})\nimport a_library_of_theirs\n" + file.read_text()
    write(file, text)
    try:
        load_strategy(file)
        kept = sys.modules["a_library_of_theirs"]
        load_strategy(file)
        assert sys.modules["a_library_of_theirs"] is kept
    finally:
        sys.path[:] = [each for each in sys.path if each != str(library.parent)]
        sys.modules.pop("a_library_of_theirs", None)


def test_load_strategy__in_a_clone_of_fastbt_leaves_fastbt_alone():
    clone = Path(fastbt.__file__).parents[1]
    code = (
        "import sys; from fastbt.compiler.load import load_strategy; path = 'strategies/SmaCrossover'\n"
        "load_strategy(path); first = sys.modules['fastbt.indicators']\n"
        "load_strategy(path); assert sys.modules['fastbt.indicators'] is first; print('same')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=clone)
    assert done.stdout.strip() == "same", done.stderr


def test_load_strategy__remembers_where_a_base_class_came_from(tmp_path):
    own = "from strategies.common import Base\n\n\nclass Own(Base):\n    pass\n"
    loaded = []
    for folder, number in (("one", 1), ("two", 2)):
        write(
            tmp_path / folder / "strategies" / "common" / "__init__.py", BASE.replace("level = 3", f"level = {number}")
        )
        loaded.append(load_strategy(write(tmp_path / folder / "strategies" / "Own" / "__init__.py", own)))
    again = load_strategy(loaded[0].cls)
    assert again.sha256 == loaded[0].sha256 != loaded[1].sha256
    assert again.methods["should_long"].namespace["Base"].level == 1


def test_load_strategy__reads_an_edited_module_again(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file = project(tmp_path, 1)
    assert load_strategy(file).cls.level == 1
    # The same length within the same second: the time of the file and its size tell nothing.
    levels = tmp_path / "custom_indicators" / "levels.py"
    before = os.stat(levels)
    write(levels, "LEVEL = 2\n")
    os.utime(levels, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert load_strategy(file).cls.level == 2


def test_load_strategy__reads_an_edited_strategy_again(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file = write(tmp_path / "A.py", "NUMBER = 1\n" + simple())
    first = load_strategy(file)
    before = os.stat(file)
    write(file, "NUMBER = 2\n" + simple())
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    second = load_strategy(file)
    assert first.methods["go_long"].namespace["NUMBER"] == 1
    assert second.methods["go_long"].namespace["NUMBER"] == 2
    assert first.sha256 != second.sha256


# --- hyper-parameters -----------------------------------------------------------------------------------------------


def with_hyperparameters(body):
    return simple() + f"\n    def hyperparameters(self):\n        {body}\n"


def test_load_strategy__evaluates_the_hyperparameters(tmp_path):
    body = 'return [{"name": f"period_{i}", "type": int, "min": 1, "max": 9, "default": i} for i in (3, 5)]'
    source = load_strategy(write(tmp_path / "A.py", with_hyperparameters(body)))
    assert source.defaults == {"period_3": 3, "period_5": 5}


def test_load_strategy__says_what_hyperparameters_raised(tmp_path):
    with pytest.raises(StrategyError, match=r"Simple.hyperparameters\(\) raised AttributeError: .* must not use self"):
        load_strategy(write(tmp_path / "A.py", with_hyperparameters("return self.mine")))
    with pytest.raises(StrategyError, match=r"lacks default"):
        load_strategy(write(tmp_path / "B.py", with_hyperparameters('return [{"name": "a"}]')))


# --- Jesse ----------------------------------------------------------------------------------------------------------


def jesse_modules():
    return {name: module for name, module in sys.modules.items() if name.split(".")[0] == "jesse"}


def test_standins__are_there_only_during_the_import(tmp_path):
    before, finders = jesse_modules(), list(sys.meta_path)
    load_strategy(write(tmp_path / "A.py", simple()))
    assert jesse_modules() == before
    with pytest.raises(StrategyError):
        load_strategy(write(tmp_path / "B.py", "import jesse.helpers\n1 / 0\n"))
    assert jesse_modules() == before
    assert sys.meta_path == finders
    assert str(tmp_path) not in sys.path


def test_standins__give_back_a_jesse_that_was_imported():
    marker = object()
    sys.modules["jesse"] = sys.modules["jesse.helpers"] = marker
    try:
        with jesse_standins():
            assert sys.modules["jesse"] is not marker
            assert sys.modules["jesse.helpers"] is not marker
        assert sys.modules["jesse"] is sys.modules["jesse.helpers"] is marker
    finally:
        del sys.modules["jesse"], sys.modules["jesse.helpers"]


def test_standins__nested_stay_until_the_last_is_done():
    marker = object()
    sys.modules["jesse"] = marker
    try:
        with jesse_standins():
            with jesse_standins():
                pass
            assert sys.modules["jesse"] is not marker
        assert sys.modules["jesse"] is marker
    finally:
        del sys.modules["jesse"]


def test_standins__let_any_part_of_jesse_be_imported_but_not_used(tmp_path):
    text = "import jesse.helpers as jh\nfrom jesse.enums import live_modes\nfrom jesse import exceptions\n"
    module = load_strategy(write(tmp_path / "A.py", text + simple())).methods["go_long"].namespace
    assert isinstance(module["live_modes"], Missing)
    assert "jesse.enums.live_modes" in repr(module["live_modes"])
    with pytest.raises(NotImplementedError, match=r"jesse.helpers.now is part of Jesse that fastbt does not have"):
        module["jh"].now()


def test_standins__need_no_jesse(tmp_path):
    file = write(tmp_path / "A.py", "import jesse.indicators as ta\nfrom jesse import utils\n" + simple())
    code = (
        "import sys; sys.modules['jesse'] = None\n"
        f"from fastbt.compiler.load import load_strategy; print(load_strategy({str(file)!r}).name)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.strip() == "Simple", done.stderr


def test_warnings_of_python__are_told_once(tmp_path):
    file = tmp_path / "Warned.py"
    file.write_text(
        "from jesse.strategies import Strategy\n\n\nclass Warned(Strategy):\n"
        "    def should_long(self):\n        return self.symbol is not None and self.hp is 3 or self.index > 3\n\n"
        "    def go_long(self):\n        '''A \\d backslash.'''\n        self.buy = 1, self.price\n"
    )
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        load_strategy(file)
    assert len(told) == 2  # by Python itself, when it imports the file
    with warnings.catch_warnings():
        with pytest.raises(CompileError, match="use =="):
            CompiledStrategy(load_strategy(file), Account())
