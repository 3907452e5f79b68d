"""A simulated LA: no real pupil, and every pupil's true risk known."""

from riskmodel.simulate.run import Preset, Simulated, simulate, write_simulated

__all__ = ["Preset", "Simulated", "simulate", "write_simulated"]
