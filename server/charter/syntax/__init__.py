"""One immutable file: its text, trees, positions, comments. It knows nothing of projects or meaning."""
