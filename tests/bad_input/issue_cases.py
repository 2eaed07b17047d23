"""Grants, credentials and bearers that nobody gets."""

from tests.bad_input.cases import (
    FILE,
    NAMES,
    NO_OBJECTS,
    NOT_TEXT,
    PARTS,
    SIZES,
    TOO_LARGE,
    UNKNOWN_ID,
    Case,
)

CHECKSUMS = {
    "as text": "kAFQmDzST7DWlj99KOF/cg==",
    "as a list": ["kAFQmDzST7DWlj99KOF/cg=="],
    "of nothing": {},
    "of another kind": {"sha256": "kAFQmDzST7DWlj99KOF/cg=="},
    "of two kinds": {"md5": "kAFQmDzST7DWlj99KOF/cg==", "crc64": "1"},
    "null": {"md5": None},
    "as a number": {"md5": 1},
    "empty": {"md5": ""},
    "in hexadecimal": {"md5": "900150983cd24fb0d6963f7d28e17f72"},
    "too short": {"md5": "kAFQmDzST7DWlj99KOF/"},
    "too long": {"md5": "kAFQmDzST7DWlj99KOF/cg==" * 1000},
    "written otherwise": {"md5": "kAFQmDzST7DWlj99KOF/ch=="},
    "without padding": {"md5": "kAFQmDzST7DWlj99KOF/cg"},
    "with a line feed": {"md5": "kAFQmDzST7DWlj99KOF/cg==\n"},
    "of another alphabet": {"md5": "kAFQmDzST7DWlj99KOF_cg=="},
    "not of ASCII": {"md5": "ＫAFQmDzST7DWlj99KOF/cg=="},
}


def list_issue_cases():
    issue, credentials = "/v1/uploads", "/v1/credentials"

    def case(what, status, code, body, **more):
        return Case(what, "POST", more.pop("path", issue), status, code, body, **more)

    for path in (issue, credentials):
        yield case("unknown profile", 404, "profile_unknown", FILE | {"profile": "nosuch"}, path=path)
        yield case("no profile", 422, "field_invalid", {"filename": "a.bin"}, path=path)
        yield case("a profile of 10 kB", 422, "field_invalid", FILE | {"profile": "x" * 10_000}, path=path)
        yield case(
            "a profile that is a path", 404, "profile_unknown", FILE | {"profile": "../file"}, path=path
        )
        yield case("unknown field", 422, "field_invalid", FILE | {"object_key": "mine"}, path=path)
        yield case("foreign subject", 422, "field_invalid", FILE | {"subject": "eve"}, path=path, who="")
        yield case("subject of controls", 422, "subject_invalid", FILE | {"subject": "a\nb"}, path=path)
        yield case("subject of 10 kB", 422, "field_invalid", FILE | {"subject": "s" * 10_000}, path=path)
        yield case("subject of 129 bytes", 422, "subject_invalid", FILE | {"subject": "s" * 129}, path=path)
        yield case("variables not declared", 422, "vars_invalid", FILE | {"vars": {"a": 1}}, path=path)
        yield case("variables as a list", 422, "field_invalid", FILE | {"vars": []}, path=path)
        yield case(
            "closed to anonymous", 401, "credentials_missing", FILE | {"profile": "closed"}, path=path, who=""
        )
        yield case("wrong key", 401, "credentials_invalid", FILE, path=path, who="ossgate_wrong")
        yield case("token where none is taken", 401, "credentials_invalid", FILE, path=path, who="a.b.c")
        yield case(
            "no bearer",
            401,
            "credentials_invalid",
            FILE,
            path=path,
            who="",
            headers={"Authorization": "Basic eDp5"},
        )
        yield case(
            "bearer in the query",
            401,
            "credentials_missing",
            FILE | {"profile": "closed"},
            path=path + "?token=<bearer>",
            who="",
        )
        yield case(
            "two profiles of one name: the last counts",
            404,
            "profile_unknown",
            b'{"profile":"file","filename":"a","profile":"nosuch"}',
            path=path,
        )
        for what, (size, status, code) in SIZES.items():
            yield case(f"size {what}", status, code, FILE | {"size": size}, path=path)
        for what, (filename, code) in NAMES.items():
            yield case(f"name of {what}", 422, code, FILE | {"filename": filename}, path=path)
        for what, value in NOT_TEXT.items():
            for name in ("profile", "filename", "content_type", "subject"):
                yield case(f"{name} is {what}", 422, "field_invalid", FILE | {name: value}, path=path)
        for what, kind in {
            "10 kB": "x/" + "y" * 10_000,
            "no type": "jpeg",
            "a line feed": "image/png\nX: y",
        }.items():
            code, status = ("field_invalid", 422) if len(kind) > 4096 else ("content_type_not_allowed", 415)
            yield case(f"content type of {what}", status, code, FILE | {"content_type": kind}, path=path)
    yield case(
        "a type that is not allowed",
        415,
        "content_type_not_allowed",
        FILE | {"profile": "photo", "filename": "a.exe"},
    )
    yield case(
        "ten thousand files", 422, "field_invalid", {"profile": "file", "files": [{"filename": "a"}] * 10_000}
    )
    yield case(
        "a hundred and one", 422, "field_invalid", {"profile": "file", "files": [{"filename": "a"}] * 101}
    )
    yield case(
        "one bad among a hundred",
        422,
        "filename_invalid",
        {"profile": "file", "files": [{"filename": "a"}] * 99 + [{"filename": ".."}]},
    )
    yield case(
        "21 in parts",
        422,
        "field_invalid",
        {"profile": "file", "via": "multipart", "files": [{"filename": "a", "size": 3}] * 21},
    )
    yield case(
        "one in parts without size among good ones",
        422,
        "size_missing",
        {"profile": "file", "via": "multipart", "files": [{"filename": "a", "size": 3}, {"filename": "a"}]},
    )
    for what, files in {"none": [], "text": "a", "null": None, "numbers": [1], "lists": [[]]}.items():
        yield case(f"files: {what}", 422, "field_invalid", {"profile": "file", "files": files})
    yield case("files of two profiles", 422, "field_invalid", {"files": [FILE, FILE | {"profile": "photo"}]})
    for what, checksum in CHECKSUMS.items():
        yield case(f"checksum {what}", 422, "checksum_invalid", FILE | {"checksum": checksum})
    yield case(
        "checksum of parts",
        422,
        "checksum_not_possible",
        FILE | {"via": "multipart", "size": 3, "checksum": {"md5": "kAFQmDzST7DWlj99KOF/cg=="}},
    )
    yield case(
        "checksum of credentials", 422, "field_invalid", FILE | {"checksum": {"md5": ""}}, path=credentials
    )
    yield case("no such way", 422, "field_invalid", FILE | {"via": "ftp"})
    yield case("a way of credentials", 422, "field_invalid", FILE | {"via": "sts"})
    yield case("a way that is a list", 422, "field_invalid", FILE | {"via": ["post"]})
    yield case("PUT without size", 422, "size_missing", {"profile": "file", "filename": "a", "via": "put"})
    yield case(
        "parts without size", 422, "size_missing", {"profile": "file", "filename": "a", "via": "multipart"}
    )
    for what, (value, code) in {
        "0": (0, "part_size_invalid"), "negative": (-1, "part_size_invalid"), "1": (1, "part_size_invalid"),
        "6 GB": (6 * 1024**3, "part_size_invalid"), "beyond 64 bits": (2**64 - 1, "part_size_invalid"),
        "text": ("8", "field_invalid"), "true": (True, "field_invalid"), "a fraction": (1e6, "field_invalid"),
    }.items():  # fmt: skip
        yield case(f"part size {what}", 422, code, PARTS | {"part_size": value})
    yield case(
        "part size that makes 10,001 parts",
        422,
        "part_size_invalid",
        PARTS | {"size": 102_400 * 10_000 + 1, "part_size": 102_400},
    )
    yield case("part size of a form", 422, "field_invalid", FILE | {"part_size": 102_400})
    yield case("no such use", 422, "field_invalid", FILE | {"use": "ever"}, path=credentials)
    yield case("a prefix with a name", 422, "field_invalid", FILE | {"use": "prefix"}, path=credentials)
    yield case("a prefix with a size", 422, "field_invalid", {"profile": "file", "size": 3}, path=credentials)
    yield case("a prefix where none is given", 422, "via_not_allowed", {"profile": "photo"}, path=credentials)
    yield case(
        "a list of files", 422, "field_invalid", {"profile": "file", "files": [FILE]}, path=credentials
    )


def list_body_cases():
    routes = {
        "/v1/uploads": "bad_request", "/v1/credentials": "bad_request", "/v1/bearers": "bad_request",
        "/v1/confirm": "bad_request", "/v1/uploads/<open>/parts": "bad_request", "/v1/uploads/<open>/complete": "bad_request",
    }  # fmt: skip
    for path, code in routes.items():
        for what, body in NO_OBJECTS.items():
            if body or not path.endswith("/complete"):
                yield Case(what, "POST", path, 400, code, body)
        yield Case("two megabytes", "POST", path, 413, "request_entity_too_large", TOO_LARGE)


def list_other_cases():
    good = {"profile": "file", "subject": "bob"}
    for what, (body, status, code) in {
        "no profile": ({"subject": "bob"}, 422, "field_invalid"), "unknown profile": (good | {"profile": "nosuch"}, 404, "profile_unknown"),
        "no subject": ({"profile": "file"}, 422, "field_invalid"), "subject of controls": (good | {"subject": "a\0"}, 422, "field_invalid"),
        "subject of 10 kB": (good | {"subject": "s" * 10_000}, 422, "field_invalid"),
        "subject is a list": (good | {"subject": ["bob"]}, 422, "field_invalid"),
        "for ever": (good | {"expires_in": 10**9}, 422, "field_invalid"), "for no time": (good | {"expires_in": 0}, 422, "field_invalid"),
        "negative": (good | {"expires_in": -1}, 422, "field_invalid"), "true": (good | {"expires_in": True}, 422, "field_invalid"),
        "unknown field": (good | {"operator": True}, 422, "field_invalid"),
        "closed to bearers": (good | {"profile": "closed"}, 403, "profile_forbidden"),
    }.items():  # fmt: skip
        yield Case(what, "POST", "/v1/bearers", status, code, body)
    yield Case("made by nobody", "POST", "/v1/bearers", 401, "credentials_missing", good, who="")
    for path in (
        "/v1/uploads",
        "/v1/callbacks",
        "/v1/counts",
        "/v1/uploads/<open>/history",
    ):
        yield Case("nobody", "GET", path, 401, "credentials_missing", who="")
        yield Case("no operator", "GET", path, 403, "operator_required")
        if not path.endswith("history"):
            yield Case("unknown parameter", "GET", path + "?sql=1", 422, "field_invalid", who="operator")
    for query in (
        "state=nosuch", "cursor=%00", "cursor=' OR 1=1", "limit=0", "limit=-1", "limit=99999999999", "limit=1&limit=2", "created_from=yesterday",
        "created_from=9999-99-99T00:00:00Z", "q=" + "x" * 10_000, "q=%00", "subject=%00",
    ):  # fmt: skip
        yield Case(
            query[:20],
            "GET",
            "/v1/uploads?" + query.replace(" ", "%20"),
            422,
            "field_invalid",
            who="operator",
        )
    yield Case("unknown", "GET", f"/v1/uploads/{UNKNOWN_ID}/history", 404, "upload_unknown", who="operator")
    yield Case("no address", "POST", "/v1/nosuch", 404, "not_found", {})
