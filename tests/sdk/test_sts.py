"""AssumeRole by real clients and by the two signatures, and what credential providers make of it."""

import http.server
import json
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ossgate.emulator import Emulator

with warnings.catch_warnings():
    # The SDKs' own business.
    warnings.simplefilter("ignore")
    import alibabacloud_oss_v2 as oss
    from alibabacloud_credentials.client import Client as CredentialsClient
    from alibabacloud_credentials.models import Config as CredentialsConfig
    from aliyunsdkcore.acs_exception.exceptions import ServerException
    from aliyunsdkcore.client import AcsClient
    from aliyunsdkcore.request import CommonRequest

ROLE = "acs:ram::1234567890123456:role/uploader"


def make_client(url: str, provider: Any) -> Any:
    config = oss.config.load_default()
    config.credentials_provider = provider
    config.region = "cn-hangzhou"
    config.endpoint = url
    return oss.Client(config)


def call_by_core(emulator: Emulator, secret: str, method: str, **parameters: str) -> Any:
    """Call as the old SDK's core does: all in the query, HMAC-SHA1."""
    request = CommonRequest(
        domain=f"127.0.0.1:{emulator.port}", version="2015-04-01", action_name="AssumeRole"
    )
    request.set_protocol_type("http")
    request.set_method(method)
    request.set_accept_format("json")
    for name, value in {"RoleArn": ROLE, "RoleSessionName": "alice", **parameters}.items():
        request.add_query_param(name, value)
    core = AcsClient("sdk-key-id", secret, "cn-hangzhou", auto_retry=False)
    return json.loads(core.do_action_with_exception(request))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_old_core(emulator: Emulator, folder: str, method: str) -> None:
    """The core of the old SDKs assumes a role; its keys put an object, and its errors are read."""
    answer = call_by_core(emulator, "sdk-key-secret", method, DurationSeconds="900")
    found = answer["Credentials"]
    provider = oss.credentials.StaticCredentialsProvider(
        found["AccessKeyId"], found["AccessKeySecret"], found["SecurityToken"]
    )
    client = make_client(emulator.url, provider)

    assert answer["AssumedRoleUser"]["Arn"] == "acs:ram::1234567890123456:role/uploader/alice"
    client.put_object(oss.PutObjectRequest(bucket="demo-bucket", key=folder + "a", body=b"x"))
    for secret, parameters, status, code in (
        ("wrong", {}, 400, "SignatureDoesNotMatch"),
        ("sdk-key-secret", {"RoleArn": "rubbish"}, 400, "InvalidParameter.RoleArn"),
        ("sdk-key-secret", {"DurationSeconds": "5"}, 400, "InvalidParameter.DurationSeconds"),
        ("sdk-key-secret", {"Policy": "{}"}, 400, "InvalidParameter.PolicyGrammar"),
    ):
        with pytest.raises(ServerException) as refused:
            call_by_core(emulator, secret, method, **parameters)
        assert (status, code) == (refused.value.http_status, refused.value.error_code)


@pytest.fixture
def credentials_url(assume: Callable[..., Any], folder: str) -> Iterator[str]:
    """A server that hands out temporary keys in the form of credential URIs."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            resource = f"acs:oss:*:*:demo-bucket/{folder}*"
            keys = assume({"Effect": "Allow", "Action": "oss:PutObject", "Resource": resource})
            document = {
                "Code": "Success",
                "AccessKeyId": keys.access_key_id,
                "AccessKeySecret": keys.access_key_secret,
                "SecurityToken": keys.token,
                "Expiration": "2099-01-01T00:00:00Z",
            }
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/keys"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_credentials_uri(emulator: Emulator, credentials_url: str, folder: str) -> None:
    """alibabacloud-credentials fetches temporary keys by URI, and the SDK signs with them."""
    source = CredentialsClient(CredentialsConfig(type="credentials_uri", credentials_uri=credentials_url))

    def provide() -> Any:
        found = source.get_credential()
        return oss.credentials.Credentials(
            access_key_id=found.access_key_id,
            access_key_secret=found.access_key_secret,
            security_token=found.security_token,
        )

    client = make_client(emulator.url, oss.credentials.CredentialsProviderFunc(func=provide))

    assert (
        200
        == client.put_object(
            oss.PutObjectRequest(bucket="demo-bucket", key=folder + "a", body=b"x")
        ).status_code
    )
    with pytest.raises(oss.exceptions.OperationError) as refused:
        client.get_object(oss.GetObjectRequest(bucket="demo-bucket", key=folder + "a"))
    assert "AccessDenied" == refused.value.unwrap().code


@pytest.mark.parametrize("shape", ["rpc", "acs3"])
def test_both_signatures(emulator: Emulator, assume: Callable[..., Any], folder: str, shape: str) -> None:
    """Keys that were fetched by either signature are of one kind."""
    keys = assume(shape=shape)
    provider = oss.credentials.StaticCredentialsProvider(
        keys.access_key_id, keys.access_key_secret, keys.token
    )
    request = oss.PutObjectRequest(bucket="demo-bucket", key=folder + "a", body=b"x")

    assert keys.access_key_id.startswith("STS.")
    assert 200 == make_client(emulator.url, provider).put_object(request).status_code
