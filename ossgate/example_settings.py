"""The settings that `ossgate init` and `ossgate demo` write down."""

from __future__ import annotations

from dataclasses import dataclass

EXAMPLE = """\
# ossgate.toml: settings of ossgate. Lines that begin with # show a default or a possibility.
#
# Each value may also come from the environment, as OSSGATE_SECTION__KEY (OSSGATE_SERVER__PORT=8080), and that one wins.
# A secret is never written here: write "env:NAME" or "file:path", the path taken from this file's folder.
# Check the whole with `ossgate serve`: it names every problem with its line and the fix.

# Checks that are switched off, by name; each is logged at start. There is no other "debug mode".
#   emulator_endpoint wildcard_origin anonymous_without_quota http_callback http_webhook short_keys readable_secrets http_jwks jwt_without_audience
# allow_insecure = []

[server]
# host = "127.0.0.1"          # address that the server binds
# port = 8000
# workers = 1                 # gunicorn worker processes
# threads = 16                # threads of each; 32 or more where the disk is slow
# origins = ["https://www.example.com"]   # foreign pages that may call /v1 (CORS), exact, for every profile
# trusted_proxies = 0         # how many reverse proxies in front set X-Forwarded-For
# metrics = "loopback"        # who gets /metrics: this machine and operators; "operator": they alone; "off"

[oss]
region = "cn-hangzhou"
bucket = "examplebucket"
# host = "https://upload.example.com"     # the bucket's own domain, to which clients send; new accounts in mainland China need one
# endpoint = "https://oss-cn-hangzhou-internal.aliyuncs.com"   # where we ask; default that of the region
# signature = "v4"            # "v1" for old buckets alone
# access_key_id = "env:OSS_ACCESS_KEY_ID"
# access_key_secret = "env:OSS_ACCESS_KEY_SECRET"
# credentials = "keys"        # or "chain": Alibaba's provider chain (RAM role, OIDC, profiles), with ossgate[credentials]
# link_seconds = 3600         # how long links to stored objects live
# [oss.sts]                   # temporary credentials for clients, of profiles whose via names "sts"
# role_arn = "acs:ram::1234567890123456:role/uploader"
# duration = 3600             # seconds, 900 to 43200
# endpoint = ""               # default https://sts.REGION.aliyuncs.com
# session_name = "ossgate"
# external_id = ""

[callback]
url = ["https://uploads.example.com/callback"]   # one to five, tried in turn, five seconds each
# host = ""                   # Host header that OSS sends; default the URL's own
# sni = true                  # default true for https
# body_type = "json"          # or "form"
# body = '{"bucket":${bucket},"object":${object},"etag":${etag},"size":${size},"mimeType":${mimeType},"ticket":${ticket}}'
# grace_seconds = 86400       # how long after a grant's end its callback is still believed
# [callback.public_keys]      # beside OSS's own key, which is shipped
# "http://127.0.0.1:9000/_emulator/callback.pem" = "file:secrets/emulator-callback.pem"

[keys]                        # newest last: the last one signs, all verify
ticket = ["file:secrets/ticket.key"]
seal = ["file:secrets/seal.key"]

[database]
# url = "sqlite:///var/ossgate.sqlite3"   # or "env:DATABASE_URL", as postgresql+psycopg://user@host/name

# Callbacks as they came, for `ossgate inbox`; they hold names and tickets.
# [inbox]
# believed = 100000
# others = 10000
# days = 30

# Who may ask. API keys are for trusted backends: `ossgate keys new --add` makes one, `keys list` and `keys revoke` keep order.
# [access]
# api_keys_file = "secrets/api-keys.toml"   # written by these commands; a running server notices
# [access.api_keys.backend]               # or here: make key and hash with `ossgate keys new`
# hash = "sha256:…"
# operator = false            # an operator's key may see every upload

# [access.jwt]                # JSON Web Tokens: one of jwks_url, secret and public_key
# jwks_url = "https://login.example.com/.well-known/jwks.json"   # fetched on first use; or a list, of one issuer
# secret = "env:JWT_SECRET"   # for HS256 and the like
# public_key = "file:jwt-public.pem"
# algorithms = ["RS256"]      # a token's header never adds to them
# issuer = "https://login.example.com/"
# audience = "uploads"        # or a list; demanded with jwks_url
# subject_claim = "sub"       # the claim that names the person
# leeway = 30                 # seconds by which clocks may differ
# cache_seconds = 600         # age at which a key set is fetched anew
# operator_claim = "realm_access.roles"   # who holds operator_value there may see every upload
# operator_value = "upload-operator"

# [access.proxy]              # a reverse proxy that has asked who people are
# header = "X-User"           # the proxy must replace what clients send under this name
# from = ["127.0.0.1", "10.0.0.0/24"]     # the proxy's own addresses; "unix" for Unix sockets

# [access.session]            # the session of a Flask application under the same origin, read and never written
# cookie = "session"
# secret = "env:SECRET_KEY"   # the application's; a list while it is changed, newest last
# subject_key = "user_id"     # what names the person in the session
# lifetime = 2678400          # as the application's PERMANENT_SESSION_LIFETIME

# [limits]                    # how often somebody may ask; "" for no limit
# issue = "120/minute"        # grants
# confirm = "240/minute"
# parts = "6000/minute"       # URLs of parts
# bearers = "60/minute"
# per = ["anonymous"]         # anonymous callers by network; "subject": named ones too; "address": all but API keys by network
# storage = "memory"          # of each process; "redis://127.0.0.1:6379/0" for all together

[profiles.photo]              # one kind of upload; clients name it when they ask
allow = ["api_key"]           # who may: "api_key", "jwt", "proxy", "session", "bearer", "anonymous" (which demands a quota)
# origins = ["https://www.example.com"]   # foreign pages that may use it (CORS), beside those of [server]
# title = "Photos"            # on the upload page
# titles = { zh = "照片" }    # in further languages
# bucket = ""                 # another bucket than [oss]; likewise region, host, endpoint
# region = ""
# host = ""
# endpoint = ""
object_key = "photos/{subject}/{date}/{upload_id}{ext}"   # also {profile} {year} {month} {day} {name}
content_types = ["image/jpeg", "image/png", "image/webp"] # also "image/*" and "*/*"
# min_size = 1
max_size = "20MB"
# expires_in = 460            # default: 300 seconds and the largest file at 128 KiB/s
# via = ["post", "put", "multipart"]      # ways of upload: a form, one presigned PUT, presigned parts (above 5 GB)
# key_prefix = ""             # such as "photos/{subject}/": with via "sts", clients may write many files below it
# put_callback = "header"     # or "query": where a presigned PUT carries the callback; the signature binds it in both
# storage_class = "Standard"
# object_acl = "default"
# disposition = "attachment"  # or "inline"
# keep_days = 30              # objects are to be gone then; `ossgate lifecycle` prints the bucket's rule. Default 0: never
# thumbnails = { small = "image/resize,w_200" }   # links to smaller pictures of images, made by OSS; also {thumbnails.small} in replies
# verify_bucket = true        # each callback is checked against the bucket (HEAD)
# handler = "myapp.uploads:arrived"       # called once for each upload; may return the reply
# reply_limit = "1KB"
reply = { Status = "OK", upload_id = "{upload_id}", state = "{state}", url = "{url}", etag = "{etag}" }

# [profiles.photo.variables.album]        # client variables: sent as "vars", carried inside the ticket
# type = "string"             # or "integer", "boolean"
# required = false
# max_length = 128
# choices = []

# [profiles.photo.quota]      # for one address or subject
# pending_uploads = 20
# bytes = "2GB"
# period = "day"              # or "ever"

# [dialects.upload_page]      # a client contract, off unless named; see docs/clients.md
# profile = "photo"
# contract = "appserver_v1"   # default the table's own name
# paths = ["/php/get.php"]    # default the contract's usual paths
# variant = "php"             # which language's sample the page was made for
# dir_slash = true            # these four: default what the contract's pages do
# callback = true
# status_field = true
# extras = true
# real_status = true
# content_type = "image/png"
# [dialects.upload_page.envelope]         # what every answer is wrapped in
# code = "code"
# message = "message"
# data = "data"
# ok = 200
# ok_message = "ok"

# [delivery]                  # whom the application's side is told of uploads by; see docs/delivery.md
# in_server = true            # false where `ossgate deliver` runs by itself
# source = "/ossgate"         # CloudEvents' source
# keep_days = 30              # how long what was delivered is kept
# [[delivery.webhooks]]       # Standard Webhooks; one table for each receiver
# url = "https://app.example.com/hooks/uploads"
# secret = "env:OSSGATE_WEBHOOK_SECRET"   # make one with `ossgate keys new --kind webhook`; a list while it is changed, newest last
# name = "app"                # in the outbox; default made of the address
# envelope = "standard"       # or "cloudevents"
# types = ["upload.uploaded", "upload.replaced", "upload.expired", "upload.deleted", "upload.aborted"]   # default all
# profiles = ["photo"]        # default all
# allow_private = false       # whether the URL may lead into a private network
# timeout = 15
# concurrency = 4
# [[delivery.brokers]]        # RabbitMQ, Redis, SQS: any that kombu speaks
# url = "amqp://broker.example.com//"     # with a password as env:NAME
# exchange = "ossgate"
# exchange_type = "topic"     # or "direct", "fanout"
# routing_key = "{type}"
# queue = "uploads"           # declared and bound; leave it out where consumers declare their own
# name = "broker"
# envelope = "cloudevents"
# types = ["upload.uploaded"]
# profiles = ["photo"]
# timeout = 10
# [[delivery.handlers]]       # Python functions of yours
# function = "myapp.uploads:told"
# name = "myapp"
# envelope = "standard"
# types = ["upload.uploaded"]
# profiles = ["photo"]
# timeout = 30
# concurrency = 4
"""


@dataclass(frozen=True, slots=True)
class DemoPlace:
    """Where a demo runs."""

    port: int
    emulator_port: int
    host: str = "127.0.0.1"
    bucket: str = "demo-bucket"
    region: str = "cn-hangzhou"

    @property
    def public_key_url(self) -> str:
        """Where the emulator serves its callback key; nothing fetches it, it is a name."""
        return f"http://{self.host}:{self.emulator_port}/_emulator/callback.pem"


def render_demo(place: DemoPlace) -> str:
    """Return the settings file of a demo."""
    return f"""\
# The settings of `ossgate demo` on port {place.port} with its local OSS on port {place.emulator_port}.
# The other commands work on the same set-up: OSSGATE_CONFIG=ossgate.toml ossgate db upgrade
# To grow from here: `ossgate init` writes every setting with its meaning.

# A demo calls back over plain http, talks to an emulator, and gives old clients prefixes that no quota bounds;
# a real set-up removes all three words.
allow_insecure = ["emulator_endpoint", "http_callback", "anonymous_without_quota"]

[server]
host = "{place.host}"
port = {place.port}

[oss]
region = "{place.region}"
bucket = "{place.bucket}"
endpoint = "http://{place.host}:{place.emulator_port}"
access_key_id = "file:secrets/access-key-id"
access_key_secret = "file:secrets/access-key-secret"

# The local OSS plays STS as well: any role of its account may be assumed.
[oss.sts]
role_arn = "acs:ram::1234567890123456:role/uploader"
endpoint = "http://{place.host}:{place.emulator_port}"

[callback]
url = ["http://{place.host}:{place.port}/callback"]

[callback.public_keys]
"{place.public_key_url}" = "file:secrets/emulator-callback.pem"

[keys]
ticket = ["file:secrets/ticket.key"]
seal = ["file:secrets/seal.key"]

[database]
url = "sqlite:///ossgate.sqlite3"

# The operator's key: `/console` asks for it.
[access]
api_keys_file = "secrets/api-keys.toml"

# In a demo one machine plays all the clients.
[limits]
issue = "6000/minute"
confirm = "6000/minute"

[profiles.photo]
title = "Photos"
titles = {{ zh = "照片" }}
allow = ["anonymous"]
object_key = "photos/{{date}}/{{upload_id}}{{ext}}"
content_types = ["image/jpeg", "image/png", "image/webp", "image/gif"]
max_size = "20MB"
disposition = "inline"
thumbnails = {{ small = "image/resize,w_480,h_480" }}

[profiles.photo.quota]
pending_uploads = 200
bytes = "20GB"

[profiles.photo.reply]
Status = "OK"
upload_id = "{{upload_id}}"
state = "{{state}}"
object_key = "{{object_key}}"
size = "{{size}}"
etag = "{{etag}}"
content_type = "{{content_type}}"
width = "{{width}}"
height = "{{height}}"
url = "{{url}}"

[profiles.file]
title = "Any file"
titles = {{ zh = "任意文件" }}
allow = ["anonymous"]
object_key = "files/{{date}}/{{upload_id}}-{{name}}{{ext}}"
max_size = "1GB"
via = ["post", "put", "multipart", "sts"]
key_prefix = "files/{{date}}/"
# Names in scripts that URLs spell out in three characters a byte make long links.
reply_limit = "2KB"

[profiles.file.quota]
pending_uploads = 200
bytes = "200GB"

[profiles.file.reply]
Status = "OK"
upload_id = "{{upload_id}}"
state = "{{state}}"
object_key = "{{object_key}}"
size = "{{size}}"
etag = "{{etag}}"
content_type = "{{content_type}}"
url = "{{url}}"

# Clients that exist, each at the path where it looks: docs/clients.md has a recipe for each.
[dialects]
appserver_v1 = {{ profile = "file" }}
appserver_v1_named = {{ profile = "file" }}
appserver_v4 = {{ profile = "file" }}
mall = {{ profile = "file" }}
gulimall = {{ profile = "file" }}
mini_program = {{ profile = "file" }}
mini_program_token = {{ profile = "file" }}
form_data = {{ profile = "file" }}
form_data_sts = {{ contract = "form_data", variant = "sts", paths = "/postObjectBySTS", profile = "file" }}
put_text = {{ profile = "file" }}
sts_web = {{ profile = "file" }}
sts_mobile = {{ profile = "file" }}
credentials_uri = {{ profile = "file" }}
ali_oss = {{ profile = "file" }}
presign = {{ profile = "file" }}
form = {{ profile = "file" }}
companion = {{ profile = "file" }}
uppy_sign = {{ profile = "file" }}
"""
