"""The tables ``[dialects.NAME]``: client contracts that are switched on."""

from __future__ import annotations

from pydantic import Field

from ossgate.section import OneOrMore, Section


class EnvelopeSettings(Section):
    """What every answer of a dialect is wrapped in."""

    code: str = Field("code", min_length=1, description="name of the field that says how it went")
    message: str = Field("message", min_length=1, description="name of the field for people")
    data: str = Field("data", min_length=1, description="name of the field that holds the rest")
    ok: int | str = Field(200, description="value of code when it went well")
    ok_message: str = Field("ok", description="value of message then")


class DialectSettings(Section):
    """One client contract; docs/clients.md describes each. Options that a contract does not know are refused."""

    profile: str = Field(description="the profile that its grants are issued under")
    contract: str = Field("", description="which contract; default the table's own name")
    paths: OneOrMore = Field(
        (), description="where its clients look for it; default the contract's usual paths"
    )
    variant: str = Field("", description="which variant of the contract; default the first")
    dir_slash: bool | None = Field(None, description="whether dir ends with a slash")
    callback: bool | None = Field(
        None, description="whether the client posts the callback field, so that the policy demands it"
    )
    status_field: bool | None = Field(
        None, description="whether the client posts success_action_status=200, so that the policy demands it"
    )
    extras: bool | None = Field(
        None, description="whether fields are added that the original contract does not have, such as dir"
    )
    real_status: bool | None = Field(
        None, description="whether errors have real HTTP statuses where the client would rather have 200"
    )
    content_type: str | None = Field(
        None, description="the Content-Type that the client sends when it does not say"
    )
    envelope: EnvelopeSettings | None = Field(
        None, description="what every answer is wrapped in, such as {code, message, data}"
    )
