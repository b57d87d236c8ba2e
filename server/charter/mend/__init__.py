"""Edits to text: compiling, applying together, proving. It knows not why a fix is wanted."""
