"""How much memory a process took."""

from pathlib import Path


def peak_mb() -> float:
    """The most memory this process ever held, in MB; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)
