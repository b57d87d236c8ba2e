"""Rules of the performance pillar, one a file."""
