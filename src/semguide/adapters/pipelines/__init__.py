"""`steer`: a rule in the denoiser calls of diffusers pipelines."""
