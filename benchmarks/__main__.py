"""Where the shell enters: the command line, or one line that names the extra which it lacks."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; what is missing of an extra ends in one line and exit code 2."""
    try:
        from coopgym.benchmarks.cli.main import main as run

        run()
    except ImportError as error:
        from coopgym.extras import explained  # coopgym takes a while to import, and help has to answer at once

        named = explained(error, "this command")
        if named is None:
            raise
        print(f"coopgym: {named}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
