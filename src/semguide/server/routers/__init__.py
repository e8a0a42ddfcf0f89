"""Routers, one per group of routes."""
