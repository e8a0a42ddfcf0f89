"""Pipelines of videos that cannot be steered for a reason of their own; the sentence begins as in `refused`."""

from __future__ import annotations

from semguide.adapters.pipelines.families.spec import Refused

REFUSED_VIDEOS: tuple[Refused, ...] = (
    Refused(
        "LTX-2",
        (
            *("LTX2Pipeline", "LTX2ImageToVideoPipeline", "LTX2ConditionPipeline", "LTX2InContextPipeline"),
            "LTX2HDRPipeline",
        ),
        "adds the guidance of the text (video_cfg_delta) to those of skipped blocks and of the other modality, each "
        "from a call of its own, and puts connectors between encode_prompt and its denoiser; use the guider "
        "SemanticGuidance with LTX2AutoBlocks",
    ),
    Refused(
        "LTX-2 with dynamic frame rate",
        ("LTX2DFRPipeline", "LTX2DFRTemporalRefinePipeline"),
        "makes no unconditional prediction: it takes no guidance_scale and encodes no negative prompt; use the guider "
        "SemanticGuidance with LTX2AutoBlocks",
    ),
    Refused(
        "LTX-Video with conditions",
        ("LTXConditionPipeline",),
        "gives each token a noise level of its own (conditioning_mask), where a rule knows one a step; use the guider "
        "SemanticGuidance with LTXAutoBlocks",
    ),
    Refused(
        "LTX-Video, long and with many prompts",
        ("LTXI2VLongMultiPromptPipeline",),
        "makes a video window by window, each with all steps and a prompt of its own (prompt_segments), where a rule "
        "follows one trajectory; use the guider SemanticGuidance with LTXAutoBlocks",
    ),
    Refused(
        "Kandinsky 6",
        ("Kandinsky6TI2VAPipeline",),
        "predicts picture and sound in one call (audio_hidden_states) and guides both, where a correction of the "
        "picture alone would part them; use Kandinsky5T2VPipeline",
    ),
    Refused(
        "HunyuanVideo, image to video",
        ("HunyuanVideoImageToVideoPipeline",),
        "reads the picture in its text encoder beside the prompt (image of encode_prompt), and a black one beside the "
        "negative prompt, where a concept is encoded of text alone; use HunyuanSkyreelsImageToVideoPipeline",
    ),
    Refused(
        "HunyuanVideo Framepack",
        ("HunyuanVideoFramepackPipeline",),
        "makes a video section by section (latent_window_size), each with all steps, where a rule follows one "
        "trajectory; use HunyuanVideoPipeline",
    ),
    Refused(
        "SkyReels-V2 with diffusion forcing",
        (
            *("SkyReelsV2DiffusionForcingPipeline", "SkyReelsV2DiffusionForcingImageToVideoPipeline"),
            "SkyReelsV2DiffusionForcingVideoToVideoPipeline",
        ),
        "gives each frame a noise level and a scheduler of its own (step_matrix), where a rule knows one noise level a "
        "step; use SkyReelsV2Pipeline",
    ),
    Refused(
        "Cosmos Predict 1 and 2, video to world",
        ("CosmosVideoToWorldPipeline", "Cosmos2VideoToWorldPipeline"),
        "asks for its two predictions of a step at two noisy samples (cond_latent and uncond_latent), whose difference "
        "is not the text's alone; use Cosmos2_5_PredictBasePipeline",
    ),
    Refused(
        "Cosmos Transfer 2.5",
        ("Cosmos2_5_TransferPipeline",),
        "makes a video chunk by chunk (num_frames_per_chunk), each with all steps, where a rule follows one "
        "trajectory; use Cosmos2_5_PredictBasePipeline",
    ),
    Refused(
        "Wan-Animate",
        ("WanAnimatePipeline",),
        "makes a video segment by segment (segment_frame_length), each with all steps, and takes the face away with "
        "the prompt (face_pixel_values), so that c - u is not the text's alone; use WanImageToVideoPipeline",
    ),
    Refused(
        "Sana-WM",
        ("SanaWMPipeline",),
        "steps each token at a noise level of its own (per_token_timesteps), where a rule knows one a step; use "
        "SanaImageToVideoPipeline",
    ),
    Refused(
        "Editing videos: Lucy Edit",
        ("LucyEditPipeline",),
        "edits a video by an instruction, whose noun phrases are no concepts to keep; use WanVideoToVideoPipeline",
    ),
    Refused(
        "EasyAnimate with control",
        ("EasyAnimateControlPipeline",),
        "calls its own encode_prompt with an argument that it does not take (text_encoder_index), so that no call of "
        "it comes as far as its denoiser; use EasyAnimatePipeline",
    ),
    Refused(
        "ConsisID",
        ("ConsisIDPipeline",),
        "takes a face as features without a row for each prediction (id_vit_hidden, id_cond), so that they go with no "
        "concept; use CogVideoXImageToVideoPipeline",
    ),
    Refused(
        "I2VGen-XL",
        ("I2VGenXLPipeline",),
        "lets its encode_prompt ask the guidance scale of the last call whether to encode a negative prompt (it has "
        "do_classifier_free_guidance as a property), so that a text is not encoded alone; use "
        "CogVideoXImageToVideoPipeline",
    ),
    Refused(
        "Text2Video-Zero",
        ("TextToVideoZeroPipeline", "TextToVideoZeroSDXLPipeline"),
        "denoises the first frame, warps it and denoises all frames, each in a loop of its own (backward_loop), where "
        "a rule follows one trajectory; use AnimateDiffPipeline",
    ),
)
"""A row per reason."""
