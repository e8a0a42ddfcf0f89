"""Commands that this package adds to `semguide`."""
