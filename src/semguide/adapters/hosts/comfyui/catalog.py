"""All nodes by their ids, as ComfyUI asks for them."""

from __future__ import annotations

from functools import cache
from typing import Any

from semguide.adapters.hosts.comfyui.encoding import (
    DecomposePrompt,
    DecomposePromptFlux,
    DecomposePromptSDXL,
    GatherConcepts,
)
from semguide.adapters.hosts.comfyui.nodes import SemanticGuidanceModelNode, SemanticGuidanceNode, Trajectory
from semguide.adapters.hosts.comfyui.parameter_nodes import parameter_nodes
from semguide.adapters.hosts.comfyui.retry_node import SamplerWithRetries


@cache
def node_classes() -> dict[str, Any]:
    """Return the class of each node; ids never change, as saved workflows have them."""
    return {
        "SemguideGuider": SemanticGuidanceNode,
        "SemguideModel": SemanticGuidanceModelNode,
        "SemguideRetries": SamplerWithRetries,
        "SemguideDecompose": DecomposePrompt,
        "SemguideDecomposeSDXL": DecomposePromptSDXL,
        "SemguideDecomposeFlux": DecomposePromptFlux,
        "SemguideConcepts": GatherConcepts,
        "SemguideTrajectory": Trajectory,
        **parameter_nodes(),
    }


@cache
def display_names() -> dict[str, str]:
    """Return what the interface calls each node."""
    return {
        "SemguideGuider": "Semantic Guidance (Guider)",
        "SemguideModel": "Semantic Guidance (Model)",
        "SemguideRetries": "Semantic Guidance Sampler (Retries)",
        "SemguideDecompose": "Decompose Prompt",
        "SemguideDecomposeSDXL": "Decompose Prompt (SDXL)",
        "SemguideDecomposeFlux": "Decompose Prompt (Flux)",
        "SemguideConcepts": "Gather Concepts",
        "SemguideTrajectory": "Semantic Guidance Trajectory",
        **{name: f"Semantic Guidance Parameters ({node.METHOD})" for name, node in parameter_nodes().items()},
    }
