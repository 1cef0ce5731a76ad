"""How periods are cut, compared with skfolio."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbt.errors import SettingsError
from fastbt.search.windows import split_windows
from fastbt.types import DAY_MS

skfolio = pytest.importorskip("skfolio.model_selection")


@given(
    st.integers(10, 120),
    st.integers(1, 30),
    st.integers(1, 15),
    st.integers(0, 5),
    st.booleans(),
    st.booleans(),
)
def test_windows__as_skfolio_cuts_them(days, train, test, gap, expand, partial):
    theirs = skfolio.WalkForward(
        test_size=test, train_size=train, expand_train=expand, reduce_test=partial, purged_size=gap
    )
    if train + gap >= days or (not partial and train + gap + test > days):
        with pytest.raises(SettingsError, match="no room"):
            split_windows(
                0,
                days * DAY_MS,
                in_sample=train * DAY_MS,
                out_of_sample=test * DAY_MS,
                gap=gap * DAY_MS,
                partial=partial,
            )
        return
    wanted = [
        (int(one[0]), int(one[-1]) + 1, int(two[0]), int(two[-1]) + 1) for one, two in theirs.split(np.zeros((days, 2)))
    ]
    found = split_windows(
        0,
        days * DAY_MS,
        in_sample=train * DAY_MS,
        out_of_sample=test * DAY_MS,
        gap=gap * DAY_MS,
        mode="expanding" if expand else "rolling",
        partial=partial,
    )
    ours = [tuple(at // DAY_MS for at in (w.start, w.finish, w.test_start, w.test_finish)) for w in found]
    assert ours == wanted


@given(
    st.integers(1, 40),
    st.integers(1, 20),
    st.integers(1, 20),
    st.integers(0, 6),
    st.sampled_from(["rolling", "expanding"]),
)
def test_windows__no_day_is_stitched_twice(train, test, step, gap, mode):
    found = split_windows(
        0,
        200 * DAY_MS,
        in_sample=train * DAY_MS,
        out_of_sample=test * DAY_MS,
        step=step * DAY_MS,
        gap=gap * DAY_MS,
        mode=mode,
    )
    for one, two in zip(found[:-1], found[1:], strict=True):
        assert one.test_start < one.live_finish <= two.test_start
        assert two.test_start - one.test_start == step * DAY_MS
    for each in found:
        assert each.finish + gap * DAY_MS == each.test_start
        assert each.live_finish <= each.test_finish <= 200 * DAY_MS


def test_windows__anchored_ones_begin_at_the_anchor():
    found = split_windows(
        100 * DAY_MS, 160 * DAY_MS, in_sample=20 * DAY_MS, out_of_sample=10 * DAY_MS, mode="anchored", anchor=0
    )
    assert [each.start for each in found] == [0] * len(found)
    assert found[0].finish == 120 * DAY_MS


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"in_sample": 0}, "in_sample wants more than 0 days"),
        ({"out_of_sample": 0}, "the windows would be empty"),
        ({"step": 0}, "step wants more than 0"),
        ({"gap": -1}, "from 0"),
        ({"mode": "sliding"}, "rolling, expanding, anchored"),
        ({"in_sample": 99 * DAY_MS}, "there is no room for a window: in-sample 99 days"),
    ],
)
def test_windows__say_what_is_wrong(change, said):
    settings = {"in_sample": 30 * DAY_MS, "out_of_sample": 10 * DAY_MS, **change}
    with pytest.raises(SettingsError, match=said):
        split_windows(0, 100 * DAY_MS, **settings)
