"""Settings, read once from the environment, typed and checked before anything starts.

A malformed or unknown value stops the start with a sentence that says what to write.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ROOT = Path(__file__).resolve().parent
PREFIX = "FIELDSERVICE_"
LANGUAGES = ("zh", "en")
GEOCODERS = {"divisions": "", "nominatim": "https://nominatim.openstreetmap.org", "amap": "https://restapi.amap.com"}
ROAD_TABLES = ("osrm", "valhalla")
KNOWN = frozenset(
    [
        "DATABASE_URL",
        "INSTANCE_PATH",
        "SECRET_KEY",
        "PUBLIC_URL",
        "TIMEZONE",
        "DEFAULT_LANGUAGE",
        "NOW",
        "DEMO",
        "SMTP_URL",
        "SMS_URL",
        "SMS_TOKEN",
        "MAIL_FROM",
        "BACKGROUND",
        "BREACHED_PASSWORDS",
        "SECOND_FACTOR_ROLES",
        "BACKUP_FOLDER",
        "TRUSTED_PROXIES",
        "METRICS_TOKEN",
        "GEOCODER",
        "GEOCODER_URL",
        "GEOCODER_KEY",
        "TRAVEL",
        "TRAVEL_URL",
        "TRAVEL_HOURS",
    ]
)


class ConfigError(SystemExit):
    """A setting that cannot be used; the message says what to write instead."""


@dataclass(frozen=True)
class Settings:
    """Everything that differs between installations."""

    database_url: str
    instance_path: Path
    secret_key: str
    public_url: str
    timezone: ZoneInfo
    default_language: str
    started_clock_at: datetime | None  # demo and tests only: a running clock starts here
    demo: bool
    background: bool  # whether this process runs scheduler, relay and workers
    smtp_url: str | None
    sms_url: str | None
    sms_token: str | None
    mail_from: str
    breached_passwords: Path | None  # a sorted list of SHA-1 sums
    second_factor_roles: frozenset[str]  # who must have a second factor
    backup_folder: Path
    trusted_proxies: int  # how many proxies stand in front and set X-Forwarded headers
    geocoder: str  # divisions, nominatim or amap
    geocoder_url: str
    geocoder_key: str
    travel: str  # straight, osrm or valhalla
    travel_url: str
    travel_hours: str  # default or none: whether the hour of the day lengthens drives
    metrics_token: str | None  # whoever reads /metrics from elsewhere gives it as bearer

    @property
    def secure_cookies(self) -> bool:
        """Cookies carry `Secure` and the `__Host-` prefix exactly when people come over HTTPS."""
        return self.public_url.startswith("https://")


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check all settings; raises ConfigError with the mending sentence."""
    env = os.environ if environ is None else environ
    for name in env:
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in KNOWN:
            raise ConfigError(f"{name} is not a known setting. Known: {', '.join(sorted(PREFIX + k for k in KNOWN))}.")

    def get(key: str, default: str = "") -> str:
        return env.get(PREFIX + key, "").strip() or default

    instance = Path(get("INSTANCE_PATH", str(ROOT / "instance"))).resolve()
    language = get("DEFAULT_LANGUAGE", "zh")
    if language not in LANGUAGES:
        raise ConfigError(f"{PREFIX}DEFAULT_LANGUAGE is {language!r}; write zh or en.")
    public_url = get("PUBLIC_URL", "http://127.0.0.1:5000").rstrip("/")
    if not public_url.startswith(("http://", "https://")):
        raise ConfigError(
            f"{PREFIX}PUBLIC_URL is {public_url!r}; write the full address, such as https://service.example.com."
        )
    return Settings(
        database_url=_database_url(get("DATABASE_URL"), instance),
        instance_path=instance,
        secret_key=_secret_key(get("SECRET_KEY"), instance),
        public_url=public_url,
        timezone=_timezone(get("TIMEZONE", "Asia/Shanghai")),
        default_language=language,
        started_clock_at=_moment(get("NOW")),
        demo=_flag("DEMO", get("DEMO", "0")),
        background=_flag("BACKGROUND", get("BACKGROUND", "1")),
        smtp_url=get("SMTP_URL") or None,
        sms_url=get("SMS_URL") or None,
        sms_token=get("SMS_TOKEN") or None,
        mail_from=get("MAIL_FROM", "service@localhost"),
        breached_passwords=_file("BREACHED_PASSWORDS", get("BREACHED_PASSWORDS")),
        second_factor_roles=_roles("SECOND_FACTOR_ROLES", get("SECOND_FACTOR_ROLES")),
        trusted_proxies=_few("TRUSTED_PROXIES", get("TRUSTED_PROXIES", "0")),
        backup_folder=_backup_folder(get("BACKUP_FOLDER"), instance),
        geocoder=_one_of("GEOCODER", get("GEOCODER", "divisions"), tuple(GEOCODERS)),
        geocoder_url=_address("GEOCODER_URL", get("GEOCODER_URL", GEOCODERS.get(get("GEOCODER", "divisions"), ""))),
        geocoder_key=get("GEOCODER_KEY"),
        travel=_one_of("TRAVEL", get("TRAVEL", "straight"), ("straight", *ROAD_TABLES)),
        travel_url=_address("TRAVEL_URL", get("TRAVEL_URL"), needed=get("TRAVEL") in ROAD_TABLES),
        travel_hours=_one_of("TRAVEL_HOURS", get("TRAVEL_HOURS", "default"), ("default", "none")),
        metrics_token=_metrics_token(get("METRICS_TOKEN")),
    )


def _flag(name: str, value: str) -> bool:
    if value not in ("0", "1"):
        raise ConfigError(f"{PREFIX}{name} is {value!r}; write 1 for yes or 0 for no.")
    return value == "1"


def _file(name: str, value: str) -> Path | None:
    if value and not Path(value).is_file():
        raise ConfigError(f"{PREFIX}{name} is {value!r}; write the path of a file that is there.")
    return Path(value) if value else None


def _roles(name: str, value: str) -> frozenset[str]:
    wanted = frozenset(role.strip() for role in value.split(",") if role.strip())
    if not all(role.isidentifier() for role in wanted):
        raise ConfigError(f"{PREFIX}{name} is {value!r}; write roles split by commas, such as admin,director.")
    return wanted


def _few(name: str, value: str) -> int:
    if value not in ("0", "1", "2", "3"):
        raise ConfigError(f"{PREFIX}{name} is {value!r}; write how many proxies stand in front: 0, 1, 2 or 3.")
    return int(value)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ConfigError(f"{PREFIX}{name} is {value!r}; write one of {', '.join(allowed)}.")
    return value


def _address(name: str, value: str, *, needed: bool = False) -> str:
    if (value or needed) and not value.startswith(("http://", "https://")):
        raise ConfigError(f"{PREFIX}{name} is {value!r}; write the full address, such as https://roads.example.com.")
    return value.rstrip("/")


def _database_url(value: str, instance: Path) -> str:
    if not value:
        return f"sqlite:///{instance / 'fieldservice.db'}"
    if value.startswith(("postgresql://", "postgres://")):
        return "postgresql+psycopg://" + value.split("://", 1)[1]
    if value.startswith(("sqlite:///", "postgresql+psycopg://")):
        return value
    raise ConfigError(
        f"{PREFIX}DATABASE_URL must start with postgresql:// or sqlite:/// (it starts with {value.split(':', 1)[0]!r})."
    )


def _secret_key(value: str, instance: Path) -> str:
    """The given key, else one made once and kept in the instance folder (0600)."""
    if value:
        if len(value) < 32:
            raise ConfigError(f"{PREFIX}SECRET_KEY is shorter than 32 characters; write a longer random one.")
        return value
    instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = instance / "secret_key"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return path.read_text()


def _backup_folder(value: str, instance: Path) -> Path:
    folder = Path(value) if value else instance / "backups"
    if not folder.is_absolute():
        raise ConfigError(f"{PREFIX}BACKUP_FOLDER is {value!r}; write a whole path such as /var/backups/fieldservice.")
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{PREFIX}BACKUP_FOLDER is {value!r}, which is a file; write the path of a folder.")
    if folder.resolve().is_relative_to((instance / "files").resolve()):
        raise ConfigError(f"{PREFIX}BACKUP_FOLDER lies among the pictures it would copy; write another folder.")
    return folder


def _metrics_token(value: str) -> str | None:
    if value and len(value) < 16:
        raise ConfigError(f"{PREFIX}METRICS_TOKEN is shorter than 16 characters; write a longer random one.")
    return value or None


def _timezone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(f"{PREFIX}TIMEZONE is {name!r}; write a zone name such as Asia/Shanghai.") from error


def _moment(value: str) -> datetime | None:
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise ConfigError(f"{PREFIX}NOW is {value!r}; write an ISO time such as 2026-11-25T10:30:00+08:00.") from error
    if moment.tzinfo is None:
        raise ConfigError(f"{PREFIX}NOW has no offset; write one, such as 2026-11-25T10:30:00+08:00.")
    return moment.astimezone(UTC)
