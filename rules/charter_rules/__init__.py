"""Charter's own rules, one a file, and the data they read: the constitution and the models of libraries."""
