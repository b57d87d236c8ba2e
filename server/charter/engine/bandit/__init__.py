"""Bandit's checks, run inside Charter's walk: its own test functions, called on the nodes where they can speak.

Bandit's visitor spends most of its time on bookkeeping for nodes and tests that can have nothing to say to each other.
Here the tests are found through bandit's extension points and configured as bandit would, and a test is called only on
nodes that meet what it asks for before anything else. What bandit reports is what Charter reports, `# nosec` included.
"""

from charter.engine.bandit.catalog import BanditIssue, among, rules
from charter.engine.bandit.configuration import Configuration, ConfigurationError, read
from charter.engine.bandit.inspector import Inspector

__all__ = ["BanditIssue", "Configuration", "ConfigurationError", "Inspector", "among", "read", "rules"]
