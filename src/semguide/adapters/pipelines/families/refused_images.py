"""Pipelines of images that cannot be steered for a reason of their own; the sentence begins as in `refused`."""

from __future__ import annotations

from semguide.adapters.pipelines.families.spec import Refused

REFUSED_IMAGES: tuple[Refused, ...] = (
    Refused(
        "ERNIE-Image",
        ("ErnieImagePipeline",),
        "pads the texts of all rows together (text_bth, text_lens) after encode_prompt, which makes neither; use the "
        "guider SemanticGuidance with ErnieImageAutoBlocks",
    ),
    Refused(
        "FIBO",
        ("BriaFiboPipeline",),
        "pads all layers of its text encoder to the longer of prompt and negative prompt and attends by one matrix "
        'over text and picture (joint_attention_kwargs["attention_mask"]), which fits no concept of another length; '
        "use BriaPipeline",
    ),
    Refused(
        "FIBO 2",
        ("BriaFibo2Pipeline",),
        "reads pictures in its text encoder beside the prompt (image and text_images of encode_prompt) and may change "
        "from one encoding to another on the way, where a concept is encoded once and of text alone; use BriaPipeline",
    ),
    Refused(
        "OmniGen",
        ("OmniGenPipeline",),
        "has no text encoder: its denoiser reads tokens (input_ids) beside those of pictures, by one attention_mask "
        "and position_ids for all rows, in which a concept of another length has no place; use Lumina2Pipeline",
    ),
    Refused(
        "DreamLite",
        ("DreamLitePipeline",),
        "encodes prompts by a mode of its own (encode_prompt takes mode and prompts) and lays a second picture beside "
        "the noise, so that half of each prediction is none; use SanaPipeline",
    ),
    Refused(
        "DreamLite Mobile",
        ("DreamLiteMobilePipeline",),
        "makes no unconditional prediction: it ignores guidance_scale; use SanaPipeline",
    ),
    Refused(
        "FLUX.2 [klein] inpainting",
        ("Flux2KleinInpaintPipeline",),
        "appends the tokens of a picture (condition_image_latents) to the noisy ones, so that a rule would measure "
        "predictions of both; use the guider SemanticGuidance with Flux2KleinBaseAutoBlocks",
    ),
    Refused(
        "FLUX.2 [klein] with cached references",
        ("Flux2KleinKVPipeline",),
        "makes no unconditional prediction and keeps what it read of its pictures between calls (kv_cache); use the "
        "guider SemanticGuidance with Flux2KleinBaseAutoBlocks",
    ),
    Refused(
        "Upscaling: Stable Diffusion, DeepFloyd IF",
        (
            *("StableDiffusionUpscalePipeline", "StableDiffusionLatentUpscalePipeline", "IFSuperResolutionPipeline"),
            *("IFImg2ImgSuperResolutionPipeline", "IFInpaintingSuperResolutionPipeline"),
        ),
        "enlarges a finished picture (its image), in which the concepts are already there or not; steer the pipeline "
        "that made it",
    ),
    Refused(
        "Attend-and-Excite",
        ("StableDiffusionAttendAndExcitePipeline",),
        "asks its U-Net for the prompt alone, with gradients, before each step's own call, to move the latents; use "
        "StableDiffusionPipeline",
    ),
    Refused(
        "Self-attention guidance (SAG)",
        ("StableDiffusionSAGPipeline",),
        "asks its U-Net once more a step, for a picture blurred where its last call attended, which a concept's call "
        "would change; use StableDiffusionPipeline",
    ),
    Refused(
        "Semantic guidance (SEGA)",
        ("SemanticStableDiffusionPipeline",),
        "has no encode_prompt and guides by further rows of its U-Net's call (editing_prompt); use "
        "StableDiffusionPipeline",
    ),
    Refused(
        "MultiDiffusion panorama",
        ("StableDiffusionPanoramaPipeline",),
        "asks its U-Net for one view of the picture after another, many calls a step, where a rule knows one; use "
        "StableDiffusionPipeline",
    ),
    Refused(
        "ParaDiGMS",
        ("StableDiffusionParadigmsPipeline",),
        "asks its U-Net for a window of steps in one call (parallel), so that rows differ in their noise; use "
        "StableDiffusionPipeline",
    ),
    Refused(
        "CycleDiffusion",
        ("CycleDiffusionPipeline",),
        "asks its U-Net for four rows an image, two of them of a source_prompt; use StableDiffusionImg2ImgPipeline",
    ),
    Refused(
        "DiffEdit",
        ("StableDiffusionDiffEditPipeline",),
        "takes latents of every step (image_latents) of a picture that it inverted by its own calls of the U-Net; use "
        "StableDiffusionInpaintPipeline",
    ),
    Refused(
        "Pix2Pix Zero",
        ("StableDiffusionPix2PixZeroPipeline",),
        "denoises twice, the second time with gradients of its U-Net's attention between source_embeds and "
        "target_embeds; use StableDiffusionImg2ImgPipeline",
    ),
    Refused(
        "GLIGEN with images",
        ("StableDiffusionGLIGENTextImagePipeline",),
        "asks its U-Net for four rows an image in two calls, with and without boxes, and takes u of one and c of the "
        "other; use StableDiffusionGLIGENPipeline",
    ),
    Refused(
        "LDM3D",
        ("StableDiffusionLDM3DPipeline",),
        "returns a picture with its depth (rgb, depth), no images; use StableDiffusionPipeline",
    ),
    Refused(
        "Stable unCLIP, unCLIP",
        ("StableUnCLIPPipeline", "UnCLIPPipeline"),
        "gives its denoiser an image embedding that a prior made of the prompt (class_labels), and there is none of a "
        "concept; use StableDiffusionPipeline",
    ),
    Refused(
        "BLIP-Diffusion",
        ("BlipDiffusionPipeline", "BlipDiffusionControlNetPipeline"),
        "encodes the prompt together with a picture's query_embeds, without which its encode_prompt encodes no text; "
        "use StableDiffusionPipeline with an IP-Adapter",
    ),
    Refused(
        "UniDiffuser",
        ("UniDiffuserPipeline",),
        "predicts latents and embedding of a picture in one call and, without text, asks for noise in the place of the "
        "prompt (text_T), at a time of the text's own (timestep_text); use StableDiffusionPipeline",
    ),
    Refused(
        "Discrete tokens: aMUSEd, VQ-Diffusion",
        ("AmusedPipeline", "AmusedImg2ImgPipeline", "AmusedInpaintPipeline", "VQDiffusionPipeline"),
        "predicts logits of a codebook's entries, whose differences are no noise; use StableDiffusionPipeline",
    ),
    Refused(
        "Latent Diffusion, Versatile Diffusion",
        (
            *("LDMTextToImagePipeline", "VersatileDiffusionTextToImagePipeline"),
            "VersatileDiffusionDualGuidedPipeline",
        ),
        "has no encode_prompt, by which concepts are encoded as prompts are; use StableDiffusionPipeline",
    ),
    Refused(
        "Shap-E",
        ("ShapEPipeline",),
        "denoises a shape (prior), of which pictures are rendered (shap_e_renderer), by an embedding without tokens; "
        "use StableDiffusionPipeline",
    ),
)
"""A row per reason."""
