"""Runs rules over files: discovery, settings, registry, check, cache, scores. It knows no rule by name."""
