"""The text task for trainers of other projects. Nothing here is imported unless it is asked for."""
