"""What the adapters to other programs share: rules at the calls of a sampler, their inputs, and prompts with marks."""
