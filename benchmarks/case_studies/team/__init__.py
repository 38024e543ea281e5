"""The Apache project: a team of unequally loyal members."""
