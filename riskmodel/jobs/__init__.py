"""The whole jobs behind the commands: train, promote, list, feedback, monitor, dashboard, demo.

In:  a folder of extracts, an outcome, a day, a capacity.
Out: a registered model with its backtest; a folder with the list.
"""

from riskmodel.jobs.dashboard import make_dashboard
from riskmodel.jobs.demo import run_demo
from riskmodel.jobs.feedback import Feedback, feedback, read_decisions
from riskmodel.jobs.list import log_beside, make_list, read_password, signed
from riskmodel.jobs.monitor import Monitoring, monitor
from riskmodel.jobs.promotion import promote, roll_back
from riskmodel.jobs.reserve import Reserve, measure_reserve
from riskmodel.jobs.run import Run
from riskmodel.jobs.settings import Emerging, Gates, Settings, read_settings
from riskmodel.jobs.train import train
from riskmodel.jobs.training import Training
from riskmodel.training.search import SearchPlan

__all__ = [
    "Emerging",
    "Feedback",
    "Gates",
    "Monitoring",
    "Reserve",
    "Run",
    "SearchPlan",
    "Settings",
    "Training",
    "feedback",
    "log_beside",
    "make_dashboard",
    "make_list",
    "measure_reserve",
    "monitor",
    "promote",
    "read_decisions",
    "read_password",
    "read_settings",
    "roll_back",
    "run_demo",
    "signed",
    "train",
]
