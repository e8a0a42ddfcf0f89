"""`SemanticGuidance`: a rule as a diffusers guider, for every pipeline whose denoiser takes one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from diffusers.configuration_utils import register_to_config
from diffusers.guiders.guider_utils import BaseGuidance, GuiderOutput, rescale_noise_cfg
from torch import Tensor

from semguide import moved
from semguide.adapters.guiders.encoded_concepts import SOURCES, EncodedConcepts
from semguide.adapters.guiders.rule_config import RuleLike, config_of, rule_of
from semguide.adapters.guiders.session import GuiderSession
from semguide.adapters.pipelines.caches import check_no_cache
from semguide.adapters.pipelines.patches import PatchWatch
from semguide.errors import GuidanceNotApplied, InvalidArgument, notify
from semguide.guidance import FiniteCheck, RuleSession, Trace
from semguide.guidance.rule import step_evaluations

COND, UNCOND, CONCEPT = "pred_cond", "pred_uncond", "pred_concept_"


class SemanticGuidance(BaseGuidance):
    """Classifier-free guidance with a rule's correction, as a guider of diffusers.

    With the concept scale 0, without concepts, and at steps where the rule does nothing it is diffusers' own
    `ClassifierFreeGuidance` to the last bit. Concepts are evaluated only at steps where the rule uses them. They are
    set by `SemanticConceptsStep` or with `set_concepts`. With a scale of 1, for checkpoints of a few steps, there is no
    guidance, and `BalancedSGT` steers the prompt's own prediction.

    Args:
        rule: A rule such as `BalancedSGT()`, which brings the guidance scale; also its name, or its name and
            parameters as in the config. None is `BalancedSGT()`.
        guidance_rescale: Rescaling of the guided prediction (arXiv 2305.08891, section 3.4), in [0, 1] (0: off).
        use_original_formulation: Compute c + w (c - u), where a pipeline counts w from c; the rule is told w + 1.
        full_trace: Evaluate the concepts at every guided step, also where the rule does not use them.
        start: First guided step, as a fraction of the steps; before it only the prompt is evaluated.
        stop: End of the guided steps, excluded, as a fraction of the steps.
        enabled: Whether to guide at all.
    """

    _input_predictions = [COND, UNCOND]  # noqa: RUF012 (the base class wants a list)
    spatio_temporal_guidance_blocks = None
    """What LTX-2 asks of its guiders: no blocks are left out."""

    @register_to_config
    def __init__(
        self,
        rule: RuleLike = None,
        *,
        guidance_rescale: float = 0.0,
        use_original_formulation: bool = False,
        full_trace: bool = False,
        start: float = 0.0,
        stop: float = 1.0,
        enabled: bool = True,
    ) -> None:
        super().__init__(start, stop, enabled)
        self.rule = rule_of(rule)
        if not self.rule.uses_concepts:
            remedy = "use semguide.steer, or the guider that diffusers has for it"
            raise InvalidArgument("rule", "must be one that uses concepts in a guider", self.rule.name, remedy)
        if self.rule.null_tokens:
            raise InvalidArgument(
                "rule", "must leave the negative prompt as it is in a guider", self.rule.name, "use semguide.steer"
            )
        implied = [name for name in self.config.get("_use_default_values", []) if name != "rule"]
        self.register_to_config(rule=config_of(self.rule), _use_default_values=implied)
        self.guidance_rescale = guidance_rescale
        self.use_original_formulation = use_original_formulation
        self.full_trace = full_trace
        self._concepts: EncodedConcepts | None = None
        self._session: GuiderSession | None = None
        self._before: SemanticGuidance | None = None
        self._batches: list[str] = []
        self._rows = 1
        self._fresh = True
        self._stale_cache = True
        self._told = False
        self._checked: Any = None
        self._watch: PatchWatch | None = None
        self._finite = FiniteCheck()
        self._stays_enabled: bool | None = None
        self._cache = ExitStack()

    @property
    def guidance_scale(self) -> float:
        """The rule's guidance scale."""
        return self.rule.guidance_scale

    @property
    def trace(self) -> Trace | None:
        """What the rule saw and did in the last trajectory; None where it evaluated no concept."""
        return None if self._session is None else self._session.trace()

    def set_concepts(
        self,
        texts: Sequence[Sequence[str]],
        fields: Sequence[Mapping[str, Any]],
        *,
        scheduler: Any = None,
        predicts_x0: bool = False,
        before: SemanticGuidance | None = None,
    ) -> None:
        """Set the concepts of the next trajectories.

        Args:
            texts: The concept texts of each prompt; empty lists ask for plain guidance.
            fields: The encoding of the k-th concepts of all prompts, for each k: what the denoiser or the pipeline's
                state calls it -> one row per prompt.
            scheduler: The pipeline's scheduler; rules that remember from step to step need it unless the model
                predicts eps.
            predicts_x0: Whether the pipeline hands over x0 predictions whatever the model predicts.
            before: The guider of the earlier steps, where a pipeline has one for each part of the steps (Wan 2.2): its
                trajectory, trace and all, goes on here. Both need the same rule.

        Raises:
            InvalidArgument: The rule needs guidance, and its scale turns that off.
        """
        if self._enabled and not self._has_scale() and self.rule.needs_uncond and not self.rule.is_noop:
            told = f"must be > {self._off:g} ({self._off:g} turns the guidance off, which {self.rule.name} needs)"
            remedy = "use BalancedSGT for a run without guidance"
            raise InvalidArgument("guidance_scale", told, self.guidance_scale, remedy)
        self._concepts = EncodedConcepts(tuple(map(tuple, texts)), tuple(fields), scheduler, predicts_x0)
        self._session, self._before, self._fresh = None, before, True
        self._stays_enabled = self._enabled

    def needs_encoding(self) -> bool:
        """Say whether concepts would be evaluated at all."""
        acts = self._has_scale() or not self.rule.needs_uncond
        return self._enabled and acts and (self.full_trace or not self.rule.is_noop)

    @property
    def num_conditions(self) -> int:
        """The largest number of predictions of a step, whatever the step: encoders ask before the first one."""
        if not self._enabled:
            return 1
        most = self._concepts.most if self._concepts is not None and self.needs_encoding() else 0
        if self._has_scale():
            return step_evaluations(most)
        return max(2, step_evaluations(most, "conditional")) if self.needs_encoding() else 1  # Wan cannot encode for 1

    @property
    def is_conditional(self) -> bool:
        """Whether the batch at hand is one of a text that is wanted in the picture."""
        return self._identifier() != UNCOND

    def active_predictions(self) -> list[str]:
        """Return the names of this step's batches."""
        return list(self._batches)

    def set_state(self, step: int, num_inference_steps: int, timestep: Any) -> None:
        """Take note of where the loop is; a step that is not after the last one begins a trajectory."""
        if self._fresh or step <= self._step:
            self._session, self._fresh, self._stale_cache, self._told = None, False, True, False
            self._checked, self._watch, self._finite = None, None, FiniteCheck()
        super().set_state(step, num_inference_steps, timestep)

    def prepare_inputs(self, data: Any) -> list[Any]:
        """Return the batches of a step, from denoiser field -> (cond, uncond) or one value for both."""
        pairs = {field: value for field, value in data.items() if isinstance(value, tuple)}
        texts = [value for field, value in pairs.items() if field in SOURCES and value[0] is not None]
        guided = self._guided() and _has_uncond([value[1:] for value in texts])
        uncond = self._prepare_batch(data, 1, UNCOND) if guided else None
        alone = {field for field in data if field in SOURCES} if self._unguided() else set[str]()
        names = {field: (*SOURCES.get(field, ()), field) for field in data if field in pairs or field in alone}
        return self._batches_of(self._prepare_batch(data, 0, COND), uncond, names)

    def prepare_inputs_from_block_state(self, data: Any, input_fields: dict[str, Any]) -> list[Any]:
        """Return the batches of a step, from denoiser field -> names of (cond, uncond) in the state or one name."""
        pairs = {field: value for field, value in input_fields.items() if isinstance(value, tuple)}
        texts = [value for value in pairs.values() if getattr(data, value[0], None) is not None]
        guided = self._guided() and _has_uncond([[getattr(data, name, None) for name in value[1:]] for value in texts])
        uncond = self._prepare_batch_from_block_state(input_fields, data, 1, UNCOND) if guided else None
        alone = {key: (value,) for key, value in input_fields.items() if key in SOURCES} if self._unguided() else {}
        names = {field: (value[0], field) for field, value in {**alone, **pairs}.items()}
        return self._batches_of(self._prepare_batch_from_block_state(input_fields, data, 0, COND), uncond, names)

    def prepare_models(self, denoiser: torch.nn.Module) -> None:
        """Give each prediction a cache of its own where the denoiser caches; begin a trajectory with empty ones."""
        super().prepare_models(denoiser)
        caching: Any = denoiser
        if self._checked is not denoiser and CONCEPT in "".join(self._batches):
            own_caches = bool(getattr(caching, "is_cache_enabled", False))
            check_no_cache(denoiser, "the denoiser", own_caches=own_caches)
            self._checked, self._watch = denoiser, PatchWatch(denoiser, "the denoiser")
        self._cache.close()
        if self._watch is not None:
            self._cache.enter_context(self._watch.call())
        if not getattr(caching, "is_cache_enabled", False) or self._count_prepared > len(self._batches):
            return
        if self._stale_cache:
            self._stale_cache = False
            caching._reset_stateful_cache()
        self._cache.enter_context(caching.cache_context(self._identifier()))

    def cleanup_models(self, denoiser: torch.nn.Module) -> None:
        """Leave the prediction's cache.

        Raises:
            UnsupportedPipeline: Something that was put into the denoiser keeps state between its calls.
        """
        self._cache.close()

    def __call__(self, data: list[Any]) -> GuiderOutput:
        """Combine the batches of a step, whose predictions the pipeline has put into `noise_pred`."""
        return self.forward(**{getattr(batch, self._identifier_key): batch.noise_pred for batch in data})

    def forward(self, pred_cond: Tensor, pred_uncond: Tensor | None = None, **concepts: Tensor) -> GuiderOutput:
        """Return the guided prediction.

        Args:
            pred_cond: For the prompts, (image, *dims).
            pred_uncond: For the negative prompts; None where there is no guidance.
            **concepts: For the k-th concepts of all images: `pred_concept_0`, `pred_concept_1`, ...
        """
        pred = pred_cond
        if pred_uncond is not None:
            shift = pred_cond - pred_uncond
            pred = pred_cond if self.use_original_formulation else pred_uncond
            pred = pred + self.guidance_scale * shift
        ordered = [concepts[f"{CONCEPT}{k}"] for k in range(len(concepts))]
        if ordered:
            pred = self._steered(pred, pred_cond, pred_uncond, ordered)
        if self.guidance_rescale > 0.0:
            pred = rescale_noise_cfg(pred, pred_cond, self.guidance_rescale)
        self._finite.note(f"the denoiser at step {(self._step or 0) + 1}", pred)
        self._end_of_step()
        return GuiderOutput(pred=pred, pred_cond=pred_cond, pred_uncond=pred_uncond)

    def _steered(self, pred: Tensor, cond: Tensor, uncond: Tensor | None, concepts: Sequence[Tensor]) -> Tensor:
        """Return the prediction with the rule's correction."""
        if self._rows == 1 and len(pred) != 1:  # WanAnimate 2 hands over its one video without a batch dimension
            single, base = [part.unsqueeze(0) for part in concepts], None if uncond is None else uncond.unsqueeze(0)
            return self._steered(pred.unsqueeze(0), cond.unsqueeze(0), base, single).squeeze(0)
        if self._session is None:
            scale = self.guidance_scale + (1.0 if self.use_original_formulation else 0.0)
            before = None if self._before is None else self._before._session
            self._session = GuiderSession(
                self.rule, scale, self._known_concepts(), self._num_inference_steps, pred, before
            )
        return self._session.steer(pred, cond, uncond, concepts, self._step)

    def _batches_of(self, cond: Any, uncond: Any, names: Mapping[str, Sequence[str]]) -> list[Any]:
        """Return the batches: for the prompts, the negative prompts, and each concept number."""
        fields = cond.as_dict()
        self._rows = next((len(fields[name]) for name in names if fields.get(name) is not None), 1)
        batches = [cond] if uncond is None else [cond, uncond]
        if (uncond is not None or self._unguided()) and self._wants_concepts():
            known = self._known_concepts()
            for k in range(known.most):
                own = {**fields, **known.conditioning(k, fields, names), self._identifier_key: f"{CONCEPT}{k}"}
                batches.append(type(cond)(**own))
        elif uncond is None and self._guided() and self._stays_enabled:
            self._miss_uncond()
        self._batches = [getattr(batch, self._identifier_key) for batch in batches]
        return batches

    def _miss_uncond(self) -> None:
        """Say that the pipeline runs without guidance, as SD3 does without a negative prompt: once a trajectory.

        Raises:
            GuidanceNotApplied: The rule has concepts to look at.
        """
        missing = "the pipeline made no unconditional embeddings"
        remedy = 'give it a negative_prompt, such as "", or turn the guider off with disable()'
        if self._wants_concepts() and self._known_concepts().most:
            raise GuidanceNotApplied(f"{missing}, which the rule needs; {remedy}")
        if not self._told:
            self._told = True
            notify(f"{missing}, so it runs without any guidance", remedy)

    def _guided(self) -> bool:
        """Say whether this step is guided, by the same test as diffusers' own guider."""
        return self._has_scale() and self._in_range()

    def _in_range(self) -> bool:
        """Say whether the guider works at this step."""
        if not self._enabled:
            return False
        count = self._num_inference_steps
        return count is None or int(self._start * count) <= self._step < int(self._stop * count)

    def _unguided(self) -> bool:
        """Say whether a step without guidance is steered, by a rule that does not need it."""
        return self._in_range() and not self._has_scale() and not self.rule.needs_uncond

    @property
    def _off(self) -> float:
        return 0.0 if self.use_original_formulation else 1.0

    def _has_scale(self) -> bool:
        return not math.isclose(self.guidance_scale, self._off)

    def _wants_concepts(self) -> bool:
        most = self.rule.min_concepts if self._concepts is None else self._concepts.most
        return self.full_trace or self.rule.needs_concepts(self._step, self._num_inference_steps, most)

    def _known_concepts(self) -> EncodedConcepts:
        if self._concepts is None:
            raise GuidanceNotApplied(
                "the guider has no concepts; insert SemanticConceptsStep into the pipeline's blocks "
                "(with_semantic_guidance does), or call set_concepts before the run"
            )
        return self._concepts

    def _identifier(self) -> str | None:
        """Return the name of the batch at hand; None past the guider's own ones."""
        index = self._count_prepared - 1
        return self._batches[index] if 0 <= index < len(self._batches) else None

    def _end_of_step(self) -> None:
        """Undo after the last step what SDXL's loop does to the guider, which it enables or disables by the model.

        A rule that never acted warns then, and NaN or infinity in a prediction ends the run.
        """
        if self._step is None or self._step < (self._num_inference_steps or 0) - 1 or not self._num_inference_steps:
            return
        if self._stays_enabled is not None:
            self._enabled = self._stays_enabled
        self._finite.check()
        if self._concepts is not None and self.needs_encoding():
            texts = self._concepts.texts_of(len(self._concepts.texts))
            idle = RuleSession(self.rule, texts) if self._session is None else self._session.rule_session
            idle.warn_if_idle(self._num_inference_steps)


def _has_uncond(others: Sequence[Sequence[Any]]) -> bool:
    """Say whether every text field, given by what follows its cond value, has one for the negative prompts."""
    return bool(others) and all(len(values) > 0 and values[0] is not None for values in others)


moved.register("semguide.adapters.guider")  # modular pipelines saved by 0.1.0 name this module so
