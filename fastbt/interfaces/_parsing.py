"""Hyper-parameters as they are typed: `name=value`, `name=min:max:step`, `name=a,b,c`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fastbt.errors import SettingsError, did_you_mean

if TYPE_CHECKING:
    from fastbt.compiler.load import StrategySource

_WORDS = {"true": True, "false": False, "none": None}


def parse_set(texts: Sequence[str], source: StrategySource) -> dict[str, Any]:
    """Return the strategy's defaults, overridden by `name=value` texts.

    Raises
    ------
    SettingsError
        If a text has another form, the strategy has no such hyper-parameter, or the value is of another type.
    """
    chosen = dict(source.defaults)
    for text in texts:
        name, value = _split(text, "--set", "fast_period=10")
        chosen[name] = _value(value, _declared(source, name), source)
    return chosen


def parse_space(texts: Sequence[str], source: StrategySource) -> dict[str, Any] | None:
    """Return the space of `name=min:max:step`, `name=min:max:log`, `name=a,b,c` and `name=value` texts.

    None if there is no text.

    Raises
    ------
    SettingsError
        As `parse_set`.
    """
    if not texts:
        return None
    space: dict[str, Any] = {}
    for text in texts:
        name, written = _split(text, "--space", "fast_period=5:30:5")
        declared = _declared(source, name)
        if name in space:
            raise SettingsError(f"--space: wanted each hyper-parameter once; {name!r} came twice")
        parts = written.split(":")
        if len(parts) == 3 and parts[2].strip() == "log" and _word(declared) in ("int", "float"):
            low, high = (_value(part, declared, source) for part in parts[:2])
            space[name] = {"type": _word(declared), "min": low, "max": high, "log": True}
        elif len(parts) in (2, 3) and _word(declared) in ("int", "float"):
            space[name] = tuple(_value(part, declared, source) for part in parts)
        elif len(parts) > 1 and _word(declared) in ("int", "float"):
            raise SettingsError(f"--space: wanted {name}=min:max:step; was {text!r}")
        else:
            # A list even for one value: a lone text would be taken apart.
            space[name] = [_value(part, declared, source) for part in written.split(",")]
    return space


def _split(text: str, option: str, example: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (equals and name.strip() and value.strip()):
        raise SettingsError(f"{option}: wanted a name and a value such as {example}; was {text!r}")
    return name.strip(), value.strip()


def _declared(source: StrategySource, name: str) -> dict[str, Any]:
    for each in source.hyperparameters:
        if each["name"] == name:
            return each
    known = list(source.defaults)
    hint = did_you_mean(name, known)
    raise SettingsError(f"{source.name} has no hyper-parameter {name!r}; it has {', '.join(known) or 'none'}.{hint}")


def _word(declared: dict[str, Any]) -> str:
    type_ = declared.get("type")
    if type_ in (int, float):
        return str(type_.__name__)
    return str(type_) if type_ in ("int", "float") else "categorical"


def _value(text: str, declared: dict[str, Any], source: StrategySource) -> Any:
    """Return a value in the type that the strategy declares."""
    name, word, text = declared["name"], _word(declared), text.strip()
    if word == "categorical":
        options = declared.get("options") or [declared["default"]]
        for option in options:
            if text == str(option) or (text.lower() in _WORDS and option is _WORDS[text.lower()]):
                return option
        wanted = ", ".join(map(str, options))
        raise SettingsError(
            f"{source.name}: {name} wants one of {wanted}; was {text!r}.{did_you_mean(text, map(str, options))}"
        )
    try:
        return int(text) if word == "int" else float(text)
    except ValueError:
        wanted = "a whole number" if word == "int" else "a number"
        raise SettingsError(f"{source.name}: {name} wants {wanted}; was {text!r}") from None
