"""Regular expressions: what one matches, how ambiguous it is and what is suspicious in it. It knows no rule."""
