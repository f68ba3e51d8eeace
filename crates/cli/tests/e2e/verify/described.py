"""Holds what was told against the OpenAPI document: `{"document", "told": [[name, value], ...]}` on stdin, where a name is a
webhook's or a schema's; a line of complaint for each that does not fit."""

import json
import sys

import jsonschema_rs

given = json.load(sys.stdin)
document = given["document"]
for name, value in given["told"]:
    if name in document["webhooks"]:
        pointer = f"/webhooks/{name}/post/requestBody/content/application~1json/schema"
    else:
        pointer = f"/components/schemas/{name}"
    schema = {**document, "$ref": f"#{pointer}"}
    for error in jsonschema_rs.Draft202012Validator(schema, validate_formats=True).iter_errors(value):
        print(f"{name} {list(error.instance_path)}: {error.message[:500]}")
print("done")
