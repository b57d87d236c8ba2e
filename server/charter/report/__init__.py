"""Findings as text and as files for other tools, one format a module. It decides nothing."""
