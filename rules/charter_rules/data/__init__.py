"""Facts about the standard library and big packages that rules read, one TOML file a library."""
