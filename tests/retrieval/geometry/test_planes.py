"""Planes in patient space."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.geometry.planes import (
    Plane,
    angle_between_lines,
    cross,
    mean_line,
    roll_about,
    unit,
)

COORDINATES = st.floats(-300, 300)
VECTORS = st.tuples(COORDINATES, COORDINATES, COORDINATES).filter(lambda v: np.linalg.norm(v) > 1)


def plane(normal=(0, 0, 1), turn=(1, 0.3, 0.2)):
    n = unit(normal)
    row = unit(np.cross(turn, n))
    return Plane(
        origin=np.array([10.0, -20.0, 5.0]),
        row_direction=row,
        column_direction=np.cross(n, row),
        rows=100,
        columns=60,
        spacing_mm=(1.5, 2.0),
    )


@settings(deadline=None)
@given(normal=VECTORS, row=COORDINATES, column=COORDINATES, away=COORDINATES)
def test_height_is_measured_along_the_normal(normal, row, column, away):
    if angle_between_lines(normal, (1, 0.3, 0.2)) < 1:
        return
    p = plane(normal)
    (point,) = p.points([(row, column)])
    assert p.height_of(point + away * p.normal) == pytest.approx(away, abs=1e-6)
    np.testing.assert_allclose(p.normal, unit(normal), atol=1e-9)


def test_rows_run_down_and_columns_across():
    p = Plane(
        origin=np.zeros(3),
        row_direction=np.array([1.0, 0, 0]),
        column_direction=np.array([0, 1.0, 0]),
        rows=11,
        columns=21,
        spacing_mm=(2.0, 0.5),
    )
    np.testing.assert_array_equal(p.points([(3, 4)]), [(2.0, 6.0, 0.0)])
    np.testing.assert_array_equal(p.centre, (5.0, 10.0, 0.0))
    np.testing.assert_array_equal(p.normal, (0, 0, 1))


@pytest.mark.parametrize(
    ("a", "b", "degrees"),
    [
        ((1, 0, 0), (1, 0, 0), 0),
        ((1, 0, 0), (-3, 0, 0), 0),
        ((1, 0, 0), (0, 5, 0), 90),
        ((1, 0, 0), (-1, 1, 0), 45),
        ((1, 0, 0), (np.cos(1e-7), np.sin(1e-7), 0), np.degrees(1e-7)),
    ],
)
def test_angles(a, b, degrees):
    assert angle_between_lines(a, b) == pytest.approx(degrees, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("vector", [(0, 0, 0), (np.nan, 0, 1), (np.inf, 0, 0)])
def test_no_direction(vector):
    with pytest.raises(ValueError, match="has no direction"):
        unit(vector)


@given(a=VECTORS, b=VECTORS)
def test_cross_is_numpys(a, b):
    np.testing.assert_allclose(cross(a, b), np.cross(a, b), rtol=1e-12, atol=1e-9)


@given(v=VECTORS, flips=st.lists(st.booleans(), min_size=1, max_size=6))
def test_the_mean_of_one_line_is_that_line_whatever_the_signs(v, flips):
    mean = mean_line([np.array(v) * (-1 if flip else 1) for flip in flips])
    assert angle_between_lines(mean, v) < 1e-4
    assert np.linalg.norm(mean) == pytest.approx(1)


def test_the_mean_of_two_lines_lies_between():
    mean = mean_line([(1, 0, 0), (-1, 1, 0)])
    assert angle_between_lines(mean, (1, 0, 0)) == pytest.approx(22.5)
    assert angle_between_lines(mean, (1, -1, 0)) == pytest.approx(22.5)


@given(axis=VECTORS, degrees=st.floats(0.5, 179.5), flip=st.booleans())
def test_roll_is_the_angle_turned_from_zero(axis, degrees, flip):
    a = unit(axis)
    zero = unit(np.cross(a, (0.3, 0.2, 0.9) if abs(a[2]) < 0.9 else (1, 0, 0)))
    turn = np.radians(degrees)
    along = np.cos(turn) * zero + np.sin(turn) * np.cross(a, zero)
    normal = np.cross(along, a) * (-1 if flip else 1)
    slanted = zero + 0.7 * a
    assert roll_about(a, normal, zero=slanted) == pytest.approx(degrees, abs=1e-6)


def test_roll_of_nought_is_nought():
    assert roll_about((0, 0, 1), (0, 1, 0), zero=(1, 0, 0)) == 0
    assert roll_about((0, 0, 1), (1e-17, 1, 0), zero=(1, 0, 0)) == pytest.approx(0)
