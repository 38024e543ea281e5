"""What games, oracles and learners come to: experiments whose results are kept and written into the documentation."""
