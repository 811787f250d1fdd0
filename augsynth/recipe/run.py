"""Run a recipe: skip what is done, go on where it was, and leave a folder that another person can run again."""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Subset

from augsynth._atomic import atomic_file
from augsynth._progress import say
from augsynth.errors import CapabilityError, ConfigError
from augsynth.evaluation.evaluate import evaluate
from augsynth.fitting.fit import fit
from augsynth.fitting.stratified import stratified_split
from augsynth.generator.generator import Generator
from augsynth.labels.frequencies import evenly
from augsynth.loading import load
from augsynth.preparing.findings import Preparation
from augsynth.preparing.prepare import prepare
from augsynth.privacy.budget import Privacy
from augsynth.recipe.arms import arms_of
from augsynth.recipe.keys import Recipe
from augsynth.recipe.outcome import RAREST, Outcome
from augsynth.recipe.reading import read_text, recipe_of
from augsynth.recipe.sets import Sets
from augsynth.recipe.state import State
from augsynth.recipe.writing import recipe_yaml
from augsynth.recognition import modality_of
from augsynth.registry import default_registry
from augsynth.utility.classic import tune_classic
from augsynth.utility.comparison import mean_interval
from augsynth.utility.result import Uplift, write_json
from augsynth.utility.trials import TrialStore
from augsynth.utility.uplift import arm_seed, uplift

_OF_THE_FIT = ("steps", "max_time", "topics", "batch_size", "micro_batch_size", "cache_dir")  # keys as they are
_TUNING = 10**6  # the draw that classic augmentation is chosen on, where each seed has one of its own


class Run:
    """One run of a recipe.

    Args:
        recipe: what to do.
        folder: where to; a run that is there already is gone on with.
        device: of fits and trainings.
        jobs: parallel trainings; None takes one a core.
        redo: do what has changed anew, in place of an error.
        show: show progress bars on a terminal.

    Raises:
        ConfigError: the recipe cannot be run, or the folder holds a run with other settings.
        DataError: the data cannot be read, or has no labels.
        CapabilityError: ``mode: vary`` with a generator that cannot.
    """

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        *,
        device: str | torch.device = "auto",
        jobs: int | None = None,
        redo: bool = False,
        show: bool = True,
    ) -> None:
        _check_plugins(recipe)
        self.recipe, self.folder, self.device, self.jobs, self.show = recipe, folder, device, jobs, show
        self.sets = Sets(recipe.data, recipe.seed, show=show)
        each = recipe.verdict.draws == "each" and recipe.verdict.uplift
        self.draws = list(range(recipe.verdict.seeds)) if each else [0]
        self.state = State(folder, self._plan(), redo=redo)
        self._generators: dict[int, Generator] = {}
        self.gone: Tensor | None = None
        self.skipped: list[str] = []
        self.seconds: dict[str, float] = {}

    def __call__(self) -> Outcome:
        """Do all stages that are not done, and say what came of them."""
        recipe, verdict = self.recipe, self.recipe.verdict
        if recipe.prepare is not None:
            self._stage("prepare", self._prepare)
            self.gone = torch.tensor(self.state.facts("prepare")["gone"], dtype=torch.int64)
        for draw in self.draws:
            self._stage(f"generator-{draw}", lambda draw=draw: self._fit(draw))
        outcome = Outcome(
            recipe,
            self.folder,
            self.sets,
            self.generator(0),
            skipped=self.skipped,
            seconds=self.seconds,
            gone=self.gone,
        )
        if recipe.prepare is not None:
            facts = self.state.facts("prepare")
            told = ", ".join(f"{count} {kind}" for kind, count in facts["found"].items())
            outcome.prepared = f"Of {facts['looked at']:,} samples: {told}. {len(facts['gone']):,} were left out."
        if verdict.evaluate:
            self._stage("evaluation", self._evaluate)
            outcome.evaluation = {k: self.state.facts("evaluation")[k] for k in ("sentence", "flags")}
        if verdict.uplift:
            if recipe.classic == "tune":
                self._stage("classic", self._tune_classic)
            found = self._stage("uplift", self._uplift)
            outcome.uplift = Uplift.from_json(self.state.facts("uplift")["found"]) if found is None else found
            outcome.rarest = self.state.facts("uplift")["rarest"]
            outcome.classic = self._classic()[0]
        return outcome

    def generator(self, draw: int) -> Generator:
        """The generator of a draw."""
        if draw not in self._generators:
            self._generators[draw] = load(self.folder / f"generator-{draw}")
        return self._generators[draw]

    # ------------------------------------------------------------------ stages

    def _stages(self) -> list[str]:
        """Those that this recipe has, in order."""
        verdict = self.recipe.verdict
        wanted = {
            "prepare": self.recipe.prepare is not None,
            **{f"generator-{draw}": True for draw in self.draws},
            "evaluation": verdict.evaluate,
            "classic": verdict.uplift and self.recipe.classic == "tune",
            "uplift": verdict.uplift,
        }
        return [name for name, has in wanted.items() if has]

    def _plan(self) -> dict[str, dict[str, Any]]:
        recipe = self.recipe
        fingerprints = {"train": self.sets.pool_data.fingerprint, "test": self.sets.test_data.fingerprint}
        plan: dict[str, dict[str, Any]] = {
            "data": {"data": asdict(recipe.data), "seed": recipe.seed, "fingerprint": fingerprints}
        }
        below = ["data"]
        if recipe.prepare is not None:
            plan["prepare"] = {"prepare": asdict(recipe.prepare), "after": ["data"]}
            below = ["data", "prepare"]
        settings = asdict(recipe.generator)
        own = default_registry().qualified_name("generator", recipe.generator.name)
        for draw in self.draws:
            plan[f"generator-{draw}"] = {"generator": settings, "plugin": own, "after": below}
        plan["evaluation"] = {"evaluate": True, "after": [*below, "generator-0"]}
        of_uplift = {key: value for key, value in asdict(recipe.verdict).items() if key not in ("evaluate", "uplift")}
        training = {"steps": recipe.verdict.steps, "metric": recipe.verdict.metric}
        plan["classic"] = {"classic": recipe.classic, "training": training, "after": below}
        plan["uplift"] = {
            "verdict": of_uplift,
            "blend": asdict(recipe.blend),
            "filters": recipe.filters,
            "after": [*below, *(f"generator-{draw}" for draw in self.draws), "classic"],
        }
        return plan

    def _stage(self, name: str, work: Any) -> Any:
        if self.state.done(name):
            self.skipped.append(name)
            self.seconds[name] = self.state.facts(name)["seconds"]
            return None
        stages = self._stages()
        say(f"{name} ({stages.index(name) + 1} of {len(stages)} stages)", show=self.show)
        started = time.perf_counter()
        self.state.begin(name)
        facts, made = work()
        self.seconds[name] = round(time.perf_counter() - started, 1)
        self.state.finish(name, seconds=self.seconds[name], **facts)
        return made

    def _prepare(self) -> tuple[dict[str, Any], Preparation]:
        keys = self.recipe.prepare
        wanted = {} if keys is None else asdict(keys)
        rows = torch.cat([self.sets.chosen(draw) for draw in self.draws]).unique()
        found = prepare(
            Subset(self.sets.pool, rows.tolist()),
            self.sets.test,
            look_for=[name for name, what in wanted.items() if what != "skip"],
            seed=self.recipe.seed,
            device=self.device,
            jobs=self.jobs,
            progress=self.show,
        )
        drop = [name for name, what in wanted.items() if what == "drop"]
        found.save(self.folder / "prepare", dropped=drop)
        kept = found.kept(drop)
        gone = sorted(set(rows.tolist()) - set(rows[kept].tolist()))
        return {"gone": gone, "found": found.counts, "looked at": len(rows)}, found

    def _fit(self, draw: int) -> tuple[dict[str, Any], Generator]:
        keys, folder = self.recipe.generator, self.folder / f"generator-{draw}"
        limits = {name: value for name in _OF_THE_FIT if (value := getattr(keys, name)) is not None}
        made = fit(
            keys.name,
            self.sets.train(draw, self.gone),
            seed=self.recipe.seed + draw,
            device=self.device,
            checkpoint_dir=folder,
            resume=(folder / "training").is_dir(),
            progress=self.show,
            privacy=None if keys.privacy is None else Privacy(**keys.privacy),
            **limits,
            **keys.settings,
        )
        if made.fit_info["ended"] == "interrupted":
            raise KeyboardInterrupt  # what was fitted is kept, and gone on with
        shutil.rmtree(folder / "training", ignore_errors=True)
        self._generators[draw] = made
        return {"fit": {k: v for k, v in made.fit_info.items() if k != "history"}}, made

    def _evaluate(self) -> tuple[dict[str, Any], Any]:
        found = evaluate(
            self.generator(0),
            self.sets.train(0, self.gone),
            self.sets.test,
            overlap="drop",
            seed=self.recipe.seed,
            out=self.folder / "evaluation",
        )
        return {"sentence": found.sentence, "flags": sorted(found.flags)}, found

    def _tune_classic(self) -> tuple[dict[str, Any], Any]:
        real, held = self._tuning_sets()
        chosen = tune_classic(
            real,
            validation=held,
            seed=self.recipe.seed,
            steps=self.recipe.verdict.steps,
            metric=self.recipe.verdict.metric,
            jobs=self.jobs,
            device=self.device,
            progress=self.show,
        )
        return {"chosen": chosen.name, "scores": chosen.scores}, chosen

    def _uplift(self) -> tuple[dict[str, Any], Uplift]:
        verdict, seed = self.recipe.verdict, self.recipe.seed
        draw_of = {arm_seed(seed, i): i if len(self.draws) > 1 else 0 for i in range(verdict.seeds)}
        arms = arms_of(self.recipe, self._base, self.generator, self._classic()[1], draw_of)
        names = list(arms)
        found = uplift(
            self._base(0),
            self.sets.test,
            arms,
            baseline=names[-3] if len(names) > 2 else names[0],
            seeds=verdict.seeds,
            steps=verdict.steps,
            metric=verdict.metric,
            stop_early=False,
            seed=seed,
            device=self.device,
            jobs=self.jobs,
            out=self.folder / "uplift",
            progress=self.show,
        )
        return {"found": found.to_json(), "rarest": self._rarest(found)}, found

    # ------------------------------------------------------------------ private

    def _base(self, draw: int) -> Any:
        return self._sampled(self.sets.chosen(draw, self.gone))

    def _sampled(self, rows: Tensor) -> Any:
        """These samples of the pool, as often as the recipe says."""
        even = evenly(self.sets.classes, rows) if self.recipe.data.sampling == "balanced" else rows
        return Subset(self.sets.pool, even.tolist())

    def _tuning_sets(self) -> tuple[Any, Any]:
        """What classic augmentation is chosen on: never a test sample, and no sample on both sides."""
        sets, seed = self.sets, self.recipe.seed
        if len(self.draws) > 1:  # the pool has more than a draw, and so there is one that no seed trains on
            own = sets.chosen(_TUNING, self.gone)
            rest = sets.rest(own, self.gone)
            if len(sets.classes[rest].unique()) == len(sets.names):
                return self._sampled(own), Subset(sets.pool, rest.tolist())
        everything = sets.chosen(0, self.gone)
        inner, outer = stratified_split(sets.pool_data.subset(everything), 0.25, seed)
        own, rest = everything[inner], everything[outer]
        return self._sampled(own), Subset(sets.pool, rest.tolist())

    def _classic(self) -> tuple[str, Any]:
        """Name and transform."""
        wanted = self.recipe.classic
        if wanted == "none":
            return "none", None
        if wanted == "tune":
            name = self.state.facts("classic")["chosen"]
            spec = self.sets.pool_data.spec
            return name, modality_of(spec).classic_candidates(spec).get(name)
        made = [default_registry().create("transform", name, **given) for name, given in wanted]
        return " + ".join(name for name, _ in wanted), made

    def _rarest(self, found: Uplift) -> dict[str, dict[str, Any]]:
        """Recall of each arm on the rarest classes of each draw, and its gain over the baseline."""
        if self.recipe.data.long_tail is None or len(self.sets.names) <= RAREST:
            return {}
        store = TrialStore.read(self.folder / "uplift")
        draws = {i: i if len(self.draws) > 1 else 0 for i in range(self.recipe.verdict.seeds)}
        rare = {i: self.sets.ranking(draw)[-RAREST:] for i, draw in draws.items()}
        scores = {
            arm: [sum(store[arm, i]["recalls"][c] for c in rare[i]) / len(rare[i]) for i in draws] for arm in found.arms
        }
        base = scores[found.baseline]
        return {
            arm: {
                "mean": sum(own) / len(own),
                "scores": own,
                "gain": None
                if arm == found.baseline
                else mean_interval([b - a for a, b in zip(base, own, strict=True)]),
            }
            for arm, own in scores.items()
        }


def run_recipe(
    recipe: Recipe | str | Path,
    out: str | Path,
    *,
    text: str | None = None,
    device: str | torch.device = "auto",
    jobs: int | None = None,
    redo: bool = False,
    progress: bool = True,
) -> Outcome:
    """Run a recipe and write what came of it: ``results.json``, pictures and, with the extra ``report``, a page.

    Args:
        recipe: a file, or what was read of one.
        out: folder; a run that is there already is gone on with, and what is done is skipped.
        text: of the recipe, kept in the folder; None takes that of the file, or writes it anew.
        device: of fits and trainings: ``"auto"``, ``"cpu"``, ``"cuda"``.
        jobs: parallel trainings; None takes one a core.
        redo: do what has changed anew, in place of an error.
        progress: show progress bars on a terminal.

    Raises:
        ConfigError: the file cannot be read, or what it says cannot be used, with the line; the folder holds a run with
            other settings.
        DataError: the data cannot be read, or has no labels.
        CapabilityError: ``mode: vary`` with a generator that cannot.

    Example:
        >>> augsynth.run_recipe("recipes/digits.yaml", "runs/digits").sentence
    """
    from augsynth.recipe.page import write_page

    folder = Path(out)
    if not isinstance(recipe, Recipe):
        text = read_text(recipe) if text is None else text
        recipe = recipe_of(text, str(recipe))
    outcome = Run(recipe, folder, device=device, jobs=jobs, redo=redo, show=progress)()
    text = recipe_yaml(recipe) if text is None else text
    with atomic_file(folder / "recipe.yaml") as draft:
        draft.write_text(text, encoding="utf-8")
    write_json(folder / "results.json", outcome.to_json())
    write_page(outcome, folder / "index.html", text)
    return outcome


def _check_plugins(recipe: Recipe) -> None:
    """Raise for a plugin that is not there, or cannot do what is asked, before hours are spent."""
    registry = default_registry()
    gen = registry.create("generator", recipe.generator.name, **recipe.generator.settings)
    if recipe.blend.mode == "vary" and "vary" not in gen.capabilities:
        raise CapabilityError(f"blend.mode: vary, and generator {recipe.generator.name!r} cannot vary samples")
    for name, _ in recipe.filters:
        registry.spec("filter", name)
    if recipe.classic not in ("tune", "none"):
        for name, given in recipe.classic:
            registry.create("transform", name, **given)
    drops = recipe.prepare is not None and "drop" in asdict(recipe.prepare).values()
    if recipe.generator.privacy is not None and drops:
        raise ConfigError(
            "generator.privacy beside prepare: what is dropped there follows from all samples, and no budget covers "
            "that; prepare the data beforehand, look at what was found, and leave prepare out"
        )
    unknown = set(recipe.blend.vary_options) & {"strength", "seed", "seeds"}
    if unknown:
        raise ConfigError(f"blend.vary_options: {', '.join(sorted(unknown))} is a key of blend itself")
