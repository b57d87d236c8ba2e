"""Object-relational mappers: the models of a project, where their rows come from and the queries that loops repeat."""
