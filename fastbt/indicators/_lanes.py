# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,misc"
"""Several numbers as one: a vector register's worth, for kernels of several argument lists side by side.

Every operation is done to each number as alone, in IEEE arithmetic, so no bit depends on how many go together. Only
generated modules import this: numba would ask it about every addition that it compiles.
"""

import operator
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, overload, register_model

from fastbt.indicators._in_lanes import WIDTH

_VECTOR: Final = ir.VectorType(ir.DoubleType(), WIDTH)
_MASK: Final = ir.VectorType(ir.IntType(1), WIDTH)
_INT32: Final = ir.IntType(32)


class _Lanes(types.Type):
    """Numbers."""

    def __init__(self):
        super().__init__(name=f"Lanes{WIDTH}")


class _Truths(types.Type):
    """Whether something holds for each."""

    def __init__(self):
        super().__init__(name=f"Truths{WIDTH}")


LANES: Final[Any] = _Lanes()
TRUTHS: Final[Any] = _Truths()


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, of):
        super().__init__(manager, of, _VECTOR)


@register_model(_Truths)
class _TruthsModel(models.PrimitiveModel):
    def __init__(self, manager, of):
        super().__init__(manager, of, _MASK)


def _as_lanes(context, builder, value, of):
    """Return a number as often as there are lanes, or lanes as they are."""
    if of == LANES:
        return value
    value = context.cast(builder, value, of, types.float64)
    one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, _INT32(0))
    everywhere = ir.Constant(ir.VectorType(_INT32, WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), everywhere)


def _is_number(of):
    return of == LANES or isinstance(of, types.Float | types.Integer | types.Boolean)


def _made_by(build, arity, result=LANES):
    """Return an intrinsic of lanes and numbers."""

    def generate(context, builder, signature, arguments):
        return build(
            builder, *(_as_lanes(context, builder, *each) for each in zip(arguments, signature.args, strict=True))
        )

    if arity == 1:

        @intrinsic
        def one(_, a):
            return result(a), generate

        return one

    @intrinsic
    def two(_, a, b):
        return result(a, b), generate

    return two


def _overloads(function, build, arity=2, result=LANES):
    made = _made_by(build, arity, result)
    if arity == 1:

        @overload(function, inline="never")
        def of_one(a):
            if a == LANES:
                return lambda a: made(a)
            return None

    else:

        @overload(function, inline="never")
        def of_two(a, b):
            if LANES in (a, b) and _is_number(a) and _is_number(b):
                return lambda a, b: made(a, b)
            return None


def _comparing(how):
    def build(builder, a, b):
        return (builder.fcmp_unordered if how == "!=" else builder.fcmp_ordered)(how, a, b)

    return build


def _negated(builder, a):
    return builder.fneg(a)


def _absolute(builder, a):
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(_VECTOR, [_VECTOR]), f"llvm.fabs.v{WIDTH}f64"
    )
    return builder.call(function, [a])


def _root(builder, a):
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(_VECTOR, [_VECTOR]), f"llvm.sqrt.v{WIDTH}f64"
    )
    return builder.call(function, [a])


for _operator, _build in (
    (operator.add, lambda builder, a, b: builder.fadd(a, b)),
    (operator.sub, lambda builder, a, b: builder.fsub(a, b)),
    (operator.mul, lambda builder, a, b: builder.fmul(a, b)),
    (operator.truediv, lambda builder, a, b: builder.fdiv(a, b)),
):
    _overloads(_operator, _build)
for _operator, _how in (
    (operator.lt, "<"),
    (operator.le, "<="),
    (operator.gt, ">"),
    (operator.ge, ">="),
    (operator.eq, "=="),
    (operator.ne, "!="),
):
    _overloads(_operator, _comparing(_how), result=TRUTHS)
_overloads(operator.neg, _negated, 1)
_overloads(abs, _absolute, 1)
_overloads(np.sqrt, _root, 1)
_overloads(np.isnan, lambda builder, a: builder.fcmp_unordered("uno", a, a), 1, TRUTHS)


@intrinsic
def lanes_of(_, values):
    """Return numbers, a tuple of as many as there are lanes, as one."""

    def generate(context, builder, signature, arguments):
        made = ir.Constant(_VECTOR, ir.Undefined)
        for k, each in enumerate(signature.args[0].types):
            value = context.cast(builder, builder.extract_value(arguments[0], k), each, types.float64)
            made = builder.insert_element(made, value, _INT32(k))
        return made

    if not isinstance(values, types.BaseTuple) or len(values) != WIDTH:
        return None
    return LANES(values), generate


@intrinsic
def lanes_everywhere(_, value):
    """Return a number as often as there are lanes."""

    def generate(context, builder, signature, arguments):
        return _as_lanes(context, builder, arguments[0], signature.args[0])

    return LANES(value), generate


@intrinsic
def lane_of(_, values, k):
    """Return one of them."""

    def generate(context, builder, signature, arguments):
        return builder.extract_element(arguments[0], builder.trunc(arguments[1], _INT32))

    return types.float64(values, types.int64), generate


@intrinsic
def lanes_where(_, truths, a, b):
    """Return `a` where something holds, else `b`."""

    def generate(context, builder, signature, arguments):
        of_a, of_b = (
            _as_lanes(context, builder, *each) for each in zip(arguments[1:], signature.args[1:], strict=True)
        )
        return builder.select(arguments[0], of_a, of_b)

    return LANES(truths, a, b), generate


def _joining(build):
    @intrinsic
    def joined(_, a, b):
        def generate(context, builder, signature, arguments):
            return build(builder, *arguments)

        return TRUTHS(TRUTHS, TRUTHS), generate

    return joined


lanes_both = _joining(lambda builder, a, b: builder.and_(a, b))
lanes_either = _joining(lambda builder, a, b: builder.or_(a, b))


@intrinsic
def lanes_not(_, truths):
    """Return the opposite of each."""

    def generate(context, builder, signature, arguments):
        return builder.not_(arguments[0])

    return TRUTHS(TRUTHS), generate
