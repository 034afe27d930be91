FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    DATA_DIR=/data HOST=0.0.0.0 PORT=8000 LOG_FORMAT=json

RUN useradd --system --uid 10001 --home-dir /app tracker && install --directory --owner=tracker --mode=0700 /data
WORKDIR /app
COPY requirements.txt .
RUN pip install --requirement requirements.txt
COPY . .
RUN python -m compileall -q /app

USER tracker
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
CMD ["gunicorn", "--config", "python:tracker.gunicorn_settings", "tracker.wsgi"]
