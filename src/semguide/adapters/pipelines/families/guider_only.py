"""The pipelines that take a guider, and with it `SemanticGuidance`: what a user should know of each family."""

from __future__ import annotations

from semguide.adapters.pipelines.families.spec import GuiderFamily

GUIDED: tuple[GuiderFamily, ...] = (
    GuiderFamily("SDXL", ("StableDiffusionXLAutoBlocks",), tokenizers={"tokenizer": "", "tokenizer_2": ""}),
    GuiderFamily(
        "Stable Diffusion 3",
        ("StableDiffusion3AutoBlocks",),
        "Makes unconditional embeddings only with a negative_prompt, which must be given, be it empty.",
        tokenizers={"tokenizer": "", "tokenizer_2": "", "tokenizer_3": "max_sequence_length"},
    ),
    GuiderFamily("Qwen-Image", ("QwenImageAutoBlocks",)),
    GuiderFamily(
        "Qwen-Image 2.1",
        ("QwenImage21AutoBlocks",),
        "Its guider has the scale 1, which turns guidance off: give a rule with a scale.",
    ),
    GuiderFamily("Z-Image", ("ZImageAutoBlocks",), "Its guider is off by default, here it is on."),
    GuiderFamily("FLUX.2 [klein] base", ("Flux2KleinBaseAutoBlocks",), "Takes no negative prompt."),
    GuiderFamily(
        "FLUX.3",
        ("Flux3AutoBlocks",),
        "One prompt a call. Concepts are read from the prompt before it is rewritten; tested without the rewriter.",
    ),
    GuiderFamily("Krea 2", ("Krea2AutoBlocks",), "Computes c + w (c - u): the rule is told w + 1."),
    GuiderFamily("Anima", ("AnimaAutoBlocks",)),
    GuiderFamily("ERNIE-Image", ("ErnieImageAutoBlocks",), "Concepts are read from the prompt before it is rewritten."),
    GuiderFamily(
        "HunyuanImage 2.1",
        ("HunyuanImagePipeline",),
        "An ordinary pipeline; its guiders give way for the call.",
        tokenizers={"tokenizer": 1000},
    ),
    GuiderFamily(
        "Motif-Video",
        ("MotifVideoPipeline", "MotifVideoImage2VideoPipeline"),
        "Video. Ordinary pipelines; their guider gives way for the call. Tested with a T5 as text encoder and "
        "made-up tokens of the image.",
    ),
    GuiderFamily("Wan 2.1", ("WanBlocks",), "Video."),
    GuiderFamily("Wan 2.1, image to video", ("WanImage2VideoAutoBlocks",), "Video. One prompt a call."),
    GuiderFamily(
        "Wan 2.2",
        ("Wan22Blocks", "Wan22Image2VideoBlocks", "Wan22VaceBlocks"),
        "Video. Both guiders are replaced and share what the rule remembers. VACE takes one prompt a call.",
    ),
    GuiderFamily(
        "Wan-Animate 2",
        ("WanAnimate2Blocks",),
        "Video. One prompt a call. Each segment is a trajectory of its own; the trace is that of the last one.",
    ),
    GuiderFamily("LTX-Video", ("LTXAutoBlocks",), "Video."),
    GuiderFamily(
        "LTX-2, LTX-2.5",
        ("LTX2AutoBlocks", "LTX25AutoBlocks"),
        "Video. The guider of the sound stays. Classifier-free guidance takes the place of the video's own guider, "
        "which also perturbs blocks and isolates modalities. Concepts are read before the prompt is enhanced.",
    ),
    GuiderFamily("HunyuanVideo 1.5", ("HunyuanVideo15AutoBlocks",), "Video."),
    GuiderFamily(
        "Helios",
        ("HeliosAutoBlocks", "HeliosPyramidAutoBlocks"),
        "Video. Each chunk, and in the pyramid each of its stages, is a trajectory of its own with the rule's whole "
        "window; the trace is that of the last one.",
    ),
)
"""An entry per family."""
