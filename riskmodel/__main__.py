"""``python -m riskmodel`` is the command line."""

from riskmodel.cli import main

main()
