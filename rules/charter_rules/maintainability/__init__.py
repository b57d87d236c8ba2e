"""Rules of the maintainability pillar, one a file."""
