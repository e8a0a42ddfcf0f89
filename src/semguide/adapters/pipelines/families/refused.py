"""Pipelines that cannot be steered, and why; each reason ends a sentence that begins with "pipe is a ..., which"."""

from __future__ import annotations

from semguide.adapters.pipelines.families.refused_images import REFUSED_IMAGES
from semguide.adapters.pipelines.families.refused_videos import REFUSED_VIDEOS
from semguide.adapters.pipelines.families.spec import Refused

_GUIDER = "is not hooked; use the guider SemanticGuidance with its modular pipeline"

REFUSED: tuple[Refused, ...] = (
    Refused(
        "Distilled to a few steps: AnyFlow, Helios, Wan-Animate 2",
        (
            *("AnyFlowPipeline", "AnyFlowFARPipeline"),
            *("HeliosPyramidDistilledModularPipeline", "WanAnimate2DistilledModularPipeline"),
        ),
        "is distilled to a few steps and none of the pipelines that are steered without guidance (docs/models.md); use "
        "the checkpoint that it was distilled from",
    ),
    Refused(
        "FLUX.2 [dev]",
        ("Flux2Pipeline",),
        "makes no unconditional prediction: its guidance is an input of the denoiser; use FluxPipeline",
    ),
    Refused(
        "Editing: Flux Kontext, Qwen-Image-Edit, InstructPix2Pix, FIBO, LongCat-Image, JoyImage, ChronoEdit, "
        "Kandinsky 5",
        (
            *(
                "FluxKontextPipeline",
                "FluxKontextInpaintPipeline",
                "QwenImageEditPipeline",
                "QwenImageEditPlusPipeline",
            ),
            *("QwenImageEditInpaintPipeline", "QwenImageLayeredPipeline", "StableDiffusionInstructPix2PixPipeline"),
            *("StableDiffusionXLInstructPix2PixPipeline", "QwenImageEditModularPipeline"),
            *("QwenImageEditPlusModularPipeline", "QwenImageLayeredModularPipeline", "BriaFiboEditPipeline"),
            *("LongCatImageEditPipeline", "JoyImageEditPipeline", "JoyImageEditPlusPipeline", "ChronoEditPipeline"),
            "Kandinsky5I2IPipeline",
        ),
        "edits an image by an instruction, whose noun phrases are no concepts to keep; use image to image",
    ),
    Refused(
        "Perturbed-attention guidance (PAG)",
        (
            *("StableDiffusionPAGPipeline", "StableDiffusionPAGImg2ImgPipeline", "StableDiffusionPAGInpaintPipeline"),
            *("StableDiffusionControlNetPAGPipeline", "StableDiffusionControlNetPAGInpaintPipeline"),
            *("StableDiffusionXLPAGPipeline", "StableDiffusionXLPAGImg2ImgPipeline"),
            *("StableDiffusionXLPAGInpaintPipeline", "StableDiffusionXLControlNetPAGPipeline"),
            *("StableDiffusionXLControlNetPAGImg2ImgPipeline", "StableDiffusion3PAGPipeline"),
            *("StableDiffusion3PAGImg2ImgPipeline", "HunyuanDiTPAGPipeline", "KolorsPAGPipeline"),
            *("PixArtSigmaPAGPipeline", "SanaPAGPipeline", "AnimateDiffPAGPipeline"),
        ),
        "mixes a third prediction into its guidance; use the same pipeline without PAG",
    ),
    Refused(
        "Lumina 1",
        ("LuminaPipeline",),
        "guides three of its channels only, so no correction of the others can be landed; use Lumina2Pipeline",
    ),
    Refused(
        "Priors and decoders: Kandinsky, Stable Cascade, Wuerstchen",
        (
            *("KandinskyCombinedPipeline", "KandinskyImg2ImgCombinedPipeline", "KandinskyInpaintCombinedPipeline"),
            *("KandinskyV22CombinedPipeline", "KandinskyV22Img2ImgCombinedPipeline"),
            *("KandinskyV22InpaintCombinedPipeline", "KandinskyPipeline", "KandinskyV22Pipeline"),
            *("KandinskyImg2ImgPipeline", "KandinskyInpaintPipeline", "KandinskyV22Img2ImgPipeline"),
            *("KandinskyV22InpaintPipeline", "WuerstchenCombinedPipeline", "WuerstchenDecoderPipeline"),
            *("StableCascadeCombinedPipeline", "StableCascadeDecoderPipeline"),
        ),
        "turns the text into an image embedding first, so its denoiser never meets the concepts; use a pipeline of the "
        "table",
    ),
    Refused(
        "Guider only: Flux 2 Klein, Krea 2, Wan VACE, LTX, Helios, HunyuanVideo 1.5, Qwen-Image 2.1",
        (
            *("Flux2KleinPipeline", "Krea2Pipeline", "WanVACEPipeline", "LTXPipeline", "LTXImageToVideoPipeline"),
            *("HeliosPipeline", "HeliosPyramidPipeline", "QwenImage21Pipeline", "HunyuanVideo15Pipeline"),
            "HunyuanVideo15ImageToVideoPipeline",
        ),
        _GUIDER,
    ),
    Refused(
        "HunyuanImage refiner",
        ("HunyuanImageRefinerPipeline",),
        "refines a finished picture, in which the concepts are already there or not; steer the pipeline that made it",
    ),
    Refused(
        "MiniMax-Music 3",
        ("MiniMaxMusic3ModularPipeline",),
        "makes music of sounds that a language model makes of the text, so its denoiser never meets the concepts; "
        "there is no pipeline of the table for it",
    ),
    Refused(
        "Z-Image with ControlNet",
        ("ZImageControlNetPipeline", "ZImageControlNetInpaintPipeline"),
        "has a ControlNet whose residuals run over the tokens of picture and prompt together, so that they fit no "
        "concept of another length; use ZImagePipeline",
    ),
    Refused(
        "Z-Image Omni",
        ("ZImageOmniPipeline",),
        "reads its pictures between the pieces of the prompt's template, so that its denoiser gets lists of lists, "
        "which have no row for a concept; use ZImagePipeline",
    ),
    Refused(
        "GLM-Image",
        ("GlmImagePipeline",),
        "lets a language model plan the whole picture as tokens, and its denoiser hears these and the words in "
        "quotation marks only, so it never meets the concepts; use CogView4Pipeline",
    ),
    Refused(
        "Hunyuan-DiT",
        ("HunyuanDiTPipeline", "HunyuanDiTControlNetPipeline"),
        "encodes each prompt twice, with one text encoder after the other, where a concept is encoded once; use "
        "PixArtSigmaPipeline",
    ),
    Refused(
        "PRX",
        ("PRXPipeline", "PRXPixelPipeline"),
        "gives its denoiser two timesteps whatever the number of images, so that with guidance it makes one image a "
        "call only, which has no row; use a pipeline of the table",
    ),
    Refused(
        "Ideogram 4",
        ("Ideogram4Pipeline",),
        "asks a second transformer for the unconditional prediction, so that no denoiser of it makes both; use a "
        "pipeline of the table",
    ),
    Refused(
        "Cosmos 3 Omni",
        ("Cosmos3OmniPipeline",),
        "packs text, video and sound into one sequence of tokens before it samples, so that a concept cannot take the "
        "place of the text; use WanPipeline",
    ),
    *REFUSED_IMAGES,
    *REFUSED_VIDEOS,
)
