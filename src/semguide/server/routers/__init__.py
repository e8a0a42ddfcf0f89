"""One module a group of addresses; each turns a request into a call of the engine and the answer into a schema."""
