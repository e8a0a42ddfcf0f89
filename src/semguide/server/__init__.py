"""`semguide serve`: one process with an HTTP API over the same runs as `semguide generate`. Needs the extra `web`."""
