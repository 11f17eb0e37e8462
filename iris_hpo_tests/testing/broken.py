"""Parts that break what they promise, each in one way; a contract has to notice."""

import time
import uuid
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits
from upath import UPath

from iris_hpo.engines import Done, Failed, Limits, SerialEngine
from iris_hpo.errors import CandidateError
from iris_hpo.space.candidates import Candidate
from iris_hpo.store.digests import ArtifactError
from iris_hpo.store.folder import ArtifactStore
from iris_hpo.store.objects import ObjectStore
from iris_hpo.testing import (
    EngineContract,
    ObjectiveContract,
    ReportContract,
    SamplerContract,
    SplitterContract,
    StoreContract,
)
from iris_hpo.training.evaluation import Evaluation
from iris_hpo.training.predictions import Predictions

Outcomes = Generator[Sequence[Done[Any, Any] | Failed[Any]], None, None]


class BrokenEngine(SerialEngine, EngineContract):
    """An engine that is tested by itself."""

    def make_engine(self) -> "BrokenEngine":
        return self


class LosesFailures(BrokenEngine):
    def map(self, work: Any, items: Any, limits: Limits) -> Outcomes:
        for together in super().map(work, items, limits):
            yield [outcome for outcome in together if isinstance(outcome, Done)]


class FailsTogether(BrokenEngine):
    def map(self, work: Any, items: Any, limits: Limits) -> Outcomes:
        outcomes = [one for together in super().map(work, items, limits) for one in together]
        failed = [one for one in outcomes if isinstance(one, Failed)]
        if outcomes:
            yield [Failed(one.item, failed[0].reason) for one in outcomes] if failed else outcomes


class RetriesAll(BrokenEngine):
    def map(self, work: Any, items: Any, limits: Limits) -> Outcomes:
        def stubborn(item: Any) -> Any:
            try:
                return work(item)
            except CandidateError:
                return work(item)

        yield from super().map(stubborn, items, limits)


class RetriesNothing(BrokenEngine):
    def map(self, work: Any, items: Any, limits: Limits) -> Outcomes:  # noqa: ARG002
        yield from super().map(work, items, Limits(retries=0))


class WaitsForAll(BrokenEngine):
    def map(self, work: Any, items: Any, limits: Limits) -> Outcomes:
        yield from list(super().map(work, items, limits))


class ForgetsWarnings(BrokenEngine):
    def map(self, work: Any, items: Any, limits: Limits) -> Outcomes:
        for together in super().map(work, items, limits):
            yield [
                Done(one.item, one.result)
                if isinstance(one, Done)
                else Failed(one.item, one.reason, one.ends_run)
                for one in together
            ]


class UsesAllCores(BrokenEngine):
    def map(self, work: Any, items: Any, limits: Limits) -> Outcomes:
        def at_large(item: Any) -> Any:
            with threadpool_limits(2):
                return work(item)

        yield from super().map(at_large, items, limits)


class TakesAhead(BrokenEngine):
    workers = 1

    def draw(self, work: Any, supply: Any, limits: Limits) -> Outcomes:
        ahead = [*supply.take(1)]
        while ahead:
            ahead += supply.take(1)
            yield from super().map(work, [ahead.pop(0)], limits)


class GivesUp(BrokenEngine):
    def draw(self, work: Any, supply: Any, limits: Limits) -> Outcomes:
        ahead = [*supply.take(3)]
        while ahead:
            item, ahead = ahead[0], ahead[1:] or [*supply.take(3)]
            yield from super().map(work, [item], limits)


class GoesOn(BrokenEngine):
    def map(self, work: Any, items: Any, limits: Limits) -> Outcomes:
        outcomes = super().map(work, items, limits)
        try:
            yield from outcomes
        except GeneratorExit:
            for item in items:
                if isinstance(item, tuple):
                    work((None, item[-1]))
            raise


class BrokenStore(StoreContract):
    """A store in memory."""

    def make_store(self) -> ArtifactStore:
        return self.kind(UPath(f"memory://{uuid.uuid4().hex}/artifacts"))

    class kind(ObjectStore):  # noqa: N801
        pass


class LeadsOutside(BrokenStore):
    class kind(ObjectStore):  # noqa: N801
        def _place(self, name: str) -> UPath:
            return self.path(name.strip("/.") or "x")


class WritesInParts(BrokenStore):
    class kind(ObjectStore):  # noqa: N801
        def write_together(self, files: Mapping[str, bytes]) -> None:
            for name, content in files.items():
                super().write_together({name: content[: len(content) // 2]})
                time.sleep(0.002)
                super().write_together({name: content})


class WritesTheFirst(BrokenStore):
    class kind(ObjectStore):  # noqa: N801
        def write_together(self, files: Mapping[str, bytes]) -> None:
            for name in list(files)[:1]:
                super().write_together({name: files[name]})


class ListsAsItLikes(BrokenStore):
    class kind(ObjectStore):  # noqa: N801
        def list(self, folder: str) -> list[str]:
            return super().list(folder)[::-1]


class InventsFiles(BrokenStore):
    class kind(ObjectStore):  # noqa: N801
        def read(self, name: str, **options: Any) -> bytes:
            try:
                return super().read(name, **options)
            except ArtifactError:
                return b""


class LosesTheLastByte(BrokenStore):
    class kind(ObjectStore):  # noqa: N801
        def read(self, name: str, **options: Any) -> bytes:
            return super().read(name, **options)[:-1]


class BrokenSampler(SamplerContract):
    """A sampler that is tested by itself."""

    def make_sampler(self) -> "BrokenSampler":
        return self


class ProposesNone(BrokenSampler):
    def propose(self, *_: Any) -> list[Candidate]:
        return []


class ProposesTexts(BrokenSampler):
    def propose(self, *_: Any) -> Any:
        return ["C1.0_D1"]


class ProposesAnotherKey(BrokenSampler):
    def propose(self, *_: Any) -> list[Candidate]:
        return [Candidate("C1_D1", (1.0, 1))]


class ProposesByChance(BrokenSampler):
    def propose(self, *_: Any) -> list[Candidate]:
        return [self.space.candidate([np.random.rand(), 1])]


class BrokenSplitter(SplitterContract):
    """Divides rows soundly."""

    n_folds: Any = 2
    train: Any = range(40)
    test: Any = range(40, 60)
    pairs: Any = ((range(20), range(20, 40)), (range(20, 40), range(20)))

    def make_splitter(self) -> Any:
        contract = self

        class Divides:
            n_folds = contract.n_folds

            def split(self, data: Any) -> Any:  # noqa: ARG002
                return contract.train, contract.test

            def folds(self, data: Any) -> Any:  # noqa: ARG002
                return contract.pairs

            def identity(self) -> Any:
                return contract.describe()

        return Divides()

    def describe(self) -> Any:
        return {"rows": 40}


class Leaks(BrokenSplitter):
    test = range(39, 60)


class HasNoTest(BrokenSplitter):
    test = ()


class CountsFromOne(BrokenSplitter):
    test = range(41, 61)


class LearnsOneClass(BrokenSplitter):
    train = range(0, 60, 3)
    test = range(1, 60, 3)


class MiscountsFolds(BrokenSplitter):
    n_folds = 3


class FoldsOfAllRows(BrokenSplitter):
    pairs = ((range(20), range(20, 60)), (range(20, 60), range(20)))


class FoldsThatLeak(BrokenSplitter):
    pairs = ((range(40), range(20, 40)), (range(20, 40), range(20)))


class DividesByChance(BrokenSplitter):
    @property
    def train(self) -> Any:
        return np.random.permutation(40)[:20]


class DescribesItselfByChance(BrokenSplitter):
    def describe(self) -> Any:
        return {"number": uuid.uuid4().hex}


class BrokenReport(ReportContract):
    """A report that is tested by itself."""

    def make_report(self) -> Any:
        return self


class RendersNothing(BrokenReport):
    def render(self, _: Any) -> Any:
        return {}


class RendersTexts(BrokenReport):
    def render(self, _: Any) -> Any:
        return {"best.txt": "best"}


class RendersTheLeaderboard(BrokenReport):
    def render(self, _: Any) -> Any:
        return {"leaderboard.csv": b""}


class RendersByChance(BrokenReport):
    def render(self, _: Any) -> Any:
        return {"best.bin": np.random.bytes(8)}


class NeedsFolds(BrokenReport):
    def render(self, selection: Any) -> Any:
        assert all(row.scored.evaluation.fold_scores for row in selection.rows)
        return {"folds.txt": b""}


class BrokenObjective(ObjectiveContract):
    """Scores the mean of the features, soundly."""

    task = "regression"
    scoring = "mean"

    def make_objective(self) -> Any:
        return type(self)()

    def identity(self) -> Any:
        return {"version": 1}

    def train(self, _parameters: Any, features: Any, _target: Any) -> Any:
        return float(features.mean())

    def score(self, model: Any, _parameters: Any, _examples: Any) -> Evaluation:
        return Evaluation(model)


class HasNoScoring(BrokenObjective):
    scoring = "rank"


class CountsItsObjectives(BrokenObjective):
    def identity(self) -> Any:
        return {"number": id(self), "at": uuid.uuid4().hex}


class ScoresNothing(BrokenObjective):
    def score(self, *_: Any) -> Evaluation:
        return Evaluation(float("nan"))


class ScoresOneFold(BrokenObjective):
    def score(self, *_: Any) -> Evaluation:
        return Evaluation(0.5, fold_scores=(0.5,))


class TrainsByChance(BrokenObjective):
    def train(self, *_: Any) -> Any:
        return float(np.random.rand())


class Remembers(BrokenObjective):
    seen = 0

    def train(self, *_: Any) -> Any:
        self.seen += 1
        return float(self.seen)


class KnowsItsModels(BrokenObjective):
    def train(self, _parameters: Any, features: Any, _target: Any) -> Any:
        self.model = (features.mean(),)
        return self.model

    def score(self, model: Any, *_: Any) -> Evaluation:
        return Evaluation(0.5 if model is getattr(self, "model", None) else 0.0)


class PredictsAll(BrokenObjective):
    """One prediction for all rows of the test."""

    def predictions(self, examples: Any) -> Predictions:
        folds = tuple(examples.target[rows] for _, rows in examples.folds)
        return Predictions(folds, examples.test_target[:1])

    def score(self, model: Any, _parameters: Any, examples: Any) -> Evaluation:
        return Evaluation(model, predictions=self.predictions(examples))


class PredictsInfinity(PredictsAll):
    def predictions(self, examples: Any) -> Predictions:
        folds = tuple(examples.target[rows] for _, rows in examples.folds)
        return Predictions(folds, examples.test_target * np.inf)


class PredictsCodes(PredictsAll):
    task = "classification"

    def predictions(self, examples: Any) -> Predictions:
        folds = tuple(np.zeros(len(rows)) for _, rows in examples.folds)
        return Predictions(folds, np.zeros(len(examples.test_target)))


class PredictsOtherClasses(PredictsAll):
    task = "classification"

    def predictions(self, examples: Any) -> Predictions:
        folds = tuple(np.repeat("z", len(rows)) for _, rows in examples.folds)
        return Predictions(folds, examples.test_target)
