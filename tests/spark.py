"""Shared by the tests: how Spark is set up on one machine."""

from __future__ import annotations

__all__ = ["CONFIGURATION"]

CONFIGURATION = {
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    # what runs for seconds is not worth the time that the second compiler takes
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.sql.shuffle.partitions": "2",
    # four parts for two cores, not eight: to build a small part takes as long as to build a large one
    "spark.default.parallelism": "1",
}
"""Settings of a session that a test starts: nothing listens to others, and it begins soon."""
