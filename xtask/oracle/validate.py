#!/usr/bin/env python3
"""Validates OCSF events against the official schemas, independently of the house's own validator.

usage: validate.py [--each] FILE.jsonl...

Events are JSON lines. Each is checked against the JSON Schema that PyPI's ocsf-json-schema makes of the event's metadata.version, class
and profiles. Prints `N events, M invalid` and the reasons by frequency; exit code 1 if any event is invalid.
With --each: one JSON line per event instead, {"line": N, "valid": bool, "why": "..."}.

Quirks of that package, and what is done about them:
- its look-up from class_uid gives the name without the extension (`registry_key_activity`), which it then does not find: the look-up
  here is our own;
- attributes of a profile are only known where the profile is selected: those of metadata.profiles are. Names of profiles that the
  version does not have are ignored (put into the schema's URI, some of them break it);
- `patch_state` has a constraint over `device.os.sp_name` and others; it becomes `required: ["device.os.sp_name"]`, which no event can meet
  without an unknown attribute. Such a path is read as a path here;
- the expression for addresses takes `1234567`, its dots are not escaped.
"""

import collections
import json
import sys

import jsonschema_rs
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema


class Oracle:
    def __init__(self):
        self.schemas = {}
        self.validators = {}

    def schema(self, version):
        if version not in self.schemas:
            facts = get_ocsf_schema(version)
            names = {entry["uid"]: name for name, entry in facts["classes"].items()}
            owners = [*facts["classes"].values(), *facts["objects"].values()]
            known = {profile for owner in owners for profile in owner.get("profiles") or []}
            self.schemas[version] = (OcsfJsonSchemaEmbedded(facts), names, known)
        return self.schemas[version]

    def validator(self, version, uid, profiles):
        schema, names, known = self.schema(version)
        profiles = tuple(sorted(known.intersection(profiles)))
        key = (version, uid, profiles)
        if key not in self.validators:
            if uid not in names:
                raise LookupError(f"class_uid {uid} is unknown")
            json_schema = schema.get_class_schema(names[uid], list(profiles))
            for rule in ("anyOf", "oneOf"):
                if rule in json_schema:
                    json_schema[rule] = [along(branch["required"][0].split(".")) for branch in json_schema[rule]]
            self.validators[key] = jsonschema_rs.validator_for(json_schema)
        return self.validators[key]

    def why(self, event):
        """The reason why an event is invalid, None if it is valid."""
        metadata = event.get("metadata") if isinstance(event, dict) else None
        if not isinstance(metadata, dict):
            return "no metadata"
        profiles = metadata.get("profiles", [])
        if not isinstance(profiles, list):
            profiles = []
        profiles = [profile for profile in profiles if isinstance(profile, str)]
        uid = event.get("class_uid")
        if isinstance(uid, bool) or not isinstance(uid, int):
            return f"class_uid {uid!r} is no number"
        try:
            validator = self.validator(metadata.get("version"), uid, profiles)
        except (LookupError, ValueError, TypeError, FileNotFoundError, AttributeError) as error:
            return str(error)
        for error in validator.iter_errors(event):
            path = ".".join("[]" if isinstance(part, int) else str(part) for part in error.instance_path)
            return f"{names_of(event)}: {path}: {error.message[:200]}"
        return None


def along(path):
    """The schema of an object in which the path leads to something."""
    inner = {"properties": {path[0]: along(path[1:])}} if path[1:] else {}
    return {"required": [path[0]], **inner}


def names_of(event):
    return event.get("class_name") or event.get("class_uid")


def main(paths):
    each = "--each" in paths
    oracle, total, invalid = Oracle(), 0, 0
    reasons, first = collections.Counter(), {}
    for path in paths:
        if path == "--each":
            continue
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                total += 1
                try:
                    why = oracle.why(json.loads(line))
                except json.JSONDecodeError as error:
                    why = f"no JSON: {error}"
                if each:
                    print(json.dumps({"line": number, "valid": why is None, "why": why}))
                if why is not None:
                    invalid += 1
                    reasons[why] += 1
                    first.setdefault(why, f"{path}:{number}")
    if not each:
        for why, count in reasons.most_common(40):
            print(f"{count:8} {why} (first: {first[why]})")
        print(f"{total} events, {invalid} invalid")
    return 1 if invalid else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
