"""Rules of the security pillar, one a file."""
