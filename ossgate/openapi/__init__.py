"""The HTTP face as one OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0), served at ``/openapi.json`` and, to read, at ``/docs``.

What can be read off the code is: statuses and codes of refusals come from the tables that answer them.
"""
