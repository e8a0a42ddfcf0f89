"""Pipelines that cannot be steered, and why; each reason ends a sentence that begins with "pipe is a ..., which"."""

from __future__ import annotations

from semguide.adapters.architecture import Refused

_WITHOUT_ROW = (
    "has no row in the table of architectures, so nothing says which of its denoiser's rows are the prompt's; use a "
    "pipeline of the table"
)
_GUIDER = "is not hooked; use the guider SemanticGuidance with its modular pipeline"

REFUSED: tuple[Refused, ...] = (
    Refused(
        "Distilled to a few steps: LCM, Sana Sprint",
        (
            *("LatentConsistencyModelPipeline", "LatentConsistencyModelImg2ImgPipeline"),
            *("SanaSprintPipeline", "SanaSprintImg2ImgPipeline"),
        ),
        "predicts end points of guided trajectories, whose differences are no guidance at this step (docs/models.md); "
        "use the checkpoint that it was distilled from",
    ),
    Refused(
        "Flux Fill, Flux Control, Flux 2 (guidance embedded)",
        (
            *("FluxFillPipeline", "FluxControlPipeline", "FluxControlImg2ImgPipeline", "FluxControlInpaintPipeline"),
            "Flux2Pipeline",
        ),
        "makes no unconditional prediction: its guidance is an input of the denoiser; use FluxPipeline, "
        "FluxImg2ImgPipeline or FluxInpaintPipeline",
    ),
    Refused(
        "Editing: Flux Kontext, Qwen-Image-Edit, InstructPix2Pix",
        (
            *(
                "FluxKontextPipeline",
                "FluxKontextInpaintPipeline",
                "QwenImageEditPipeline",
                "QwenImageEditPlusPipeline",
            ),
            *("QwenImageEditInpaintPipeline", "QwenImageLayeredPipeline", "StableDiffusionInstructPix2PixPipeline"),
            *("StableDiffusionXLInstructPix2PixPipeline", "QwenImageEditModularPipeline"),
            *("QwenImageEditPlusModularPipeline", "QwenImageLayeredModularPipeline"),
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
            *("PixArtSigmaPAGPipeline", "SanaPAGPipeline"),
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
        "Without a row: DeepFloyd IF, HunyuanDiT, Kandinsky 3 and others",
        (
            *("IFPipeline", "IFImg2ImgPipeline", "IFInpaintingPipeline"),
            *("HunyuanDiTPipeline", "Kandinsky3Pipeline", "Kandinsky3Img2ImgPipeline"),
            *("GlmImagePipeline", "NucleusMoEImagePipeline", "PRXPipeline"),
            *("Ideogram4Pipeline", "ZImageControlNetPipeline", "ZImageControlNetInpaintPipeline"),
            *("ZImageOmniPipeline", "FluxControlNetImg2ImgPipeline", "FluxControlNetInpaintPipeline"),
            *("AnyFlowPipeline", "AnyFlowFARPipeline", "Cosmos3OmniPipeline"),
        ),
        _WITHOUT_ROW,
    ),
)
