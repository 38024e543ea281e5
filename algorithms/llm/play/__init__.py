"""Language models at play: tasks, what models talk to, and the agents that they are."""
