"""Lower points in time: `self.time` as datetime, date, time of day, arrow or formatted text.

A datetime is kept in whole microseconds since 1970, a date in days, text of fixed width as the number that its digits
make: "2021-01-05" as 20210105. All of it is UTC; Jesse knows no other time.
"""

from __future__ import annotations

import ast
import datetime as dt
import re
from dataclasses import replace
from typing import Any, Final

from fastbt.compiler.cells import is_none
from fastbt.compiler.orders import OrderLowerer
from fastbt.compiler.values import Const, Group, Member, Moment, Number, Value, parse

_DAY: Final = 86_400_000_000

#: Digits of each directive whose text has a fixed width.
_WIDTHS: Final = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2}
_NAMES: Final = {
    "%A": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "%a": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
#: Arrow's tokens, the longest first.
_ARROW: Final = (
    ("YYYY", "%Y"),
    ("MM", "%m"),
    ("DD", "%d"),
    ("HH", "%H"),
    ("mm", "%M"),
    ("ss", "%S"),
    ("dddd", "%A"),
    ("ddd", "%a"),
)
_ISO: Final = "%Y-%m-%dT%H:%M:%S+00:00"

#: Attributes of each kind of moment, as code over X.
_FIELDS: Final[dict[str, dict[str, str]]] = {
    "datetime": {
        "year": "_year(X // DAY)",
        "month": "_month(X // DAY)",
        "day": "_day(X // DAY)",
        "hour": "X // 3600000000 % 24",
        "minute": "X // 60000000 % 60",
        "second": "X // 1000000 % 60",
        "microsecond": "X % 1000000",
    },
    "date": {"year": "_year(X)", "month": "_month(X)", "day": "_day(X)"},
    "time": {
        "hour": "X // 3600000000",
        "minute": "X // 60000000 % 60",
        "second": "X // 1000000 % 60",
        "microsecond": "X % 1000000",
    },
    "timedelta": {"days": "X // DAY", "seconds": "X % DAY // 1000000", "microseconds": "X % 1000000"},
}


class MomentLowerer(OrderLowerer):
    """Lower what is made of the time."""

    def moment_attribute(self, owner: Moment, node: ast.Attribute) -> Value:
        """Lower `.hour` and its kind."""
        code = _FIELDS.get(owner.kind, {}).get(node.attr)
        if code is None:
            if node.attr == "datetime" and owner.kind == "datetime":
                return owner
            if node.attr in ("timestamp", "int_timestamp", "float_timestamp") and owner.kind == "datetime":
                if node.attr == "int_timestamp":
                    return Number(parse("X // 1000000", X=self.present(owner)), "int", False)
                if node.attr == "float_timestamp":
                    return Number(parse("X / 1000000.0", X=self.present(owner)), "float", False)
            return Member(owner, node.attr)
        return Number(parse(code, X=self.present(owner), DAY=ast.Constant(_DAY)), "int", False)

    def call_member(self, callee: Member, node: ast.Call) -> Value:
        """Call a method of a moment; see `calls` for all others."""
        owner, key = callee.owner, callee.name
        if not isinstance(owner, Moment):
            return super().call_member(callee, node)
        arguments = self.lower_all(node.args)
        x = self.present(owner)
        day = parse("X // DAY" if owner.kind == "datetime" else "X", X=x, DAY=ast.Constant(_DAY))
        has_day = owner.kind in ("datetime", "date")
        match key, arguments:
            case "weekday", [] if has_day:
                return Number(parse("(D + 3) % 7", D=day), "int", False)
            case "isoweekday", [] if has_day:
                return Number(parse("(D + 3) % 7 + 1", D=day), "int", False)
            case "toordinal", [] if has_day:
                return Number(parse("D + 719163", D=day), "int", False)
            case "isocalendar", [] if has_day:
                parts = [parse(f"_iso_{part}(D)", D=day) for part in ("year", "week")]
                weekday = parse("(D + 3) % 7 + 1", D=day)
                return Group(
                    tuple(Number(each, "int", False) for each in (*parts, weekday)), ("year", "week", "weekday")
                )
            case "timetuple", [] if has_day:
                return self.timetuple(owner, day)
            case "date", [] if owner.kind == "datetime":
                return Moment(day, "date")
            case "time" | "timetz", [] if owner.kind == "datetime":
                return Moment(parse("X % DAY", X=x, DAY=ast.Constant(_DAY)), "time")
            case "timestamp", [] if owner.kind == "datetime":
                if not owner.is_aware:
                    self.refuse(
                        node, "timestamp() of a datetime without time zone is that of this computer; use self.time"
                    )
                return Number(parse("X / 1000000.0", X=x), "float", False)
            case "total_seconds", [] if owner.kind == "timedelta":
                return Number(parse("X / 1000000.0", X=x), "float", False)
            case "strftime", [Const(str(text))]:
                return self.formatted(replace(owner, node=x, none=None), text, node)
            case "format", [Const(str(text))] if owner.kind == "datetime":
                for token, directive in _ARROW:
                    text = text.replace(token, directive)
                return self.formatted(replace(owner, node=x, none=None), text, node)
            case "isoformat", [] if owner.kind == "date":
                return self.formatted(replace(owner, node=x, none=None), "%Y-%m-%d", node)
            case "replace", [] if owner.kind == "datetime":
                return self.replaced(replace(owner, node=x, none=None), node)
            case "to" | "astimezone", [Const(zone)] if owner.is_aware and _is_utc(zone):
                return owner
            case "shift", [] if owner.kind == "datetime":
                given = {str(each.arg): self.lower(each.value) for each in node.keywords}
                if all(isinstance(each, Const) for each in given.values()) and set(given) <= _SHIFTS:
                    plain = {each: value.value for each, value in given.items() if isinstance(value, Const)}
                    move = dt.timedelta(**plain) // dt.timedelta(microseconds=1)
                    return replace(owner, node=parse("X + M", X=x, M=ast.Constant(move)), none=None)
        self.refuse(
            node, f".{key}() of {self.describe(owner)} is not compiled; .hour, .minute, .weekday() and .date() are"
        )

    def timetuple(self, owner: Moment, day: ast.expr) -> Group:
        """Lower `.timetuple()`."""
        clock = self.present(owner) if owner.kind == "datetime" else ast.Constant(0)
        codes = {
            "tm_year": parse("_year(D)", D=day),
            "tm_mon": parse("_month(D)", D=day),
            "tm_mday": parse("_day(D)", D=day),
            "tm_hour": parse("X // 3600000000 % 24", X=clock),
            "tm_min": parse("X // 60000000 % 60", X=clock),
            "tm_sec": parse("X // 1000000 % 60", X=clock),
            "tm_wday": parse("(D + 3) % 7", D=day),
            "tm_yday": parse("D - _days(_year(D), 1, 1) + 1", D=day),
        }
        return Group(tuple(Number(each, "int", False) for each in codes.values()), tuple(codes))

    def replaced(self, owner: Moment, node: ast.Call) -> Value:
        """Lower `.replace(hour=0, minute=0, ...)`."""
        given = {str(each.arg): self.lower(each.value) for each in node.keywords}
        zone = given.pop("tzinfo", None)
        aware = owner.is_aware if zone is None else not is_none(zone)
        if zone is not None and not is_none(zone) and not (isinstance(zone, Const) and _is_utc(zone.value)):
            self.refuse(node, "the only time zone that is compiled is UTC")
        if set(given) - {"hour", "minute", "second", "microsecond"}:
            self.refuse(node, "of a datetime, only hour, minute, second and microsecond are replaced")
        code = owner.node
        sizes = {
            "hour": (3_600_000_000, 24),
            "minute": (60_000_000, 60),
            "second": (1_000_000, 60),
            "microsecond": (1, 1_000_000),
        }
        held = self.temporary(code)
        code = held
        for key, value in given.items():
            if not isinstance(value, Const):
                self.refuse(node, "what replaces a part of a datetime must be a constant")
            size, count = sizes[key]
            code = parse(f"C - X // {size} % {count} * {size} + {int(value.value) * size}", C=code, X=held)
        return replace(owner, node=code, is_aware=aware)

    # --- text ---------------------------------------------------------------------------------------------------
    def formatted(self, owner: Moment, text: str, node: ast.AST) -> Value:
        """Lower `strftime`: text that can be compared with other text of the same form."""
        if text in _NAMES and owner.kind in ("datetime", "date"):
            day = parse("X // DAY", X=owner.node, DAY=ast.Constant(_DAY)) if owner.kind == "datetime" else owner.node
            return self.among(
                tuple(Const(each) for each in _NAMES[text]), self.temporary(parse("(D + 3) % 7", D=day)), node
            )
        if text == "%w" and owner.kind == "datetime":
            return Moment(parse("(X // DAY + 4) % 7", X=owner.node, DAY=ast.Constant(_DAY)), text)
        parts = re.findall("%.", text)
        if not parts or any(part not in _WIDTHS for part in parts) or sum(_WIDTHS[part] for part in parts) > 18:
            self.refuse(node, "strftime is compiled for %Y %m %d %H %M %S, and for %A and %a alone")
        held = replace(owner, node=self.temporary(owner.node))
        fields = {"%Y": "year", "%m": "month", "%d": "day", "%H": "hour", "%M": "minute", "%S": "second"}
        code: ast.expr | None = None
        for part in parts:
            template = _FIELDS[owner.kind].get(fields[part])
            if template is None:
                self.refuse(node, f"{self.describe(owner)} has no {fields[part]}")
            field = parse(template, X=held.node, DAY=ast.Constant(_DAY))
            code = field if code is None else parse(f"C * {10 ** _WIDTHS[part]} + F", C=code, F=field)
        assert code is not None
        return Moment(self.temporary(code), text)

    def as_digits(self, text: str, form: str) -> int | None:
        """Return the number of a text of a form; None if it has another form.

        A part may be out of range, as in "24:00": it is compared as text, digit by digit.
        """
        pattern, end = "", 0
        for found in re.finditer("%.", form):
            pattern += re.escape(form[end : found.start()]) + rf"(\d{{{_WIDTHS.get(found.group(), 1)}}})"
            end = found.end()
        match = re.fullmatch(pattern + re.escape(form[end:]), text)
        return None if match is None else int("".join(match.groups()))

    def text_pair(self, a: Value, b: Value) -> tuple[Moment, int | None, bool] | None:
        """Return formatted text, the number of the constant that it is compared with, and if it comes first."""
        for x, y, first in ((a, b, True), (b, a, False)):
            if isinstance(x, Moment) and "%" in x.kind and isinstance(y, Const) and isinstance(y.value, str):
                return x, self.as_digits(y.value, x.kind), first
        return None

    def equal(self, a: Value, b: Value, node: ast.AST) -> ast.expr | bool | None:
        """Return the code of a == b; formatted text equals constant text of the same form only."""
        pair = self.text_pair(a, b)
        if pair is None:
            return super().equal(a, b, node)
        moment, digits, _ = pair
        if digits is None:
            return False
        return self.both_present(moment, Moment(ast.Constant(digits), moment.kind))

    def compare(
        self, op: ast.cmpop, left: tuple[Value, ast.expr], right: tuple[Value, ast.expr], node: ast.Compare
    ) -> Value:
        """Lower one comparison; text of the same form is in the order of its digits."""
        pair = self.text_pair(left[0], right[0])
        if pair is not None and isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE):
            moment, digits, first = pair
            if digits is None:
                self.refuse(node, f"this text has not the form {moment.kind!r} of what it is compared with")
            sides: list[ast.expr] = [self.present(moment), ast.Constant(digits)]
            if not first:
                sides.reverse()
            return Number(ast.Compare(sides[0], [op], [sides[1]]), "bool", False)
        return super().compare(op, left, right, node)

    def moment_integer(self, value: Moment, node: ast.AST) -> Value:
        """Lower `int(moment.strftime("%H%M"))`."""
        if "%" not in value.kind or re.sub("%.", "", value.kind).strip():
            self.refuse(node, f"int() of {self.describe(value)} is not compiled")
        return Number(self.present(value), "int", False)

    # --- making moments -----------------------------------------------------------------------------------------
    def make_moment(
        self, target: Any, arguments: list[Value], keywords: dict[str, Value], node: ast.Call
    ) -> Value | None:
        """Lower `datetime.utcfromtimestamp(...)`, `arrow.get(...)` and Jesse's own; None for any other function."""
        label = f"{getattr(target, '__module__', '') or ''}.{getattr(target, '__qualname__', '')}"
        owner = getattr(target, "__self__", None)
        key = getattr(target, "__name__", "")
        if not arguments or not isinstance(key, str):
            return None
        first = arguments[0]
        if isinstance(owner, type) and issubclass(owner, dt.date):
            if key == "utcfromtimestamp":
                return self.from_seconds(first, node, aware=False)
            if key == "fromtimestamp":
                zone = arguments[1] if len(arguments) > 1 else keywords.get("tz")
                if zone is None or not (isinstance(zone, Const) and _is_utc(zone.value)):
                    self.refuse(
                        node,
                        "fromtimestamp() depends on the time zone of this computer; "
                        "use datetime.utcfromtimestamp(...) or tz=timezone.utc",
                    )
                return self.from_seconds(first, node, aware=True)
            if key == "combine" and len(arguments) == 2:
                day, clock = (self.program.moment(each) for each in arguments)
                if day is not None and clock is not None:
                    code = parse("D * DAY + T", D=self.present(day), T=self.present(clock), DAY=ast.Constant(_DAY))
                    return Moment(code, "datetime")
        if key == "get" and label.startswith("arrow.") and len(arguments) == 1:
            number = self.as_number(first, node)
            code = self.temporary(number.node)
            seconds = parse("X / 1000.0 if abs(X) > 253402318799.99 else X * 1.0", X=code)
            return self.from_seconds(Number(seconds, "float", False), node, aware=True)
        if key in ("timestamp_to_arrow", "timestamp_to_date", "timestamp_to_time") and len(arguments) == 1:
            number = self.as_number(first, node)
            moment = self.from_seconds(Number(parse("X / 1000.0", X=number.node), "float", False), node, aware=True)
            if key == "timestamp_to_arrow":
                return moment
            return self.formatted(moment, "%Y-%m-%d" if key == "timestamp_to_date" else _ISO, node)
        if key in ("to_datetime", "Timestamp") and label.startswith("pandas.") and len(arguments) == 1:
            unit = keywords.get("unit")
            if isinstance(unit, Const) and unit.value in ("ms", "s"):
                number = self.as_number(first, node)
                scale = "1000.0" if unit.value == "ms" else "1.0"
                return self.from_seconds(
                    Number(parse(f"X / {scale}", X=number.node), "float", False), node, aware=False
                )
        if target is dt.timedelta or target is dt.datetime:
            self.refuse(node, f"{key}() of values that change during the run is not compiled")
        return None

    def from_seconds(self, value: Value, node: ast.AST, *, aware: bool) -> Moment:
        """Return the point in time so many seconds after 1970."""
        number = self.as_number(value, node)
        code = self.temporary(parse("_moment(s, X)", X=number.node))
        return Moment(code, "datetime", None, aware)

    def moment_operation(self, node: ast.BinOp, left: Value, right: Value) -> Value | None:
        """Lower + and - of moments, and lengths of time multiplied and divided."""
        a, b = self.program.moment(left), self.program.moment(right)
        if a is None and b is None:
            return None
        is_sum, is_difference = isinstance(node.op, ast.Add), isinstance(node.op, ast.Sub)
        if a is not None and b is not None:
            kinds = (a.kind, b.kind)
            x, y = self.present(a), self.present(b)
            if is_difference and kinds in (("datetime", "datetime"), ("timedelta", "timedelta")):
                if a.is_aware != b.is_aware:
                    self.refuse(node, "a datetime with a time zone and one without cannot be subtracted")
                return Moment(parse("X - Y", X=x, Y=y), "timedelta")
            if is_difference and kinds == ("date", "date"):
                return Moment(parse("(X - Y) * DAY", X=x, Y=y, DAY=ast.Constant(_DAY)), "timedelta")
            if (is_sum or is_difference) and kinds == ("datetime", "timedelta"):
                return replace(a, node=parse("X + Y" if is_sum else "X - Y", X=x, Y=y), none=None)
            if is_sum and kinds in (("timedelta", "datetime"), ("timedelta", "timedelta")):
                return replace(b, node=parse("X + Y", X=x, Y=y), none=None)
            if (is_sum or is_difference) and kinds == ("date", "timedelta"):
                sign = "+" if is_sum else "-"
                return replace(a, node=parse(f"X {sign} Y // DAY", X=x, Y=y, DAY=ast.Constant(_DAY)), none=None)
            if isinstance(node.op, ast.Div) and kinds == ("timedelta", "timedelta"):
                first, second = Number(parse("X * 1.0", X=x), "float", False), Number(y, "int", False)
                return self.binary(ast.Div(), first, second)
        self.refuse(node, "this operation on times is not compiled")


_SHIFTS = frozenset({"weeks", "days", "hours", "minutes", "seconds"})


def _is_utc(zone: object) -> bool:
    """Tell whether an object stands for UTC."""
    if isinstance(zone, str):
        return zone in ("UTC", "utc")
    if isinstance(zone, dt.tzinfo):
        return zone.utcoffset(dt.datetime(2020, 7, 1)) == dt.timedelta() and str(zone) in ("UTC", "tzutc()")
    return False
