"""Memberships that break and heal: platform links and coalitions (formal edition §3.3, §3.13)."""

from __future__ import annotations

from coopgym.backend import Array, Namespace, namespace_of

EXIT_LEVEL = 0.15
"""Link strength below which a partner leaves a platform, and loyalty below which a coalition expels."""
RETURN_LEVEL = 0.35
"""Link strength from which a partner returns to a platform."""
REENTRY_LOYALTY = 0.40
"""Loyalty from which an expelled agent may re-enter its coalition."""
COOLDOWN = 5.0
"""Steps an expelled agent stays outside at least."""


def platform_links(trust: Array, xp: Namespace | None = None) -> Array:
    """Strength min(T_j0, T_0j) of each partner's link to the platform, ``(..., N - 1)``.

    >>> platform_links(np.array([[1.0, 0.9, 0.2], [0.4, 1.0, 0.5], [0.6, 0.5, 1.0]]))
    array([0.4, 0.2])
    """
    xp = xp or namespace_of(trust)
    return xp.minimum(trust[..., 1:, 0], trust[..., 0, 1:])


def update_members(members: Array, links: Array, xp: Namespace | None = None) -> Array:
    """Let partners leave and return, and close the platform while nobody is left.

    Args:
        members: ``(..., N)`` of 0 and 1, the platform first.
        links: ``(..., N - 1)`` link strengths after the step.

    >>> update_members(np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.10, 0.40, 0.20]))  # leaves, returns, stays away
    array([1., 0., 1., 0.])
    """
    xp = xp or namespace_of(members)
    returning = xp.where(links >= RETURN_LEVEL, 1.0, members[..., 1:])
    return with_platform(xp.where(links < EXIT_LEVEL, 0.0, returning), xp)


def with_platform(partners: Array, xp: Namespace | None = None) -> Array:
    """Put the platform's membership before those of partners ``(..., N - 1)``: it is open while anybody is there.

    >>> with_platform(np.array([[0.0, 1.0], [0.0, 0.0]]))
    array([[1., 0., 1.],
           [0., 0., 0.]])
    """
    xp = xp or namespace_of(partners)
    return xp.concat([xp.max(partners, axis=-1, keepdims=True), partners], axis=-1)


def update_coalition(
    members: Array, timers: Array, loyalty: Array, exclusion: bool, xp: Namespace | None = None
) -> tuple[Array, Array]:
    """Expel the disloyal and readmit those who earned it, all at once.

    Args:
        members: ``(..., N)`` of 0 and 1.
        timers: ``(..., N)`` steps that those outside must still wait.
        loyalty: ``(..., N)`` after the step.
        exclusion: whether expulsion is in force.

    Returns:
        New members and new timers.

    >>> members, timers = np.array([1.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])
    >>> update_coalition(members, timers, loyalty=np.array([0.6, 0.1, 0.5]), exclusion=True)  # one leaves, one returns
    (array([1., 0., 1.]), array([0., 5., 0.]))
    """
    xp = xp or namespace_of(members)
    leaving = members * (loyalty < EXIT_LEVEL) if exclusion else xp.zeros_like(members)
    waiting = xp.maximum(timers - 1.0, 0.0) * (1.0 - members)
    timers = xp.where(leaving > 0.0, COOLDOWN, waiting)
    returning = (1.0 - members) * (timers <= 0.0) * (loyalty >= REENTRY_LOYALTY)
    return members - leaving + returning, timers
