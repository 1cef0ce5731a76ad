"""What cannot be compiled is refused where it stands: file, line, column, the source underlined, what to do instead."""

import pytest
from compiled_snippets import strategy_text

from fastbt.compiler.load import load_strategy
from fastbt.compiler.program import CompiledStrategy
from fastbt.engine.account import Account
from fastbt.errors import CompileError

#: A line of should_long (or whole methods), what is underlined, and words of the message.
REFUSED = [
    # expressions
    ("return self.index < len({1, self.index})", "{1, self.index}", "or behind in; use a list"),
    ("x = {i: 1 for i in range(self.index)}", "{i: 1 for i in range(self.index)}", "over what is known before the run"),
    ("x = {i for i in range(3)}", "{i for i in range(3)}", "a set comprehension"),
    ("x = [[1, self.index]]\n    x.append(3)", "x.append(3)", "it is a tuple or dict elsewhere and a number"),
    (
        "x = []\n    x.append('a')\n    x.append(self.index)",
        "x.append(self.index)",
        "an item of the list: it is a string",
    ),
    ('return np.array(["up"] * self.index)[0] == "up"', 'np.array(["up"] * self.index)', "only of numbers; use a list"),
    (
        "return np.array([[1, self.index], [2, 3]])[0, 1]",
        "np.array([[1, self.index], [2, 3]])",
        "one array for each column",
    ),
    ("return np.zeros((2, self.index))[0, 1]", "np.zeros((2, self.index))", "more than one dimension"),
    ("return np.dot([1, self.index], [1, 2]) > 3", "np.dot([1, self.index], [1, 2])", "depends on the machine"),
    (
        "return np.array([self.index]) @ np.array([2]) > 3",
        "np.array([self.index]) @ np.array([2])",
        "as a sum: (a * b)",
    ),
    ("return not np.array([self.index])", "np.array([self.index])", "the truth of an array"),
    ("return pric > 3", "pric", "the name 'pric' is not defined"),
    ("price = 1\n    return prce > 3", "prce", "Did you mean 'price'?"),
    ("return self.prize > 3", "self.prize", "self.prize is not known to the compiler. Did you mean 'price'?"),
    ("return self.hp['fast'] > 3", "self.hp['fast']", "there is no hyper-parameter 'fast'"),
    ("return self.hp[self.index] > 3", "self.index", "name of a hyper-parameter must be a constant"),
    ("return self.vars['seen'] > 3", "self.vars['seen']", "self.vars['seen'] is never set"),
    ("return self.vars[self.index] > 3", "self.index", "key of self.vars must be a constant string"),
    ("return ~self.index > 3", "~self.index", "~ is not compiled; use not"),
    ("return self.index ^ 3 > 0", "self.index ^ 3", "this operator is not compiled; use + - *"),
    ("x = self.position.qty > 0\n    return x is True", "x is True", "leave `is True` out"),
    ("return self.index is LEVELS", "self.index is LEVELS", "None, True and False only; use =="),
    ("return self.index in self.candles", "self.index in self.candles", "in is compiled for tuples, lists and dicts"),
    (
        "if self.candles[:, 2] > 3: return True",
        "self.candles[:, 2] > 3",
        "self.candles[:, 2] > 3 has no truth; compare one value of it, as in [-1]",
    ),
    ("return self.candles", "return self.candles", "the candle array is used as a condition"),
    ("return self.candles[self.index, 2:4][0] > 1", "self.candles[self.index, 2:4]", "a slice of columns is not"),
    ("return self.candles[-1, self.index] > 1", "self.candles[-1, self.index]", "a constant from 0 to 5"),
    ("return self.candles[-1, 6] > 1", "self.candles[-1, 6]", "a constant from 0 to 5"),
    ("return self.candles[1.5, 2] > 1", "1.5", "the index must be a whole number, was 1.5"),
    ("return self.candles[self.price, 2] > 1", "self.price", "the index must be a whole number, was a float"),
    ("return (1, 2)[self.price] > 1", "(1, 2)[self.price]", "must be a whole number, was a float"),
    ("return {'a': self.index}['b'] > 1", "{'a': self.index}['b']", "there is no key 'b' in this dict"),
    ("x = self.low, self.high\n    return x[2] > 1", "x[2]", "index 2 is outside of 2 items"),
    ("return self.position.kind == 'long'", "self.position.kind", "self.position.kind is not compiled"),
    ("return self.position.qtty > 0", "self.position.qtty", "Did you mean 'qty'?"),
    ("return self.capital > 0", "self.capital", "use self.balance"),
    ("return len(self.trades) > 0", "self.trades", "use on_close_position(order, closed_trade)"),
    ("return np.random.rand() > 0.5", "np.random.rand()", "depends on the outside world"),
    (
        "from datetime import datetime\n    return datetime.now().hour > 3",
        "datetime.now()",
        "depends on the outside world",
    ),
    ("return math.sinus(3) > 0", "math.sinus", "has no 'sinus'"),
    ("return math.gamma(self.index) > 0", "math.gamma(self.index)", "gamma() is not compiled on values that change"),
    ("return self.levels > 0", "self.levels", "self.levels is not known"),
    ("return max(*self.candles[:, 2]) > 1", "*self.candles[:, 2]", "* is compiled before a tuple or list of known"),
    ("return self.vars.popitem()", "self.vars.popitem()", "use self.vars['name']"),
    ("return self.index() > 0", "self.index()", "calling a number is not compiled"),
    ("return min(self.index) > 0", "min(self.index)", "two or more numbers"),
    ("return len(self.index) > 0", "len(self.index)", "len() of"),
    ("return math.log(-3) > self.index", "math.log(-3)", "cannot be computed before the run: ValueError"),
    ("import nowhere_at_all\n    return True", "import nowhere_at_all", "this import failed: ModuleNotFoundError"),
    ("import random\n    return random.random() > 0.5", "random.random()", "depends on the outside world"),
    ("return self.broker.buy_at(1, 2)", "self.broker", "self.broker is not known"),
    ("return hasattr(self.position, 'x')", "hasattr(self.position, 'x')", "self and a constant name only"),
    # indicators
    ("return ta.sma() > 1", "ta.sma()", "needs candles as its first argument"),
    ("return ta.sma(self.candles, self.price) > 1", "ta.sma(self.candles, self.price)", "must be a whole number"),
    ("return ta.mfi(self.candles, self.index) > 1", "ta.mfi(self.candles, self.index)", "known before the run"),
    ("return ta.sma(self.candles, 0) > 1", "ta.sma(self.candles, 0)", "period"),
    ("return ta.sma(self.candles, length=3) > 1", "ta.sma(self.candles, length=3)", "length"),
    ("return ta.macd(self.candles).histogram > 1", "ta.macd(self.candles).histogram", "no field 'histogram'"),
    ("return ta.sma(self.index, 3) > 1", "self.index", "ta.sma"),
    (
        "if ta.sma(self.candles, 3, sequential=True): return True",
        "ta.sma(self.candles, 3, sequential=True)",
        "the series ta.sma(...) has no truth",
    ),
    ("return utils.crossed(self.price, 3)", "utils.crossed(self.price, 3)", "must be a series: sequential=True"),
    (
        "return utils.crossed(self.candles[:, 2], 3, 'up')",
        "utils.crossed(self.candles[:, 2], 3, 'up')",
        "'above' or 'below', was 'up'",
    ),
    (
        "return utils.crossed(self.candles[:, 2], self.index, sequential=True)[-1]",
        "utils.crossed(self.candles[:, 2], self.index, sequential=True)",
        "for what is known before the run",
    ),
    ("return utils.crossed(self.candles[:, 2])", "utils.crossed(self.candles[:, 2])", "series2"),
    # statements
    (
        "try:\n        x = 1 / self.index\n    except self.errors:\n        x = 2",
        "self.errors",
        "self.errors is not known",
    ),
    ("raise", "raise", "raise without an exception is compiled inside except"),
    ("with open('x') as x:\n        pass", "with open('x') as x:", "with is not compiled"),
    ("x = 1\n    def inner():\n        nonlocal x\n    return inner()", "def inner():", "nonlocal is not compiled"),
    ("class Inner:\n        pass", "class Inner:", "a class inside a method"),
    ("del self.position.x", "self.position.x", "del of this is not compiled"),
    ("match self.index:\n        case [1, 2]:\n            pass", "[1, 2]", "match is compiled with constants"),
    ("global LEVELS", "global LEVELS", "global is not compiled"),
    ("for i in self.index:\n        pass", "self.index", "for is compiled over range(...), lists, windows"),
    ("for i in range(self.price):\n        pass", "self.price", "range takes whole numbers"),
    ("x = self.levels_of.x\n    return True", "self.levels_of", "self.levels_of is not known"),
    (
        "from datetime import datetime\n    return datetime.fromtimestamp(self.time).hour > 3",
        "datetime.fromtimestamp(self.time)",
        "use datetime.utcfromtimestamp(...) or tz=timezone.utc",
    ),
    (
        "from datetime import datetime\n    return datetime.utcfromtimestamp(self.time / 1000).strftime('%j') > '1'",
        "datetime.utcfromtimestamp(self.time / 1000).strftime('%j')",
        "strftime is compiled for %Y %m %d %H %M %S",
    ),
    ("a, b = 1, 2, 3", "a, b = 1, 2, 3", "cannot be unpacked into 2 names"),
    ("a, b = self.price", "a, b = self.price", "cannot be unpacked into 2 names"),
    ("self.x = self.candles", "self.x", "the candle array cannot be kept in a compiled strategy; keep numbers"),
    ("self.x = 1\n    self.x = 'a'", "self.x", "is a number elsewhere and a string here"),
    ("self.balance = 3", "self.balance", "self.balance belongs to Jesse"),
    ("self.buy = self.price", "self.buy", "must be (quantity, price) or a list of them"),
    ("self.buy = 1, 2, 3", "self.buy", "must be (quantity, price) or a list of them"),
    ("self.position.qty = 3", "self.position.qty", "assign to a name, self.x or self.vars['x']"),
    (
        "x = self.candles[:, 2]\n    if self.index > 3:\n        x = 2\n    return x > 1",
        "x",
        "'x' holds ",
    ),
]

#: Whole methods, what is underlined, and words of the message.
REFUSED_METHODS = [
    ("def should_long(self, x):\n    return True", "def should_long", "Jesse 3.5.3 calls should_long(self)"),
    ("def on_open_position(self):\n    pass", "def on_open_position", "calls on_open_position(self, order)"),
    (
        "def on_close_position(self, order):\n    pass",
        "def on_close_position",
        "calls on_close_position(self, order, closed_trade)",
    ),
    (
        "def filters(self):\n    return [self.one()]\ndef one(self):\n    return self.index > 1",
        "def filters(self):",
        "methods",
    ),
    ("def filters(self):\n    if self.index > 1:\n        return []\n    return []", "def filters(self):", "one list"),
    (
        "def before(self):\n    self.stop_loss = 1, self.price\n"
        "def should_long(self):\n    return self.stop_loss is None",
        "self.stop_loss",
        "not compiled where before assigns it",
    ),
    (
        "def stop(self):\n    self.stop_loss = 1, self.price\ndef go_long(self):\n    self.buy = 1, self.price\n"
        "    self.stop()\n    self.take_profit = 1, self.stop_loss[1] * 2",
        "self.stop_loss",
        "what this hook assigned, or what Jesse made of it",
    ),
    (
        "def level(self, a):\n    return a\ndef should_long(self):\n    return self.level(1, 2)",
        "def level(self, a):",
        "takes 1 arguments, was called with more",
    ),
    (
        "def level(self, a):\n    return a\ndef should_long(self):\n    return self.level(b=2)",
        "def level(self, a):",
        "has no parameter 'b'",
    ),
    (
        "def level(self, a):\n    return a\ndef should_long(self):\n    return self.level()",
        "def level(self, a):",
        "was called without 'a'",
    ),
    (
        "def level(self, a):\n    return self.level(a)\ndef should_long(self):\n    return self.level(self.index) > 1",
        "def level",
        "recursion is not compiled, write it as a loop",
    ),
    (
        "def level(self):\n    if self.index > 3:\n        return self.low, self.high\n    return 3\n"
        "def should_long(self):\n    return self.level() > 1",
        "def level(self):",
        "returns different things on different paths",
    ),
    (
        "@cached\ndef level(self, a):\n    return a\ndef should_long(self):\n    return self.level(self.index) > 1",
        "def level(self, a):",
        "@cached is compiled for methods without arguments",
    ),
    # lists, dicts and arrays with two names
    (
        "def go_long(self):\n    self.rows.append({'x': 1})\n    last = self.rows[-1]\n    self.rows.pop()\n"
        "    last['x'] = self.price\n\ndef __init__(self):\n    super().__init__()\n    self.rows = []\n",
        "last['x']",
        "read it again before",
    ),
    (
        "def go_long(self):\n    row = self.rows[0]\n    row[0] = 7\n\n"
        "def __init__(self):\n    super().__init__()\n    self.rows = [[1, 2]]\n",
        "row = self.rows[0]",
        "write self.rows[i][j] = x",
    ),
    (
        "def go_long(self):\n    row = {'x': self.price}\n    self.rows.append(row)\n    row['x'] = 2\n\n"
        "def __init__(self):\n    super().__init__()\n    self.rows = []\n",
        "row['x']",
        "a dict with two names is not changed",
    ),
    (
        "def go_long(self):\n    a = self.h[1:]\n    self.h[2] = self.price\n    b = a.sum()\n\n"
        "def __init__(self):\n    super().__init__()\n    self.h = np.zeros(6)\n",
        "a",
        "take a copy of it: .copy()",
    ),
    (
        "def go_long(self):\n    a = self.h[1:]\n    a[2] = self.price\n\n"
        "def __init__(self):\n    super().__init__()\n    self.h = np.zeros(6)\n",
        "a[2]",
        "make a copy: .copy()",
    ),
    (
        "def go_long(self):\n    self.h[1] = self.price\n\n"
        "def __init__(self):\n    super().__init__()\n    self.h = np.array([0, 0])\n",
        "self.h[1]",
        "numpy cuts this to a whole number",
    ),
    (
        "def go_long(self):\n    self.h = np.append(self.h, self.price)\n\n"
        "def __init__(self):\n    super().__init__()\n    self.h = []\n",
        "self.h",
        "a list elsewhere and an array here",
    ),
]


def refusal_of(body, folder):
    """Return the error, and what it underlines."""
    file = folder / "Refused.py"
    file.write_text(strategy_text(body))
    with pytest.raises(CompileError) as caught:
        CompiledStrategy(load_strategy(file), Account())
    error = caught.value
    assert error.file == str(file)
    line = file.read_text().splitlines()[error.line - 1]
    head, source, mark = str(error).splitlines()
    assert head == f"{file}:{error.line}:{error.column}: {error.message}"
    assert source.strip() == line.strip()
    start = mark.index("^")
    assert source[start:] == line[error.column - 1 :], "the mark stands under the column"
    return error, source[start : start + mark.count("^")]


@pytest.mark.parametrize(("lines", "underlined", "words"), REFUSED, ids=[row[0].split("\n")[0] for row in REFUSED])
def test_refusal__of_a_line(lines, underlined, words, tmp_path):
    error, marked = refusal_of(f"def should_long(self):\n    {lines}\n", tmp_path)
    assert marked == underlined
    assert words in error.message


@pytest.mark.parametrize(("body", "underlined", "words"), REFUSED_METHODS, ids=[row[2] for row in REFUSED_METHODS])
def test_refusal__of_a_method(body, underlined, words, tmp_path):
    error, marked = refusal_of(body, tmp_path)
    assert marked == underlined
    assert words in error.message


def test_refusal__counts_characters_not_bytes(tmp_path):
    error, marked = refusal_of("def should_long(self):\n    return 'äöü€' == 'x' or self.prize > 3\n", tmp_path)
    assert marked == "self.prize"


def test_refusal__in_a_base_class_names_its_file(tmp_path):
    (tmp_path / "base.py").write_text(
        "from jesse.strategies import Strategy\n\n\nclass Base(Strategy):\n"
        "    def go_long(self):\n        self.buy = self.price\n"
    )
    file = tmp_path / "Derived.py"
    file.write_text(
        "from base import Base\n\n\nclass Derived(Base):\n    def should_long(self):\n        return True\n"
    )
    with pytest.raises(CompileError) as caught:
        CompiledStrategy(load_strategy(file), Account())
    assert caught.value.file == str(tmp_path / "base.py")
    assert caught.value.line == 6
