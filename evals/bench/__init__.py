"""Benchmarks: each measures us and the obvious alternative side by side, in one run.

The two take turns (ours, other, ours, other, …), so that a machine that slows down slows both; what
counts is the ratio, and its spread. Nothing here passes or fails.
"""
