"""The offline back end: word classes from a lexicon, a small grammar of noun phrases, and what counts as a subject."""
