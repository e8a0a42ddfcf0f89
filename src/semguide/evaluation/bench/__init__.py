"""bench: methods on the prompts of a suite, image by image; resumable, in processes and in shards."""
