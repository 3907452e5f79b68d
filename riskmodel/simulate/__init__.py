"""A simulated LA: no real pupil, and every pupil's true risk known."""

from riskmodel.simulate.figures.paths import measure_paths, published_paths
from riskmodel.simulate.measure import measure, summarise
from riskmodel.simulate.parameters import Preset
from riskmodel.simulate.run import Simulated, simulate
from riskmodel.simulate.simulated_files import preset_of, write_simulated, write_simulated_returns
from riskmodel.simulate.worlds import WORLDS, World, WorldName

__all__ = [
    "WORLDS",
    "Preset",
    "Simulated",
    "World",
    "WorldName",
    "measure",
    "measure_paths",
    "preset_of",
    "published_paths",
    "simulate",
    "summarise",
    "write_simulated",
    "write_simulated_returns",
]
