"""The app servers of 2023 and 2024: a V1 policy under a path of its own."""

import pytest

from signer.dialects.wishes import FormUnderPrefix

GOLDEN = (
    b'{"ossAccessKeyId":"EXAMPLE-AK","policy":"cG9saWN5","signature":"c2lnbmF0dXJl","dir":"user-dir/GRANT.MAC/",'
    b'"host":"https://demo-bucket.oss-cn-hangzhou.aliyuncs.com"}'
)


@pytest.mark.parametrize(
    ("variant", "golden", "content_type"),
    [
        ("python", GOLDEN, "application/json"),
        ("node", GOLDEN, "application/json"),
        ("go", GOLDEN, "application/json"),
        ("php", GOLDEN, "application/json"),
        ("java", GOLDEN, "text/plain; charset=utf-8"),
        ("ruby", GOLDEN[:-1] + b',"expire":1767225600}', "application/json"),
        (
            "csharp",
            b'{"Accessid":"EXAMPLE-AK","Policy":"cG9saWN5","Signature":"c2lnbmF0dXJl","Dir":"user-dir/GRANT.MAC/",'
            b'"Host":"https://demo-bucket.oss-cn-hangzhou.aliyuncs.com","Expire":"1767225600"}',
            "application/json",
        ),
    ],
)
def test_reply_is_that_of_the_sample(speak, make_form, variant, golden, content_type):
    """Each language's sample has its names, its order and its media type."""
    answer = speak("appserver_v1_named", make_form(), variant=variant)

    assert (golden, content_type) == (answer.body, answer.content_type)


def test_no_callback_is_demanded_whatever_the_settings_say(ask):
    """The page has no place for a callback, so a policy that demanded one would refuse it."""
    wish = ask("appserver_v1_named", options={"callback": True})

    assert FormUnderPrefix("v1", callback=False, status_field=True) == wish
