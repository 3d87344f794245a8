# Clinledger as a service beside a PostgreSQL server.
# The image holds no key and no password: both come by volume or secret at run time.

FROM python:3.11-slim AS packages
RUN python -m venv /opt/clinledger
COPY requirements.txt /tmp/requirements.txt
RUN /opt/clinledger/bin/pip install --no-cache-dir --no-input --require-hashes --no-deps \
      --requirement /tmp/requirements.txt

FROM python:3.11-slim
RUN groupadd --system --gid 10001 clinledger \
 && useradd --system --uid 10001 --gid clinledger --no-create-home --home-dir /nonexistent \
      --shell /usr/sbin/nologin clinledger \
 && install --directory --owner clinledger --group clinledger --mode 700 /var/lib/clinledger
COPY --from=packages /opt/clinledger /opt/clinledger
COPY api /opt/clinledger/src/api
COPY ledger /opt/clinledger/src/ledger
COPY projections /opt/clinledger/src/projections
COPY signing /opt/clinledger/src/signing
ENV PATH=/opt/clinledger/bin:$PATH \
    PYTHONPATH=/opt/clinledger/src \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CLINLEDGER_HOME=/var/lib/clinledger
USER 10001:10001
WORKDIR /var/lib/clinledger
VOLUME /var/lib/clinledger
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["python", "-m", "api.cli.main"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
