"""Clients, connections and pools that are costly to make, and what each is called. It knows no one who makes them."""

from __future__ import annotations

from typing import Final

CLIENTS: Final = {
    "requests.Session": "session",
    "requests.session": "session",
    "httpx.Client": "client",
    "httpx.AsyncClient": "client",
    "aiohttp.ClientSession": "session",
    "boto3.client": "client",
    "boto3.resource": "client",
    "boto3.Session": "session",
    "redis.Redis": "client",
    "redis.StrictRedis": "client",
    "pymongo.MongoClient": "client",
    "sqlalchemy.create_engine": "engine",
    "sqlalchemy.ext.asyncio.create_async_engine": "engine",
    "psycopg2.connect": "connection",
    "psycopg.connect": "connection",
    "pymysql.connect": "connection",
    "sqlite3.connect": "connection",
    "smtplib.SMTP": "connection",
    "smtplib.SMTP_SSL": "connection",
    "paramiko.SSHClient": "client",
    "elasticsearch.Elasticsearch": "client",
    "kafka.KafkaProducer": "producer",
    "openai.OpenAI": "client",
    "anthropic.Anthropic": "client",
    "concurrent.futures.ThreadPoolExecutor": "pool",
    "concurrent.futures.ProcessPoolExecutor": "pool",
    "multiprocessing.Pool": "pool",
    "jinja2.Environment": "environment",
}
"""By the qualified name of what makes one."""
