"""The command line: arguments in, exit codes out. It leaves all work to the rooms below."""
