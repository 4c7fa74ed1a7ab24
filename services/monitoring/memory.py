"""How much memory the process and the machine use, and whether that is worth an alarm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import psutil

from core.settings import Settings

MEBIBYTE = 1024 * 1024
# Share of the machine's memory in use from which the process may be killed for want of it.
SYSTEM_WARNING_PERCENT = 90.0
SYSTEM_CRITICAL_PERCENT = 97.0

MemoryStatus = Literal["ok", "warning", "critical"]
_SEVERITY: dict[MemoryStatus, int] = {"ok": 0, "warning": 1, "critical": 2}
_process = psutil.Process()


@dataclass(frozen=True)
class MemoryUsage:
    """What was measured, in mebibytes and per cent, and what is to be said of it."""

    status: MemoryStatus
    messages: tuple[str, ...]
    rss_mb: float
    vms_mb: float
    percent_of_system: float
    total_mb: float
    available_mb: float
    used_percent: float


def process_memory_mb() -> float:
    """The resident memory of this process."""
    return _mebibytes(_process.memory_info().rss)


def memory_status(rss_mb: float, settings: Settings) -> MemoryStatus:
    """Whether so much memory of the process is worth an alarm."""
    return _level(rss_mb, settings.memory_warning_mb, settings.memory_critical_mb)


def measure_memory(settings: Settings) -> MemoryUsage:
    """Measure now; the status is the worse of the process's and the machine's."""
    used = _process.memory_info()
    system = psutil.virtual_memory()
    rss_mb = _mebibytes(used.rss)
    of_process = memory_status(rss_mb, settings)
    of_system = _level(system.percent, SYSTEM_WARNING_PERCENT, SYSTEM_CRITICAL_PERCENT)
    messages = []
    if of_process != "ok":
        messages.append(
            f"The process uses {rss_mb:.0f} MB; the {of_process} level begins at "
            f"{_threshold(of_process, settings):.0f} MB."
        )
    if of_system != "ok":
        messages.append(f"{system.percent:.0f} % of the machine's memory is in use.")
    return MemoryUsage(
        status=max(of_process, of_system, key=_SEVERITY.__getitem__),
        messages=tuple(messages),
        rss_mb=rss_mb,
        vms_mb=_mebibytes(used.vms),
        percent_of_system=round(used.rss / system.total * 100, 1),
        total_mb=_mebibytes(system.total),
        available_mb=_mebibytes(system.available),
        used_percent=round(float(system.percent), 1),
    )


def _threshold(status: MemoryStatus, settings: Settings) -> float:
    critical = status == "critical"
    return settings.memory_critical_mb if critical else settings.memory_warning_mb


def _level(value: float, warning: float, critical: float) -> MemoryStatus:
    if value >= critical:
        return "critical"
    return "warning" if value >= warning else "ok"


def _mebibytes(size_bytes: int) -> float:
    return round(size_bytes / MEBIBYTE, 2)
