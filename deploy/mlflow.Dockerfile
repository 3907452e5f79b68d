# MLflow with the driver for PostgreSQL, as an account without rights.
FROM python:3.11-slim
RUN pip install --no-cache-dir mlflow==3.17.2 "psycopg[binary]==3.3.9" \
    && useradd --create-home --uid 10001 mlflow \
    && install --directory --owner mlflow /srv/mlflow
USER mlflow
WORKDIR /home/mlflow
