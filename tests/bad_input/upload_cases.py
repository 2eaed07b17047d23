"""What is done with uploads that are another's, finished, given up, expired or not made of parts; and with parts that there are not."""

from tests.bad_input.cases import NO_OBJECTS, UNKNOWN_ID, Case


def list_upload_cases():
    def one(method, upload, what, status, code, body=None, *, below="", **more):
        return Case(what, method, f"/v1/uploads/{upload}{below}", status, code, body, **more)

    routes = (
        ("GET", "", None), ("POST", "/confirm", None), ("GET", "/parts", None), ("POST", "/parts", {"part_numbers": [1]}),
        ("POST", "/complete", {}), ("POST", "/complete", {"presign": True}), ("DELETE", "", None),
    )  # fmt: skip
    for method, below, body in routes:
        for what, upload in {
            "no id": "x",
            "unknown": UNKNOWN_ID,
            "10 kB": "0" * 10_000,
            "path": "..%2f..",
            "controls": "%00%0a",
        }.items():
            yield one(
                method,
                upload,
                what,
                404,
                "not_found" if "%2f" in upload else "upload_unknown",
                body,
                below=below,
            )
        for who in ("rival", ""):
            for upload in ("<open>", "<finished>", "<expired>"):
                yield one(
                    method,
                    upload,
                    f"of another, to {who or 'nobody'}",
                    404,
                    "upload_unknown",
                    body,
                    below=below,
                    who=who,
                )
        yield one(
            method, "<open>", "wrong key", 401, "credentials_invalid", body, below=below, who="ossgate_wrong"
        )
    yield from _list_key_cases()
    for method, body in {"POST": {"part_numbers": [1]}, "GET": None}.items():
        yield one(
            method, "<finished>", "parts of a finished upload", 409, "upload_arrived", body, below="/parts"
        )
        yield one(
            method, "<aborted>", "parts of an aborted upload", 409, "upload_closed", body, below="/parts"
        )
        yield one(
            method, "<expired>", "parts of an expired grant", 410, "grant_expired", body, below="/parts"
        )
        yield one(method, "<form>", "parts of a form", 409, "not_multipart", body, below="/parts")
    for body in ({}, {"presign": True}):
        yield one("POST", "<open>", "without parts", 422, "parts_missing", body, below="/complete")
        yield one("POST", "<expired>", "an expired grant", 410, "grant_expired", body, below="/complete")
        yield one("POST", "<aborted>", "an aborted upload", 409, "upload_closed", body, below="/complete")
        yield one("POST", "<form>", "a form", 409, "not_multipart", body, below="/complete")
    yield one(
        "POST", "<finished>", "a finished upload", 409, "upload_arrived", {"presign": True}, below="/complete"
    )
    yield one("DELETE", "<finished>", "a finished upload", 409, "upload_arrived")
    yield one("DELETE", "<form>", "a form that is still good", 409, "grant_still_good")
    yield one("POST", "<open>", "nothing arrived", 409, "object_missing", below="/confirm")
    yield one("POST", "<form>", "nothing arrived", 409, "object_missing", below="/confirm")
    for what, (numbers, code) in {
        "0": ([0], "part_number_invalid"), "6 of 5": ([6], "part_number_invalid"), "10001": ([10_001], "part_number_invalid"),
        "-1": ([-1], "part_number_invalid"), "1 and 0": ([1, 0], "part_number_invalid"), "text": (["1"], "part_number_invalid"),
        "true": ([True], "part_number_invalid"), "a fraction": ([1.0], "part_number_invalid"), "null": ([None], "part_number_invalid"),
        "beyond 64 bits": ([2**64 - 1], "part_number_invalid"), "none": ([], "too_many_parts"),
        "ten thousand": ([1] * 10_000, "too_many_parts"), "101": ([1] * 101, "too_many_parts"),
    }.items():  # fmt: skip
        yield one(
            "POST", "<open>", f"part number {what}", 422, code, {"part_numbers": numbers}, below="/parts"
        )
    for what, body in {
        "no numbers": {},
        "a number": {"part_numbers": 1},
        "an object": {"part_numbers": {"1": 1}},
        "more fields": {"part_numbers": [1], "size": 1},
    }.items():
        yield one("POST", "<open>", what, 422, "field_invalid", body, below="/parts")
    good = {"part_number": 1, "etag": "a" * 32}
    for what, (parts, code) in {
        "no part": ([], "parts_missing"), "one that is not there": ([good], "parts_mismatch"),
        "number 0": ([good | {"part_number": 0}], "part_number_invalid"), "number 10001": ([good | {"part_number": 10_001}], "part_number_invalid"),
        "number as text": ([good | {"part_number": "1"}], "part_number_invalid"), "no ETag": ([{"part_number": 1}], "field_invalid"),
        "an ETag of 10 kB": ([good | {"etag": "a" * 10_000}], "field_invalid"), "a number for an ETag": ([good | {"etag": 1}], "field_invalid"),
        "no objects": ([1], "field_invalid"), "text": ("1", "field_invalid"), "10,001": ([1] * 10_001, "field_invalid"),
        "more fields": ([good | {"size": 1}], "field_invalid"),
    }.items():  # fmt: skip
        yield one("POST", "<open>", f"parts: {what}", 422, code, {"parts": parts}, below="/complete")
    yield one(
        "POST",
        "<open>",
        "parts and presign",
        422,
        "field_invalid",
        {"parts": [good], "presign": True},
        below="/complete",
    )
    yield one(
        "POST", "<open>", "presign is text", 422, "field_invalid", {"presign": "yes"}, below="/complete"
    )
    yield one("PUT", "<open>", "another method", 405, "method_not_allowed")


def list_key_cases():
    """Asking by an object's key: none but one below a prefix of ours means anything."""
    path = "/v1/confirm"
    below = f"files/{UNKNOWN_ID}.{'A' * 22}/"
    for what, key in {
        "of no prefix": "files/a.txt",
        "of a forged prefix": below + "a.txt",
        "that is a prefix": below,
        "of dots": below + "../a.txt",
        "of controls": below + "\x00\n",
        "of slashes": "/" * 1000,
        "of a cat": below + "猫" * 100,
    }.items():
        for who in ("", "rival"):
            yield Case(f"key {what}", "POST", path, 404, "upload_unknown", {"object_key": key}, who=who)
    for what, body in NO_OBJECTS.items():
        yield Case(f"key: {what}", "POST", path, 400, "bad_request", body)
    for what, body in {
        "none": {},
        "null": {"object_key": None},
        "empty": {"object_key": ""},
        "a number": {"object_key": 1},
        "a list": {"object_key": ["a"]},
        "of 10 kB": {"object_key": "k" * 10_000},
        "and more": {"object_key": "a", "upload_id": UNKNOWN_ID},
    }.items():
        yield Case(f"key {what}", "POST", path, 422, "field_invalid", body)
    yield Case(
        "key for somebody, by nobody",
        "POST",
        path,
        422,
        "field_invalid",
        {"object_key": "a", "subject": "eve"},
        who="",
    )
    yield Case("key by a wrong key", "POST", path, 401, "credentials_invalid", {"object_key": "a"}, who="x")


def _list_key_cases():
    """Uploads that are confirmed by their keys."""

    def case(what, status, code, body, who="shop"):
        return Case(what, "POST", "/v1/confirm", status, code, body, who)

    for what, key in {
        "no key of ours": "mine.png", "10 kB": "k" * 10_000, "controls": "a\n\0", "a path": "../../etc/passwd", "a prefix alone": "files/2026-01-01/",
    }.items():  # fmt: skip
        status, code = (422, "field_invalid") if len(key) > 1023 else (404, "upload_unknown")
        yield case(what, status, code, {"object_key": key})
    for what, value in {"nothing": "", "null": None, "a number": 7, "a list": ["a"]}.items():
        yield case(f"key is {what}", 422, "field_invalid", {"object_key": value})
    yield case("no key", 422, "field_invalid", {})
    yield case("unknown field", 422, "field_invalid", {"object_key": "a", "upload_id": "b"})
    yield case("wrong key", 401, "credentials_invalid", {"object_key": "a"}, "ossgate_wrong")
    yield case("subject of anonymous", 422, "field_invalid", {"object_key": "a", "subject": "eve"}, "")


def list_callback_cases():
    """Refused callbacks are kept, and change nothing else."""
    for path in ("/callback", "/callback/x?y=%00"):
        for what, body in NO_OBJECTS.items():
            status, code = (
                (413, "callback_too_large") if len(body) > 65_536 else (403, "callback_signature_invalid")
            )
            yield Case(what, "POST", path, status, code, body, who="")
    signed = {"Authorization": "c2lnbmVk", "x-oss-pub-key-url": "aHR0cHM6Ly9ldmlsLmV4YW1wbGUva2V5LnBlbQ=="}
    yield Case(
        "a foreign key", "POST", "/callback", 403, "public_key_url_rejected", b"{}", who="", headers=signed
    )
