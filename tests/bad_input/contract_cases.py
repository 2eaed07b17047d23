"""The same over the contracts of clients that exist, each route of each."""

from urllib.parse import quote

from signer.dialects.registry import DIALECTS
from tests.bad_input.cases import DIGITS, NAMES, NO_OBJECTS, NOT_TEXT, SIZES, TOO_LARGE, UNKNOWN_ID, Case


def dress(contract, status):
    """Return the HTTP status that a contract's client sees."""
    return 200 if contract in ("mall", "gulimall", "sts_mobile") else status


def list_contract_cases():
    for name, dialect in DIALECTS.items():
        yield from _list_cases_of_any(name, dialect)
    for name, path in {
        "presign": "/presign",
        "form": "/form",
        "companion": "/s3/params",
        "put_text": "/get_presigned_url_for_oss_upload",
    }.items():
        yield from _list_file_cases(name, path)
    yield from _list_companion_cases()
    yield from _list_uppy_sign_cases()
    for name in ("sts_web", "sts_mobile", "credentials_uri", "ali_oss", "mini_program_token"):
        path = DIALECTS[name].usual_paths[0]
        for what, grant in {
            "garbage": "x",
            "10 kB": "x" * 10_000,
            "another's form": "<bearer>",
            "a week old": "<old_grant>",
        }.items():
            yield Case(
                f"grant: {what}",
                "GET",
                f"{path}?grant={grant}",
                422,
                "held_grant_invalid",
                who="",
                contract=name,
            )
        yield Case(
            "grant of somebody else", "GET", f"{path}?grant=<grant>", 422, "held_grant_invalid", contract=name
        )
    for name in ("sts_mobile", "credentials_uri"):
        path = DIALECTS[name].usual_paths[0]
        for what, token in {
            "garbage": "x",
            "10 kB": "x" * 10_000,
            "not ASCII": "%E5%9B%BE",
            "a grant": "<grant>",
        }.items():
            yield Case(
                f"bearer: {what}",
                "GET",
                f"{path}?token={token}",
                401,
                "bearer_invalid",
                who="",
                contract=name,
            )
        yield Case(
            "bearer of another profile",
            "GET",
            f"/closed/{name}?token=<bearer>",
            403,
            "profile_forbidden",
            who="",
            contract=name,
        )
    yield Case(
        "no function", "GET", "/java?callback=alert(1)", 400, "callback_name_invalid", contract="appserver_v1"
    )


def _list_cases_of_any(name, dialect):
    """Refusals that every contract has: wrong credentials, a closed profile, a body beyond all measure."""
    route = dialect.routes[0]
    path, closed, method = (
        dialect.usual_paths[0] + route.suffix,
        f"/closed/{name}{route.suffix}",
        route.methods[0],
    )
    query = "?filename=a.bin" if method == "GET" else ""
    body = {"method": "PUT", "key": "a.bin"} if method == "POST" else None
    yield Case(
        "wrong key",
        method,
        path + query,
        401,
        "credentials_invalid",
        body,
        who="ossgate_wrong",
        contract=name,
    )
    for what, subject, who, code in (
        ("named by nobody", "eve", "", "field_invalid"), ("of 129 bytes", "s" * 129, "shop", "subject_invalid"),
        ("not UTF-8", "\xff", "shop", "field_invalid"),
    ):  # fmt: skip
        headers = {"X-Ossgate-Subject": subject}
        yield Case(
            f"subject {what}", method, path + query, 422, code, body, who, headers=headers, contract=name
        )
    yield Case("closed", method, closed + query, 401, "credentials_missing", body, who="", contract=name)
    yield Case(
        "two megabytes",
        method,
        path + query,
        413,
        "request_entity_too_large",
        TOO_LARGE,
        who="",
        contract=name,
    )
    if not dialect.query_bearer:
        yield Case(
            "bearer in the query",
            method,
            f"{closed}{query}{'&' if query else '?'}token=<bearer>",
            401,
            "credentials_missing",
            body,
            who="",
            contract=name,
        )
    for other in dialect.routes:
        if "POST" not in other.methods or name in ("sts_mobile", "ali_oss"):
            # These read no body at all.
            continue
        place = (
            dialect.usual_paths[0]
            + other.suffix.replace("<upload_id>", "<uppy>")
            + ("?key=<uppy_key>" if "<" in other.suffix else "")
        )
        for what, sent in NO_OBJECTS.items():
            if sent:
                yield Case(
                    what,
                    "POST",
                    place,
                    400,
                    "bad_request",
                    sent,
                    who="",
                    contract=name,
                    headers={"Content-Type": "application/json"},
                )
        fields = b"&".join(b"a%d=1" % number for number in range(200))
        yield Case(
            "two hundred fields",
            "POST",
            place,
            400,
            "bad_request",
            fields,
            who="",
            contract=name,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )


def _list_file_cases(name, path):
    """One file, described in a query."""

    def case(what, query, status, code):
        return Case(
            what,
            "GET",
            f"{path}?{query}",
            status,
            code,
            who="",
            contract=name,
            headers={"Accept": "application/json"},
        )

    for what, (filename, code) in NAMES.items():
        if filename and len(filename) < 100_000 and "blanks" not in what:
            yield case(
                f"name of {what}",
                f"filename={quote(filename, safe='')}&size=3",
                422,
                "field_invalid" if len(filename) > 4096 else code,
            )
    for what, (size, status, code) in SIZES.items():
        if type(size) is int or size == 1.5:
            yield case(f"size {what}", f"filename=a.bin&size={size}", status, code)
    yield case("a size of many digits", "filename=a.bin&size=1" + "0" * DIGITS, 422, "size_invalid")
    yield case("a size in other digits", "filename=a.bin&size=%D9%A3", 422, "size_invalid")
    yield case("a type of 10 kB", "filename=a.bin&type=x/" + "y" * 10_000, 422, "field_invalid")
    yield case(
        "a type with a line feed",
        "filename=a.bin&size=3&type=image/png%0AX:y",
        415,
        "content_type_not_allowed",
    )
    if name in ("presign", "form"):
        yield case("no name", "", 422, "filename_invalid")
        yield case("PUT without size", "filename=a.bin&via=put", 422, "size_missing")
    if name == "companion":
        yield case("no name", "", 400, "filename_invalid")


def _list_companion_cases():
    def case(what, method, path, status, code, body=None, who=""):
        return Case(what, method, "/s3" + path, status, code, body, who=who, contract="companion")

    one = "/multipart/<uppy>"
    key = "?key=<uppy_key>"
    for what, body in {"no name": {}, "an empty name": {"filename": ""}, "null": {"filename": None}}.items():
        yield case(what, "POST", "/multipart", 400, "filename_invalid", body)
    for what, value in NOT_TEXT.items():
        yield case(f"name is {what}", "POST", "/multipart", 422, "field_invalid", {"filename": value})
        yield case(
            f"type is {what}", "POST", "/multipart", 422, "field_invalid", {"filename": "a", "type": value}
        )
    for what, (filename, code) in NAMES.items():
        if filename:
            yield case(
                f"name of {what}",
                "POST",
                "/multipart",
                422,
                "field_invalid" if len(filename) > 4096 else code,
                {"filename": filename},
            )
    for number in ("0", "10001", "-1", "x", "1.0", "%D9%A1", "9" * 5000):
        yield case(f"part {number[:9]}", "GET", f"{one}/{number}{key}", 400, "part_number_invalid")
    for numbers in ("", "0", "1,", "1,10001", "1,x", ",".join(["1"] * 101)):
        yield case(
            f"parts {numbers[:9]}",
            "GET",
            f"{one}/batch{key}&partNumbers={numbers}",
            400,
            "part_number_invalid",
        )
    good = {"PartNumber": 1, "ETag": "a" * 32}
    for what, parts in {
        "none": [], "text": "x", "missing": None, "numbers": [1],
        "number 0": [good | {"PartNumber": 0}], "number 10001": [good | {"PartNumber": 10_001}],
        "number as text": [good | {"PartNumber": "1"}], "no ETag": [{"PartNumber": 1}], "10,001": [good] * 10_001,
    }.items():  # fmt: skip
        yield case(
            f"complete, parts: {what}", "POST", f"{one}/complete{key}", 400, "field_invalid", {"parts": parts}
        )
    yield case(
        "complete, a part that is not there",
        "POST",
        f"{one}/complete{key}",
        422,
        "parts_mismatch",
        {"parts": [good]},
    )
    yield case(
        "complete, an ETag of 10 kB",
        "POST",
        f"{one}/complete{key}",
        422,
        "parts_mismatch",
        {"parts": [good | {"ETag": "a" * 10_000}]},
    )
    for method, below, body in (
        ("GET", "", None), ("DELETE", "", None), ("GET", "/1", None), ("GET", "/batch", None), ("POST", "/complete", {"parts": [good]}),
    ):  # fmt: skip
        more = "&partNumbers=1" if below == "/batch" else ""
        yield case("no key", method, one + below, 400, "field_invalid", body)
        yield case("another key", method, f"{one}{below}?key=other{more}", 404, "upload_unknown", body)
        yield case(
            "unknown id", method, f"/multipart/{UNKNOWN_ID}{below}{key}{more}", 404, "upload_unknown", body
        )
        yield case(
            "another's id", method, f"/multipart/<open>{below}{key}{more}", 404, "upload_unknown", body
        )
        yield case(
            "id of 10 kB", method, f"/multipart/{'0' * 10_000}{below}{key}{more}", 404, "upload_unknown", body
        )
    yield case("credentials", "GET", "/sts", 400, "sts_not_supported")


def _list_uppy_sign_cases():
    def case(what, status, code, **fields):
        return Case(what, "POST", "/uppy/sign", status, code, fields, who="", contract="uppy_sign")

    yield case("nothing", 422, "field_invalid")
    yield case("no key", 422, "field_invalid", method="PUT")
    yield case("a key of 10 kB", 422, "field_invalid", method="PUT", key="x" * 10_000)
    yield case("a key of dots", 422, "filename_invalid", method="PUT", key="../..")
    for method in ("GET", "DELETE", "PATCH", "", "PUT\n"):
        yield case(f"method {method!r}", 403, "operation_forbidden", method=method, key="a.bin")
    for what, value in NOT_TEXT.items():
        yield case(f"key is {what}", 422, "field_invalid", method="PUT", key=value)
        yield case(f"method is {what}", 422, "field_invalid", method=value, key="a")
    part = {"method": "PUT", "key": "a.bin", "uploadId": "x"}
    for number in (0, 10_001, -1, "1", None, True, 1.0, 2**63):
        yield case(f"part {number!r}", 422, "part_number_invalid", **part, partNumber=number)
    yield case("a key below no prefix of ours", 404, "upload_unknown", **part, partNumber=1)
    yield case("an id of 10 kB", 422, "field_invalid", **part | {"uploadId": "x" * 10_000}, partNumber=1)
