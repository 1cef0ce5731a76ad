"""`self.shared_vars`: numbers that all routes of an account read and write."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastbt.compiler.values import join_types


@dataclass
class SharedVars:
    """What the strategies of an account keep in `self.shared_vars`.

    Attributes
    ----------
    types : dict of str
        Numeric type of each variable, in the order of their places in the records of the run.
    version : int
        Rises with every type that turns out to be wider, which the strategies lowered before do not know yet.
    """

    types: dict[str, str] = field(default_factory=dict)
    version: int = 0

    def place(self, key: str) -> int:
        """Return the place of a variable."""
        self.types.setdefault(key, "bool")
        return list(self.types).index(key)

    def widen(self, key: str, type_: str) -> bool:
        """Note that a variable is assigned a value of a type; tell whether that is news."""
        self.place(key)
        wider = join_types(self.types[key], type_)
        if wider == self.types[key]:
            return False
        self.types[key] = wider
        self.version += 1
        return True
