"""From names to components: every `use:` looked up, every parameter validated, misfits refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from adharness.contracts.specs import DecisionLevel, Params
from adharness.errors import AdharnessError, PluginError, SuiteError
from adharness.suite.bound import Bound, BoundDataset, BoundMethod, BoundSuite, Overrides
from adharness.suite.deciders import thresholder_flaws
from adharness.suite.load import Suite
from adharness.suite.made_elsewhere import protocol_flaw
from adharness.suite.memories import PIXELS_BANK, gives_pixels, misfit, needs_pixels
from adharness.suite.schema import NONE, DatasetReference, MapSettings, Method, Reference
from adharness.suite.source import Loc, field_name
from adharness.suite.sweep import MAX_COMBINATIONS, Combination, combinations, plain, size
from adharness.suite.wording import combine, validate

if TYPE_CHECKING:
    from adharness.registry import Component, Registry

__all__ = ["Bound", "BoundDataset", "BoundMethod", "BoundSuite", "Overrides", "bind"]

_NOTHING = Overrides()


def bind(suite: Suite, registry: Registry, overrides: Overrides = _NOTHING) -> BoundSuite:
    """Look up every component of a suite and validate its parameters. Builds and reads nothing.

    Parameters
    ----------
    suite
        From `load_suite`.
    registry
        What is installed.
    overrides
        What the command line says; it fills fields marked SETTING and called `root` or `device`.

    Raises
    ------
    SuiteError
        If a component is unknown, a parameter is wrong, a scorer cannot fit on what its bank
        emits, or a thresholder lacks the calibration images it needs. All are reported together.
    PluginError
        If the first such mistake is a component of a broken plugin, or an ambiguous name.
    """
    binder = _Binder(suite, registry, overrides)
    document = suite.document
    bound = BoundSuite(
        name=document.name,
        path=suite.source.path,
        text=suite.source.text,
        data=tuple(binder.data()),
        methods=tuple(binder.methods()),
        normalizers=tuple(binder.listed("normalizer", document.normalizers)),
        thresholders=tuple(binder.listed("thresholder", document.thresholders)),
        protocols=document.protocols,
        split=document.split,
        maps=document.maps,
        metrics=document.metric_ids,
        statistics=document.statistics,
        views=document.views,
        seeds=document.seeds,
        on_error=document.on_error,
        pixel_threshold=binder.pixel_threshold(),
        deployment=document.counted_costs,
        report=document.report,
        limits=document.limits,
    )
    if binder.errors:
        raise combine(binder.errors)
    return bound


@dataclass
class _Binder:
    """Binds the parts of one suite and collects what is wrong with them."""

    suite: Suite
    registry: Registry
    overrides: Overrides
    errors: list[AdharnessError] = field(default_factory=list)

    def data(self) -> list[BoundDataset]:
        references = enumerate(self.suite.document.data)
        return [one for i, reference in references for one in self._datasets(reference, i)]

    def _datasets(self, reference: DatasetReference, i: int) -> list[BoundDataset]:
        bound = self._bound("dataset", reference, ("data", i), classes=reference.classes)
        return BoundDataset.with_shifts(reference, bound) if bound else []

    def methods(self) -> list[BoundMethod]:
        declared = self.suite.document.extractors
        extractors = {name: self._extractor(name) for name in declared}
        if any("extractor" not in m.model_fields_set for m in self.suite.document.methods):
            extractors[NONE] = self._bound("extractor", Reference(use=NONE), ("methods",))
        methods = enumerate(self.suite.document.methods)
        return [
            bound
            for i, method in methods
            for bound in self._method(method, extractors[method.extractor], ("methods", i))
        ]

    def _extractor(self, name: str) -> Bound | None:
        document = self.suite.document
        bound = self._bound("extractor", document.extractors[name], ("extractors", name))
        if bound is None:
            return None
        kept = "uint8" if gives_pixels(bound.component) else document.features.dtype
        return replace(bound, stored_as=kept)

    def _method(self, method: Method, extractor: Bound | None, loc: Loc) -> list[BoundMethod]:
        scorer = self._find("scorer", method.scorer, (*loc, "scorer"))
        whole = self._with_bank(method, scorer, loc)
        bank = self._find("bank", whole.bank, (*loc, "bank")) if whole else None
        if not (whole and bank and scorer and self._fits(extractor, bank, scorer, loc)):
            return []
        method = whole
        count = size(method.sweep)
        if count > MAX_COMBINATIONS:
            fact = f"{count} combinations, more than {MAX_COMBINATIONS}"
            self._wrong((*loc, "sweep"), fact, "try fewer values")
            return []
        bound, document = [], self.suite.document
        for choice in combinations(method.sweep):
            with_bank = self._choose(bank, method.bank, choice, loc)
            with_scorer = self._choose(scorer, method.scorer, choice, loc)
            maps = self._maps(method, choice, loc)
            if with_scorer and (flaw := protocol_flaw(with_scorer, document.protocols)):
                self._wrong((*loc, "scorer", "models"), *flaw)
            if extractor and with_bank and with_scorer and maps:
                name, parts = method.name + choice.suffix, (extractor, with_bank, with_scorer)
                bound.append(BoundMethod(name, method.extractor, *parts, maps))
        return bound

    def _maps(self, method: Method, choice: Combination, loc: Loc) -> MapSettings | None:
        """Lay the method's own map settings, and the swept ones, over the suite's."""
        swept = {name: value for name, (value, _, _) in choice.part("maps").items()}
        whole = self.suite.document.maps.model_dump(exclude_unset=True)
        place = choice.placed("maps", loc, MapSettings)
        maps, errors = validate(MapSettings, whole | method.maps | swept, self.suite.source, place)
        self.errors += errors
        return maps

    def _with_bank(self, method: Method, scorer: Component | None, loc: Loc) -> Method | None:
        """Fill in the bank of a method that names an extractor alone."""
        given = method.model_fields_set
        if scorer is None or "extractor" not in given or "bank" in given:
            return method
        if needs_pixels(scorer):
            return method.model_copy(update={"bank": Reference(use=PIXELS_BANK)})
        self._wrong((*loc, "bank"), "the key is missing", "add `bank:` here")
        return None

    def _fits(self, extractor: Bound | None, bank: Component, scorer: Component, loc: Loc) -> bool:
        seen = extractor.component if extractor else None
        flaw = misfit(seen, bank, scorer, self.registry)
        if flaw:
            self._wrong((*loc, *flaw[0]), *flaw[1:])
        return flaw is None

    def _choose(
        self, component: Component, reference: Reference, choice: Combination, loc: Loc
    ) -> Bound | None:
        """Bind the bank or the scorer with the swept values in place."""
        chosen = {name: value for name, (value, _, _) in choice.part(component.kind).items()}
        values = reference.params | chosen | self._settings(component)
        place = choice.placed(component.kind, loc, component.spec.params)
        params = self._params(component, values, place)
        return Bound(component, params) if params is not None else None

    def listed(self, kind: str, references: tuple[Reference, ...]) -> list[Bound]:
        """Bind a list; what is used more than once is labelled by its parameters."""
        bound: list[Bound] = []
        for i, reference in enumerate(references):
            loc: Loc = (f"{kind}s", i)
            item = self._bound(kind, reference, loc)
            if item is None:
                continue
            if any(item.identity() == other.identity() for other in bound):
                self._wrong(loc, f"'{reference.use}' is given twice with equal parameters")
            if kind == "thresholder":
                self._may_decide(item, "image", (*loc, "use"))
            bound.append(replace(item, label=_label(item.component.name, reference, references)))
        return bound

    def pixel_threshold(self) -> Bound | None:
        """Bind what decides pixels; None where the suite leaves it to the referee."""
        reference, loc = self.suite.document.pixel_threshold, ("pixel_threshold",)
        bound = self._bound("thresholder", reference, loc) if reference else None
        if bound:
            self._may_decide(bound, "pixel", (*loc, "use"))
        return bound

    def _may_decide(self, bound: Bound, level: DecisionLevel, loc: Loc) -> None:
        split, known = self.suite.document.split, self.registry.of_kind("thresholder")
        for fact, hint in thresholder_flaws(bound.component, level, split, list(known)):
            self._wrong(loc, fact, hint)

    def _bound(
        self, kind: str, reference: Reference, loc: Loc, classes: tuple[str, ...] | None = None
    ) -> Bound | None:
        component = self._find(kind, reference, loc)
        if component is None:
            return None
        values = reference.params | self._settings(component)
        # A reader that can leave classes out need not read them, and knows which do not exist.
        if classes and "classes" in component.spec.params.model_fields:
            values["classes"] = classes
        params = self._params(component, values, lambda inner: (*loc, *inner))
        return Bound(component, params) if params is not None else None

    def _find(self, kind: str, reference: Reference, loc: Loc) -> Component | None:
        place = (*loc, "use")
        where, name = self.suite.source.where(place), field_name(place)
        try:
            return self.registry.find(kind, reference.use, where=where, field=name)
        except (SuiteError, PluginError) as error:
            self.errors.append(error)
            return None

    def _params(
        self, component: Component, values: Mapping[str, Any], place: Callable[[Loc], Loc]
    ) -> Params | None:
        params, errors = validate(component.spec.params, values, self.suite.source, place)
        self.errors += errors
        return params

    def _settings(self, component: Component) -> dict[str, str]:
        """Fill in what the command line says, where the component takes it as a setting."""
        root = self.overrides.dataset_root(component.name)
        in_set = component.kind == "dataset"
        given = {"root": str(root) if root and in_set else None, "device": self.overrides.device}
        takes = component.spec.params
        return {name: value for name, value in given.items() if value and _is_setting(takes, name)}

    def _wrong(self, loc: Loc, fact: str, hint: str | None = None) -> None:
        self.errors.append(self.suite.source.error(loc, fact, hint=hint))


def _label(name: str, reference: Reference, references: tuple[Reference, ...]) -> str | None:
    if sum(other.use.rpartition("/")[2] == name for other in references) == 1:
        return None
    pairs = ",".join(f"{key}={plain(value)}" for key, value in sorted(reference.params.items()))
    return f"{name}[{pairs}]" if pairs else None


def _is_setting(model: type[Params], name: str) -> bool:
    info = model.model_fields.get(name)
    extra = info.json_schema_extra if info else None
    return isinstance(extra, dict) and bool(extra.get("setting"))
