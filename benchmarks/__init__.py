"""The harness: studies in, a corpus of runs, a summary and a report out."""
