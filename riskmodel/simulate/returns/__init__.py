"""The simulated LA as an LA receives it: one module per kind of sender, one that writes them all."""

from riskmodel.simulate.returns.write import write_returns

__all__ = ["write_returns"]
