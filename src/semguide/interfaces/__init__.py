"""Interfaces: parse, call, print. The command line here; what a run is and how it is made, for every interface."""
