"""Suites, judge, metrics and statistics: does it work?"""
