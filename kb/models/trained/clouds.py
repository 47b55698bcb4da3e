"""Point clouds of eight bodies, turned, stretched, seen from one side only, and blurred.

Points are drawn on the surface of each body (for the torus and the round sides not quite evenly), which is then
stretched along its axes, turned about any axis, cut where it faces away, and jittered.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from kb.models.interface import Array
from kb.models.trained.exact import Float64, bell, directions, uniform
from kb.models.trained.interface import Labels, Split

SEED = 30
POINTS = 96  #: per cloud

#: Clouds per class: 3,600 test samples.
SAMPLES = {Split.TRAIN: 900, Split.TEST: 450}

#: Lengths of a body's axes, where it is 1 without.
STRETCH = (0.8, 1.25)

#: Of the points drawn, those nearest to the viewer are kept: one part in this many is hidden.
HIDDEN = 4

#: Standard deviation of the jitter in each coordinate: hard enough that a small network gets 8 to 20 % wrong.
JITTER = 0.12

Points = tuple[Float64, Float64, Float64]  #: x, y, z, each (clouds, points)
Draw = Callable[[np.random.Generator, tuple[int, int]], Points]


@cache
def clouds(split: Split, number: int = POINTS) -> tuple[Array, Labels]:
    """Points (samples, 3, number) float32 and labels (samples,), not writable; the class is an index of `BODIES`."""
    random = np.random.default_rng([SEED, list(Split).index(split)])
    drawn = number + -(-number // (HIDDEN - 1))
    points = np.concatenate([_seen(random, draw, SAMPLES[split], drawn, number) for draw in BODIES.values()])
    labels = np.repeat(np.arange(len(BODIES), dtype=np.int64), SAMPLES[split])
    points.setflags(write=False)
    labels.setflags(write=False)
    return points, labels


def _seen(random: np.random.Generator, draw: Draw, samples: int, drawn: int, kept: int) -> NDArray[np.float32]:
    """Clouds of one body, (samples, 3, kept)."""
    body = draw(random, (samples, drawn))
    lengths = uniform(random, (3, samples, 1), *STRETCH)
    turned = _turned(tuple(axis * length for axis, length in zip(body, lengths, strict=True)), random)
    nearest = np.sort(np.argsort(-turned[2], axis=1, kind="stable")[:, :kept], axis=1)
    seen = np.stack([np.take_along_axis(axis, nearest, axis=1) for axis in turned], axis=1)
    return (seen + JITTER * bell(random, seen.shape)).astype(np.float32)


def _turned(body: Points, random: np.random.Generator) -> Points:
    """Each cloud turned by a random unit quaternion (Shoemake 1985, doi:10.1145/325165.325242)."""
    x, y, z = body
    a, b, c, d = directions(random, (len(x), 1), 4)
    return (
        (1 - 2 * (c * c + d * d)) * x + 2 * (b * c - a * d) * y + 2 * (b * d + a * c) * z,
        2 * (b * c + a * d) * x + (1 - 2 * (b * b + d * d)) * y + 2 * (c * d - a * b) * z,
        2 * (b * d - a * c) * x + 2 * (c * d + a * b) * y + (1 - 2 * (b * b + c * c)) * z,
    )


def _sphere(random: np.random.Generator, shape: tuple[int, int]) -> Points:
    x, y, z = directions(random, shape, 3)
    return x, y, z


def _cube(random: np.random.Generator, shape: tuple[int, int]) -> Points:
    face, sign = random.integers(0, 3, shape), 2.0 * random.integers(0, 2, shape) - 1
    x, y, z = (np.where(face == axis, sign, uniform(random, shape, -1, 1)) * CUBE_EDGE for axis in range(3))
    return x, y, z


def _octahedron(random: np.random.Generator, shape: tuple[int, int]) -> Points:
    signs = 2.0 * random.integers(0, 2, (3, *shape)) - 1
    x, y, z = signs * OCTAHEDRON_RADIUS * np.stack(_in_triangle(random, shape))
    return x, y, z


def _tetrahedron(random: np.random.Generator, shape: tuple[int, int]) -> Points:
    parts = np.stack(_in_triangle(random, shape))
    corners = TETRAHEDRON[FACES[random.integers(0, len(FACES), shape)]]  # (*shape, corner, axis)
    x, y, z = (
        parts[0] * corners[..., 0, axis] + parts[1] * corners[..., 1, axis] + parts[2] * corners[..., 2, axis]
        for axis in range(3)
    )
    return x, y, z


def _cylinder(random: np.random.Generator, shape: tuple[int, int]) -> Points:
    x, y = directions(random, shape, 2)
    capped = random.random(shape) < CYLINDER_CAPS
    radius = np.where(capped, np.sqrt(random.random(shape)), 1.0)
    end = 2.0 * random.integers(0, 2, shape) - 1
    return 0.75 * radius * x, 0.75 * radius * y, np.where(capped, end, uniform(random, shape, -1, 1))


def _cone(random: np.random.Generator, shape: tuple[int, int]) -> Points:
    x, y = directions(random, shape, 2)
    radius = np.sqrt(random.random(shape))
    z = np.where(random.random(shape) < CONE_BASE, -1.0, 1 - 2 * radius)
    return radius * x, radius * y, z


def _torus(random: np.random.Generator, shape: tuple[int, int]) -> Points:
    x, y = directions(random, shape, 2)
    across, z = TUBE * directions(random, shape, 2)
    return (RING + across) * x, (RING + across) * y, z


def _saddle(random: np.random.Generator, shape: tuple[int, int]) -> Points:
    x, y = uniform(random, (2, *shape), -1, 1)
    return x, y, x * x - y * y


def _in_triangle(random: np.random.Generator, shape: tuple[int, int]) -> Points:
    """Three parts that add up to 1, even over a triangle (Turk 1990, "Generating random points in triangles")."""
    root, along = np.sqrt(random.random(shape)), random.random(shape)
    return 1 - root, root * (1 - along), root * along


#: Sizes that make the bodies about as large as each other: nothing but the form shall tell them apart.
CUBE_EDGE = 0.75
OCTAHEDRON_RADIUS = 1.4
RING, TUBE = 0.85, 0.35
TETRAHEDRON = 0.9 * np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
FACES = np.array([[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]])

#: Share of the surface that is caps (2 pi r^2 of 2 pi r^2 + 4 pi r) and base (1 of 1 + sqrt(5)).
CYLINDER_CAPS = 0.27
CONE_BASE = 0.31

BODIES: dict[str, Draw] = {
    "sphere": _sphere,
    "cube": _cube,
    "octahedron": _octahedron,
    "tetrahedron": _tetrahedron,
    "cylinder": _cylinder,
    "cone": _cone,
    "torus": _torus,
    "saddle": _saddle,
}
