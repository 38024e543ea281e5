"""How fast things are beside others that were timed in the same run, from kept results of `coopgym bench`."""

from __future__ import annotations

from coopgym.benchmarks.documentation.sources import speed
from coopgym.benchmarks.documentation.wording import listed, paragraph


def batches() -> str:
    """Say what a batch of games gains over one game at a time."""
    found = speed("C3")
    return paragraph(f"""
        On one CPU core a native batch of 1,024 games makes {found.ratio:.0f} times as many steps per second as one game
        through the parallel interface, {found.numerator / 1e6:.1f} million (`coopgym bench C3` measures it on yours;
        kept result of {found.date}).
    """)


def gradient_updates() -> str:
    """Say how long our gradient updates take beside those of stable-baselines3."""
    ppo, sac = speed("U_PPO"), speed("U_SAC")
    return paragraph(f"""
        A gradient update takes {ppo.ratio:.2f} (IPPO) and {sac.ratio:.2f} (ISAC) of the time of stable-baselines3's PPO
        and SAC with equal networks and batches, play included, side by side on one core (`coopgym bench U_PPO U_SAC`;
        kept results of {listed(sorted({ppo.date, sac.date}))}).
    """)


def text_decisions() -> str:
    """Say what a decision in text costs in steps of the game."""
    plain, asking = speed("C18"), speed("C18b")
    return paragraph(f"""
        `coopgym bench C18 C18b` measures a decision in the `json` dialect, prompt, reading and dispatch, against one
        step of the same game: {plain.ratio:.1f} steps for a decision that submits, {asking.ratio:.1f} with a payoff
        call first (medians, interquartile ranges {plain.spread:.1f} and {asking.spread:.1f}; kept result of
        {plain.date}).
    """)


def replay() -> str:
    """Say what an episode from the cache of answers takes of its live time."""
    found = speed("C18c")
    return paragraph(f"""
        **Replay.** With a cache and a model's name in the address, a second play makes no request. `coopgym bench C18c`
        measures it: ten rounds with two messages per decision and a server that takes 50 ms per reply replay in
        {100 * found.ratio:.1f} % of the live time (median, interquartile range {100 * found.spread:.1f} %; kept
        result of {found.date}; bound: 2 %).
    """)
