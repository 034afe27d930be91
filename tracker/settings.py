"""Django's settings: what is fixed is here, what an installation chooses comes from `tracker.environment`."""

from __future__ import annotations

import os
from typing import Any

from tracker.environment import PROJECT_ROOT, read_environment, with_env_file
from tracker.kept_secrets import kept_secret
from tracker.logs import logging_settings
from tracker.service_urls import celery_broker_url, filesystem_broker

ENVIRONMENT = read_environment(with_env_file(os.environ))
BASE_DIR = PROJECT_ROOT
DATA_DIR = ENVIRONMENT.data_dir
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

DEBUG = ENVIRONMENT.debug
SECRET_KEY = ENVIRONMENT.secret_key or kept_secret(DATA_DIR / "secret-key.txt", length=64)
SECRET_KEY_FALLBACKS = ENVIRONMENT.secret_key_fallbacks
# Whoever asks from this machine itself, such as a container's health check, is let in whatever the public names are.
ALLOWED_HOSTS = [*ENVIRONMENT.allowed_hosts, "localhost", "127.0.0.1", "[::1]"]
ROOT_URLCONF = "tracker.urls"
WSGI_APPLICATION = "tracker.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "simple_history",
    "tracker",
    "accounts",
    "companies",
    "pricing",
    "feeds",
    "alerts",
    "web",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "tracker.content_security.ContentSecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
LOGGING = logging_settings(ENVIRONMENT.log_format, ENVIRONMENT.log_level)

# Record

DATABASES = {"default": ENVIRONMENT.database}

# Cache and broker: Redis when there is one, else what needs no service. The local cache is each process's own.

REDIS_URL = ENVIRONMENT.redis_url
REDIS_TIMEOUT_SECONDS = 3
if REDIS_URL:
    CACHES: dict[str, dict[str, Any]] = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "tracker",
            "OPTIONS": {
                "socket_timeout": REDIS_TIMEOUT_SECONDS,
                "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
            },
        }
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "tracker"}}

# Work in the background. A message only says "look now": one that is lost costs a tick, so none is worth waiting for.

CELERY_TIMEZONE = "UTC"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 25 * 60
CELERY_TASK_TIME_LIMIT = 30 * 60
CELERY_WORKER_CONCURRENCY = ENVIRONMENT.worker_processes
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 280_000  # KiB; a process above it ends after its task and a fresh one follows
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_TIMEOUT = REDIS_TIMEOUT_SECONDS
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "tick": {
        "task": "tracker.tick",
        "schedule": float(ENVIRONMENT.tick_seconds),
        "options": {"expires": ENVIRONMENT.tick_seconds},
    }
}
if REDIS_URL:
    CELERY_BROKER_URL = celery_broker_url(REDIS_URL)
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        "socket_timeout": REDIS_TIMEOUT_SECONDS,
        "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
        "visibility_timeout": 3600,
        "global_keyprefix": "tracker:",
        # A sender tries once more and then gives up; a worker goes on connecting for as long as it lives.
        "max_retries": 1,
        "interval_start": 0,
    }
else:
    CELERY_BROKER_URL = "filesystem://localhost//"
    CELERY_BROKER_TRANSPORT_OPTIONS = filesystem_broker(DATA_DIR / "broker")

TICK_SECONDS = ENVIRONMENT.tick_seconds
# Dotted paths of functions without arguments, run in this order at each tick: "look whether there is work".
TICK_STEPS: list[str] = [
    "pricing.clock.follow_the_clock",
    "feeds.tasks.refresh_due_feeds",
    "feeds.retention.drop_old_bodies",
    "alerts.fan_out.fan_out_changes",
    "alerts.composing.compose_due",
    "alerts.sending.send_due",
    "alerts.retention.forget_old",
]
# Dotted paths of functions without arguments that return the gauges of an app: see tracker.health.metrics.
METRIC_SOURCES: list[str] = ["feeds.metrics.gauges", "alerts.metrics.gauges"]
# By name, dotted paths of functions whose answer /readyz shows beside what it checks; none makes the tracker unready.
READINESS_NOTES: dict[str, str] = {"feeds": "feeds.budgets.readiness"}
# Commands, with their arguments, that `manage.py bootstrap` runs after migrating; each must be safe to run again.
BOOTSTRAP_COMMANDS: list[list[str]] = [["load_curated"], ["refresh", "genai-prices"]]

# Serving

STATIC_URL = "static/"
STATIC_ROOT = None
# Files are served from where the apps keep them: no collecting before a start, in every way of running alike.
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600

# HTTPS=1 says that people reach the site over TLS, through a proxy that sets X-Forwarded-Proto (and drops the header
# when a visitor sends it).
HTTPS = ENVIRONMENT.https
CSRF_TRUSTED_ORIGINS = ENVIRONMENT.csrf_trusted_origins
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_SECURE = HTTPS
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
# Whether every other host below this domain speaks TLS, and whether browsers should ship that as a fact, is not this
# installation's to promise: the two checks that ask for it are silenced.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
if HTTPS:
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"

# Mail

EMAIL_BACKEND = ENVIRONMENT.email["EMAIL_BACKEND"]
EMAIL_FILE_PATH = ENVIRONMENT.email.get("EMAIL_FILE_PATH")
EMAIL_HOST = ENVIRONMENT.email.get("EMAIL_HOST", "")
EMAIL_PORT = ENVIRONMENT.email.get("EMAIL_PORT", 25)
EMAIL_HOST_USER = ENVIRONMENT.email.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = ENVIRONMENT.email.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = ENVIRONMENT.email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = ENVIRONMENT.email.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = ENVIRONMENT.email.get("EMAIL_TIMEOUT")
DEFAULT_FROM_EMAIL = ENVIRONMENT.email_from
SERVER_EMAIL = ENVIRONMENT.email_from
EMAIL_SUBJECT_PREFIX = "[tracker] "
ADMINS = [(address, address) for address in ENVIRONMENT.admins]

# API

API_REQUIRE_AUTH = ENVIRONMENT.api_require_auth
API_RATE_LIMIT_ANON = ENVIRONMENT.api_rate_limit_anon
API_RATE_LIMIT_USER = ENVIRONMENT.api_rate_limit_user
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["tracker.api.permissions.OpenReading"],
    "DEFAULT_THROTTLE_CLASSES": ["tracker.api.rates.RateLimits"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "tracker.api.negotiation.StrictNegotiation",
    "DEFAULT_FILTER_BACKENDS": ["tracker.api.filters.StrictFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "tracker.api.schema.EndpointSchema",
    "EXCEPTION_HANDLER": "tracker.api.problems.exception_handler",
    # How many proxies are ours: without one X-Forwarded-For is the visitor's own word, and limits nobody.
    "NUM_PROXIES": 1 if HTTPS else 0,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "AI monetization tracker",
    "DESCRIPTION": "The public ledger of what AI costs: prices on two time axes, their changes, and the events around.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    # What is only read is no part of what is written.
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "tracker.api.schema.add_problems",
        "alerts.api.webhooks.add_webhook_headers",
    ],
    "WEBHOOKS": [
        "alerts.api.webhooks.CHANGE",
        "alerts.api.webhooks.DIGEST",
        "alerts.api.webhooks.BILL",
        "alerts.api.webhooks.CHANNEL_DISABLED",
        "alerts.api.webhooks.PING",
    ],
    "ENUM_NAME_OVERRIDES": {
        "Precision": "companies.models.PRECISION_CHOICES",
        "MeterEnum": "pricing.meters.METERS",
        "OfferingKind": "pricing.models.Offering.Kind",
        "OfferingStatus": "pricing.models.Offering.Status",
        "DoubtStatus": "pricing.api.shapes.doubts.DOUBT_STATUSES",
        "RefreshStatus": "feeds.models.Refresh.Status",
        "ChannelKind": "alerts.models.Channel.Kind",
        "DeliveryKind": "alerts.models.Delivery.Kind",
        "DeliveryStatus": "alerts.models.Delivery.Status",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # Swagger's own validator is another site: it would be told the address of this one.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": True, "validatorUrl": None},
    "REDOC_DIST": "SIDECAR",
}

# Outside

OUTBOUND_ALLOW_NETS = ENVIRONMENT.outbound_allow_nets
NETWORK_FEEDS = ENVIRONMENT.network_feeds
PAYLOAD_RETENTION_DAYS = ENVIRONMENT.payload_retention_days
# How people and receivers reach this site from outside, for the links in messages; unset, as the server listens.
SITE_URL = ENVIRONMENT.site_url
_REACHED_AT = "localhost" if ENVIRONMENT.host == "0.0.0.0" else ENVIRONMENT.host  # noqa: S104
LINKS_BASE = SITE_URL or f"http://{_REACHED_AT}:{ENVIRONMENT.port}"
# The curated record: facts with their citations, shipped with the project.
RECORD_DIR = BASE_DIR / "data"

# Alerts

# Messages that one worker sends at the same time, each to another channel.
ALERTS_CONCURRENCY = ENVIRONMENT.alerts_concurrency
# More changes of one cause than this come to a channel as one message.
ALERTS_BULK_THRESHOLD = ENVIRONMENT.alerts_bulk_threshold
ALERTS_KEEP_DAYS = ENVIRONMENT.alerts_keep_days
ALERTS_CHANNELS_PER_USER = ENVIRONMENT.alerts_channels_per_user

# Admin

# Texts that are dotted paths name functions of the request.
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "AI monetization tracker",
    "SITE_HEADER": "AI monetization tracker",
    "SITE_SUBHEADER": "What AI costs, and since when",
    "SITE_SYMBOL": "monitoring",
    "SITE_URL": "/",
    "ENVIRONMENT": "tracker.admin_base.environment_label",
    "DASHBOARD_CALLBACK": "feeds.admin.dashboard.facts",
    "STYLES": ["tracker.admin_base.stylesheet"],
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "tracker.admin_base.favicon"}],
    "SHOW_HISTORY": True,
    "SIDEBAR": {"show_search": True, "navigation": "tracker.admin_navigation.navigation"},
}
