"""How fast things are beside others that were timed in the same run, from kept results of `coopgym bench`."""

from __future__ import annotations

import json
from typing import Any

from coopgym.benchmarks.documentation.kept import RESULTS
from coopgym.benchmarks.documentation.sources import speed
from coopgym.benchmarks.documentation.wording import listed, paragraph, short, table

MANY_SEATS = RESULTS / "many-seats.json"


def batches() -> str:
    """Say what a batch of games gains over one game at a time."""
    found = speed("C3")
    return paragraph(f"""
        On one CPU core a native batch of 1,024 games makes {found.ratio:.0f} times as many steps per second as one game
        through the parallel interface, {found.numerator / 1e6:.1f} million (`coopgym bench C3` measures it on yours;
        kept result of {found.date}).
    """)


def worlds() -> str:
    """Say what drawn factors, and such that change, cost a batch of games."""
    drawn, changing = speed("W1"), speed("W2")
    return paragraph(f"""
        A native batch of 1,024 TrustDilemma games in `private` takes {drawn.ratio:.2f} times as many steps per second
        as in `fixed`, in `shifting`, whose rows draw from streams of their own in every step, {changing.ratio:.2f}
        times (`coopgym bench W1 W2`; kept results of {listed(sorted({drawn.date, changing.date}))}).
    """)


def many_seats_caption() -> str:
    """Say how many seats were timed, and what the columns of the table are."""
    kept = _kept_seats()
    most = max(cell["rows"] for cell in kept["cells"])
    return paragraph(f"""
        Games that take a number of seats, on one core of {kept["machine"]}: steps of single environments per second of
        CPU, with rewards and with what all seats see in the `own` view, of one environment / a batch of {most}, and
        resident memory of the whole process at its peak, likewise, at the greatest number
        (`{kept["command"]}`; kept result of {kept["date"]}).
    """)


def many_seats_table() -> str:
    """Return steps per second by number of seats, and memory at the greatest number."""
    cells = {(cell["game"], cell["seats"], cell["rows"]): cell for cell in _kept_seats()["cells"]}
    names, seats, rows = (sorted({key[part] for key in cells}) for part in range(3))

    def told(game: str, size: int, column: str) -> str:
        return " / ".join(f"{cells[game, size, batch][column]:,.0f}" for batch in rows)

    headings = ["game", *(f"{size:,} seats: steps/s" for size in seats), f"{seats[-1]:,} seats: MiB"]
    return table(
        headings,
        (
            [short(game), *(told(game, size, "steps_per_second") for size in seats),
             told(game, seats[-1], "peak_mebibytes")]
            for game in names
        ),
    )  # fmt: skip


def _kept_seats() -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(MANY_SEATS.read_text(encoding="utf-8"))
    return kept


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
