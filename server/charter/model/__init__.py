"""What code means: modules, names, values, classes and calls. It reports nothing."""
