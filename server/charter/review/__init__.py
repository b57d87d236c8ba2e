"""The pull-request reviewer: what changed, what to say, where to post it. It knows no other front door."""
