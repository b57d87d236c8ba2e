"""Which arguments of which libraries switch the check of a server's certificate or host name off. It judges nothing.

From the libraries' documentation. A value that is a string stands for a constant's qualified name too (`ssl.CERT_NONE`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

VERBS: Final = ("get", "post", "put", "patch", "delete", "head", "options", "request", "stream", "send")

_NONE: Final = ("CERT_NONE", "none", "NONE", 0, "ssl.CERT_NONE", "ssl.VerifyMode.CERT_NONE")
_NAMED_NONE: Final = ("CERT_NONE", "none", "ssl.CERT_NONE", "ssl.VerifyMode.CERT_NONE")
_OFF: Final = (False, 0, "")
_VERIFY: Final = {"verify": _OFF}
_ON: Final = (True,)
_POOL: Final = {"cert_reqs": _NAMED_NONE, "assert_hostname": (False,)}
_SEARCH: Final = {"verify_certs": (False,), "ssl_assert_hostname": (False,)}
_MONGO: Final = {"tlsAllowInvalidCertificates": _ON, "tlsAllowInvalidHostnames": _ON, "tlsInsecure": _ON}
_REDIS: Final = {"ssl_cert_reqs": (*_NONE, None), "ssl_check_hostname": ()}
_KAFKA: Final = {"ssl_check_hostname": (False,)}
_WEBSOCKET: Final = {"sslopt": ()}

Values = tuple[object, ...]
SWITCHES: Final[Mapping[str, Mapping[str, Values]]] = {
    **{f"requests.{place}{verb}": _VERIFY for place in ("", "api.") for verb in VERBS},
    **{
        f"{library}.{verb}": _VERIFY
        for library in ("httpx", "niquests", "grequests", "curl_cffi.requests")
        for verb in VERBS
    },
    **dict.fromkeys(
        (
            "httpx.Client", "httpx.AsyncClient", "httpx.HTTPTransport", "httpx.AsyncHTTPTransport",
            "httpx.create_ssl_context", "boto3.client", "boto3.resource", "hvac.Client", "consul.Consul",
            "botocore.session.Session.create_client", "boto3.session.Session.client", "docker.tls.TLSConfig",
            "influxdb.InfluxDBClient", "winrm.Protocol", "requests_html.HTMLSession", "curl_cffi.requests.Session",
            "curl_cffi.requests.AsyncSession", "keystoneauth1.session.Session", "openstack.connect",
            "openstack.connection.Connection", "splunklib.client.connect",
        ),
        _VERIFY,
    ),
    "aiohttp.TCPConnector": {"ssl": (False,), "verify_ssl": (False,)},
    "aiohttp.request": {"ssl": (False,), "verify_ssl": (False,)},
    **dict.fromkeys(
        ("elasticsearch.Elasticsearch", "elasticsearch.AsyncElasticsearch", "opensearchpy.OpenSearch",
         "opensearchpy.AsyncOpenSearch"),
        _SEARCH,
    ),
    **dict.fromkeys(
        ("urllib3.PoolManager", "urllib3.poolmanager.PoolManager", "urllib3.HTTPSConnectionPool", "urllib3.ProxyManager",
         "urllib3.connectionpool.HTTPSConnectionPool", "urllib3.connection_from_url", "urllib3.proxy_from_url"),
        _POOL,
    ),
    **dict.fromkeys(
        ("pymongo.MongoClient", "pymongo.mongo_client.MongoClient", "pymongo.AsyncMongoClient",
         "motor.motor_asyncio.AsyncIOMotorClient", "mongoengine.connect"),
        _MONGO,
    ),
    **dict.fromkeys(
        ("redis.RedisCluster", "redis.cluster.RedisCluster", "redis.ConnectionPool.from_url",
         "redis.asyncio.Redis.from_url", "aioredis.from_url", "redis.Redis", "redis.StrictRedis", "redis.from_url", "redis.Redis.from_url", "redis.asyncio.Redis",
         "redis.asyncio.from_url", "redis.SSLConnection"),
        _REDIS,
    ),
    **dict.fromkeys(
        ("kafka.KafkaProducer", "kafka.KafkaConsumer", "kafka.KafkaAdminClient", "kafka.admin.KafkaAdminClient"), _KAFKA
    ),
    "websocket.create_connection": _WEBSOCKET,
    "websocket.WebSocket": _WEBSOCKET,
    "aiosmtplib.send": {"validate_certs": (False,)},
    "aiosmtplib.SMTP": {"validate_certs": (False,)},
    "minio.Minio": {"cert_check": (False,)},
    "proxmoxer.ProxmoxAPI": {"verify_ssl": (False,)},
    "atlassian.Confluence": {"verify_ssl": (False,)},
    "atlassian.Jira": {"verify_ssl": (False,)},
    "websocket.WebSocketApp.run_forever": _WEBSOCKET,
    "kubernetes.client.Configuration": {"verify_ssl": (False,)},
    "gitlab.Gitlab": {"ssl_verify": (False,)},
    "jenkins.Jenkins": {"ssl_verify": (False,)},
    "ldap3.Tls": {"validate": ("ssl.CERT_NONE", "ssl.VerifyMode.CERT_NONE", 0)},
    "pymysql.connect": {"ssl_verify_cert": (False,), "ssl_verify_identity": ()},
    "mysql.connector.connect": {"ssl_disabled": _ON},
    "tornado.httpclient.HTTPRequest": {"validate_cert": (False,)},
    "pyVim.connect.SmartConnect": {"disableSslCertValidation": _ON},
    "httplib2.Http": {"disable_ssl_certificate_validation": _ON},
    "cassandra.cluster.Cluster": {"ssl_options": ()},
    "paho.mqtt.client.Client.tls_set": {"cert_reqs": ("ssl.CERT_NONE", "ssl.VerifyMode.CERT_NONE", 0)},
    "sqlalchemy.create_engine": {"connect_args": ()},
    "sqlalchemy.ext.asyncio.create_async_engine": {"connect_args": ()},
    "requests.packages.urllib3.PoolManager": _POOL,
    "impala.dbapi.connect": {"verify_cert": ()},
    "snowflake.connector.connect": {"insecure_mode": _ON, "disable_ocsp_checks": ()},
}  # fmt: skip
"""By function: the arguments that matter, and their values that switch the check off; none where only nested ones do."""

NESTED: Final[dict[str, Values]] = {
    "cert_reqs": (0, "CERT_NONE", "ssl.CERT_NONE", "ssl.VerifyMode.CERT_NONE"),
    "verify_mode": (0, False, "ssl.CERT_NONE", "ssl.VerifyMode.CERT_NONE"),
    "check_hostname": (False,),
    "enable.ssl.certificate.verification": (False, "false", "False"),
    "ssl_cert_reqs": ("none",),
}
"""Keys of dictionaries that such arguments take, and their values that switch the check off."""

DICTIONARIES: Final = frozenset({"sslopt", "connect_args", "ssl_options", "ssl", "ssl_ca"})
"""Arguments that take such a dictionary."""

CONFIGURED: Final = frozenset(
    {"confluent_kafka.Producer", "confluent_kafka.Consumer", "confluent_kafka.admin.AdminClient",
     "confluent_kafka.SerializingProducer", "confluent_kafka.DeserializingConsumer"}
)  # fmt: skip
"""Functions whose first argument is such a dictionary."""

ADDRESSES: Final = (
    "tlsInsecure=true", "tlsAllowInvalidCertificates=true", "tlsAllowInvalidHostnames=true", "ssl_cert_reqs=none",
    "ssl_cert_reqs=CERT_NONE", "verify_certs=false",
)  # fmt: skip
"""What the address of a database says to switch the check off."""
