"""Methods by name, made of their pieces."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from typing import Any

from coopgym.algorithms.llm.method.credit import Imitate
from coopgym.algorithms.llm.method.method import Method, Stage
from coopgym.algorithms.llm.method.method_table import RECIPES, Options, Recipe, Slots
from coopgym.algorithms.llm.method.objectives import Imitation
from coopgym.algorithms.llm.play.tasks import TaskSettings


def methods() -> list[dict[str, Any]]:
    """Return the table of methods: name, idea, slot, needs, source, stand-ins and status.

    >>> {method["name"]: method["source"] for method in methods()}["igpo"]
    'arXiv 2510.14967'
    """
    return [
        {
            "name": name,
            "idea": recipe.idea,
            "slot": recipe.slot,
            "needs": recipe.needs,
            "source": recipe.source,
            "stands_in": recipe.stands_in,
            "status": recipe.status,
        }
        for name, recipe in RECIPES.items()
    ]


def recipe_named(name: str) -> Recipe:
    """Return a method of the table.

    Raises:
        ValueError: there is none of this name; says which is nearest.
    """
    if name not in RECIPES:
        near = difflib.get_close_matches(name.lower(), RECIPES, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"unknown method {name!r}; {hint}known: {', '.join(RECIPES)}")
    return RECIPES[name]


def make_method(
    name: str,
    tasks: TaskSettings,
    seed: int,
    options: Options | None = None,
    slots: Slots | None = None,
    first_steps: int | None = None,
) -> Method:
    """Make a method's pieces.

    Args:
        name: of the method.
        tasks: what it trains on.
        seed: of the tasks.
        options: parameters of pieces, by the class of the piece.
        slots: other pieces for some slots.
        first_steps: steps of the fine-tuning stage, of methods that have one; None is the recipe's own number.

    Raises:
        ValueError: an unknown method, slot, piece or parameter, or a value out of range.

    >>> method = make_method("igpo", TaskSettings("TrustDilemma-v1"), seed=0)
    >>> [type(signal).__name__ for signal in method.main.signals], type(method.main.credit).__name__
    (['GoldBelief'], 'IGPO')
    """
    recipe, options = recipe_named(name).altered(slots or {}), options or {}
    if first_steps is not None and not recipe.first_steps:
        raise ValueError(f"first_steps={first_steps}: method {name!r} has no fine-tuning stage")
    stage_steps = recipe.first_steps if first_steps is None else first_steps
    if unknown := sorted(set(options) - set(recipe.pieces)):
        raise ValueError(f"method {name!r} has no piece {unknown[0]!r}; it is made of {', '.join(recipe.pieces)}")
    for piece, given in options.items():
        if not isinstance(given, Mapping):
            raise ValueError(f"options of {piece}: {given!r}; expected a table of parameters")

    def make(kind: type[Any], **given: Any) -> Any:
        own = {**recipe.settings.get(kind.__name__, {}), **options.get(kind.__name__, {})}
        fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
        known = [field.name for field in fields if field.init and field.name not in given]
        if wrong := sorted(set(own) - set(known)):
            raise ValueError(f"{kind.__name__} has no parameter {wrong[0]!r}; known: {', '.join(known) or 'none'}")
        return kind(**given, **own)

    main = Stage(
        make(recipe.credit),
        make(recipe.objective),
        [make(kind) for kind in recipe.signals],
        [make(kind) for kind in recipe.transforms],
        critic=recipe.critic,
        signals_first=recipe.signals_first and bool(recipe.transforms),
    )
    first = None
    if stage_steps:
        first = Stage(
            Imitate(),
            Imitation(),
            [make(kind) for kind in recipe.first_signals],
            [make(kind) for kind in recipe.first_transforms],
            signals_first=recipe.signals_first,
        )
    curriculum = make(recipe.curriculum, settings=tasks, seed=seed)
    return Method(curriculum, make(recipe.sampler), main, first, stage_steps)
