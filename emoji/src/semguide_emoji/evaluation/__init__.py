"""What the judge sees in pictures of the emoji world, and how good the checkpoints are."""
