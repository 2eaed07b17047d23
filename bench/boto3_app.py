"""What is commonly written for S3: boto3's presigned POST in a bare Flask; needs boto3."""

from __future__ import annotations

import uuid
from typing import Any

import boto3  # type: ignore[import-not-found]
from botocore.config import Config  # type: ignore[import-not-found]
from flask import Flask, request


def create_app() -> Flask:
    """Return an application that answers as ours does, with the locks that a presigned POST has."""
    app = Flask("boto3", static_folder=None)
    client = boto3.client(
        "s3",
        region_name="cn-hangzhou",
        endpoint_url="https://s3.oss-cn-hangzhou.aliyuncs.com",
        aws_access_key_id="bench-access-key-id",
        aws_secret_access_key="s" * 30,
        config=Config(signature_version="s3v4"),
    )

    @app.get("/")
    def show() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/v1/uploads")
    def issue() -> tuple[dict[str, Any], int]:
        wanted = request.get_json()
        fields = {"Content-Type": wanted["content_type"], "success_action_status": "201"}
        conditions = [
            *({name: value} for name, value in fields.items()),
            ["content-length-range", wanted["size"], wanted["size"]],
        ]
        signed = client.generate_presigned_post(
            "demo-bucket",
            f"photos/{wanted['subject']}/{uuid.uuid4()}.jpg",
            Fields=fields,
            Conditions=conditions,
            ExpiresIn=460,
        )
        return {"method": "POST", **signed}, 201

    return app
