"""``coopgym reward``: what rewards ask for, how far they are apart, and which one a behaviour looks like."""

from __future__ import annotations

import typer

from coopgym.benchmarks.cli.standard_streams import say

reward = typer.Typer(help="Rewards: what they ask for, and how far they are apart.", no_args_is_help=True)


@reward.callback()
def _options() -> None:
    """Rewards: what they ask for, and how far they are apart."""


@reward.command(name="list")
def list_rewards() -> None:
    """List modes, and transforms with their flags."""
    from coopgym.rewards import transform_class, transform_kinds
    from coopgym.rewards.modes import FAMILIES, NAMED

    say(f"modes: {', '.join((*NAMED, *(form for form, _ in FAMILIES.values())))}")
    for kind in transform_kinds():
        transform = transform_class(kind)
        say(transform.usage())
