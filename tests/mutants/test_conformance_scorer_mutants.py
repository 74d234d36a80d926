"""Wrong scorers, each rejected by the check that names its fault, and by no other."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import wrong_scorers as wrong
from adharness import ScorerSpec
from adharness.testing import ConformanceError, conform, scorer_checks

MUTANTS: dict[str, tuple[ScorerSpec, set[str]]] = {
    "normal images score higher": (wrong.fitting(wrong.Inverted), {"scores-anomalies-higher"}),
    "scores are divided by the batch's highest": (
        wrong.fitting(wrong.BatchScaled),
        {"scores-each-image-alone"},
    ),
    "the query is centred in place": (
        wrong.fitting(wrong.CentredInPlace),
        # Every check that scores one array twice sees it too.
        {"leaves-inputs-unchanged", "takes-read-only-inputs"},
    ),
    "NaN becomes a number, a wrong D numpy's own error": (
        wrong.fitting(wrong.Unchecked),
        {"refuses-what-is-not-finite", "refuses-other-lengths"},
    ),
    "a longer vector is cut": (wrong.fitting(wrong.Truncated), {"refuses-other-lengths"}),
    "it keeps what it scored": (wrong.fitting(wrong.Hoarding), {"keeps-no-memory"}),
    "patch scores in float64": (wrong.fitting(wrong.Doubled), {"gives-finite-scores"}),
    "half the patches have no score": (
        wrong.fitting(wrong.Pooled),
        {"gives-finite-scores", "scores-anomalies-higher"},
    ),
    "infinite scores": (
        wrong.fitting(wrong.Overflowing),
        {"gives-finite-scores", "scores-each-image-alone", "copes-with-one-row"},
    ),
    "it names rows that are not there": (
        wrong.fitting(wrong.NamingTooMany, needs="bag"),
        {"names-rows-that-exist"},
    ),
    "a fact is NaN": (wrong.fitting(wrong.Undecided), {"tells-finite-facts"}),
    "its state is rounded": (wrong.fitting(wrong.Rounded), {"comes-back-from-its-state"}),
    "it prints": (wrong.fitting(wrong.Printing), {"prints-nothing"}),
    "native code prints": (wrong.fitting(wrong.WritingNatively), {"prints-nothing"}),
    "it draws from NumPy's global state": (
        wrong.fitting(wrong.GloballyRandom),
        {"ignores-global-random-state"},
    ),
    "it draws from a generator of its own": (
        wrong.fitting(wrong.FreshlyRandom),
        {"repeats-itself"},
    ),
    "it sets the number of threads": (wrong.spec(wrong.TakingThreads), {"leaves-threads-alone"}),
    "it connects when it is made": (wrong.spec(wrong.Downloading), {"downloads-nothing"}),
    "fitting gives the scorer itself": (wrong.spec(wrong.Himself), {"refits-are-independent"}),
    "it draws, and says it does not": (wrong.spec(wrong.Jittered), {"draws-only-if-it-says-so"}),
    "one row has no deviation": (wrong.spec(wrong.Unguarded, needs="bag"), {"copes-with-one-row"}),
    "it takes a memory without a row": (
        wrong.spec(wrong.TakingNothing, needs="bag"),
        {"refuses-an-empty-memory"},
    ),
    "a parameter without a description": (
        wrong.spec(wrong.Right, params=wrong.NakedParams),
        {"describes-its-parameters"},
    ),
    "parameters that do not come back": (
        wrong.spec(wrong.Right, params=wrong.LossyParams),
        {"parameters-come-back"},
    ),
    "a name in capitals": (wrong.spec(wrong.Right, name="Right"), {"record-is-whole"}),
    "an exemption without a reason": (
        wrong.spec(wrong.Right, exempt={"prints-nothing": ""}),
        {"exemptions-have-reasons"},
    ),
}
"""What is wrong, the scorer, and the checks that must say so."""

TOO = {
    "scores are divided by the batch's highest": {"scores-anomalies-higher"},
    "infinite scores": {"scores-anomalies-higher"},
    "the query is centred in place": {
        "comes-back-from-its-state",
        "draws-only-if-it-says-so",
        "ignores-global-random-state",
        "refits-are-independent",
        "repeats-itself",
        "scores-each-image-alone",
        "takes-strided-inputs",
    },
    "it draws from NumPy's global state": {
        "comes-back-from-its-state",
        "draws-only-if-it-says-so",
        "refits-are-independent",
        "repeats-itself",
        "scores-each-image-alone",
        "takes-read-only-inputs",
        "takes-strided-inputs",
    },
    "it draws from a generator of its own": {
        "comes-back-from-its-state",
        "draws-only-if-it-says-so",
        "ignores-global-random-state",
        "refits-are-independent",
        "takes-read-only-inputs",
    },
}
"""Checks that see a fault as well: of scores that differ each time, all that compare two."""


@pytest.fixture(autouse=True)
def threads_as_they_were() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def failing(spec: ScorerSpec) -> set[str]:
    return {outcome.check for outcome in conform(spec).outcomes if outcome.status == "failed"}


def test_the_scorer_that_is_right_keeps_every_clause() -> None:
    report = conform(wrong.spec(wrong.Right))
    assert [o for o in report.outcomes if o.status != "passed"] == []
    assert report.conforms


@pytest.mark.slow
@pytest.mark.parametrize("fault", MUTANTS, ids=str)
def test_a_wrong_scorer_is_rejected_by_the_check_that_names_its_fault(fault: str) -> None:
    spec, named = MUTANTS[fault]
    found = failing(spec)
    assert named <= found
    assert found - named <= TOO.get(fault, set())


def test_a_package_that_imports_torch_is_named_and_so_is_one_that_cannot_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    for name, line in (
        ("eager_scorer", "import sklearn"),
        ("broken_scorer", "import nowhere_at_all"),
    ):
        source = f"import sys\nif {name!r} not in sys.argv:\n    {line}\n"
        (tmp_path / f"{name}.py").write_text(source)
        params = type("Own", (wrong.RightParams,), {"__module__": name, "__doc__": "Its own."})
        spec = wrong.spec(wrong.Right, params=params)
        (told,) = [o for o in conform(spec, []).outcomes if o.status == "failed"]
        assert told.check == "imports-nothing-heavy"
        assert line.split()[1].partition(".")[0] in told.reason


class Leaving(wrong.RightFitted):
    def measured(self, patches: Any) -> Any:
        sys.exit("bye")


def test_a_scorer_that_leaves_the_program_is_a_failure_of_each_check_and_of_no_more() -> None:
    report = conform(wrong.fitting(Leaving))
    assert not report.conforms
    assert {o.reason for o in report.outcomes if o.check == "prints-nothing"} == {
        "it raised SystemExit: bye"
    }


def test_a_trial_is_a_test_that_says_clause_check_and_reason() -> None:
    trials = {str(t): t for t in scorer_checks(wrong.fitting(wrong.Inverted, needs="bag"))}
    trials["S2-gives-finite-scores[bag]"]()
    with pytest.raises(ConformanceError, match=r"S2 scores-anomalies-higher: an anomalous image"):
        trials["S2-scores-anomalies-higher[bag]"]()


def test_an_exemption_is_needed_or_the_report_says_so() -> None:
    exempt = {"scores-anomalies-higher": "It is upside down."}
    told = conform(wrong.fitting(wrong.Inverted, exempt=exempt))
    assert told.conforms
    assert told.counts["exempt"] == 2  # on a bag and on a grid
    idle = conform(wrong.spec(wrong.Right, exempt=exempt))
    assert not idle.conforms
    assert idle.needless == ("scores-anomalies-higher",)
