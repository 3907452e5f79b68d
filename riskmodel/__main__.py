"""``python -m riskmodel`` is the command line."""

from riskmodel.cli import main

if __name__ == "__main__":
    main()
