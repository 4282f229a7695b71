"""The house rules' exceptions, each by name and with its reason. A stale entry fails the tests."""

# Source files of the mirrored rooms that need no test file of their own.
UNTESTED_ALONE = {
    "line/bound.py": "its calls pass by exchanges with a server: tests/cluster/test_places.py",
    "policy/lease/places.py": "the same",
    "policy/lease/faces.py": "protocols, and where a worker stands; the tests of membership and wallets hold it",
    "model/cluster.py": "records without behaviour; the tests of central, wallets and scripts write and read them",
    "line/shelves.py": "records without behaviour; the tests of draft and lanes make and read them",
    "edge/access/entries.py": "records; the roster's tests make and read them",
    "line/slot.py": "two permits as one; the tests of attempt and line settle it",
    "line/records.py": "records; the tests of lane, target and attempt make and read them",
    "policy/queue/records.py": "records without behaviour",
    "policy/quota/charge.py": "a record; the tests of quota and outlet make and read it",
    "policy/caching/words_en.py": "word lists; the tests of reading and lexical hold them",
    "policy/caching/words_zh.py": "word lists; as words_en",
    "policy/queue/waiting.py": "a record; the desk's tests make and read it",
    "model/facts.py": "records without behaviour; the ledger's tests write and read them",
    "model/arrivals.py": "records without behaviour; the tests of dry runs and of store/arrivals.py make and read them",
    "model/bodies.py": "records without behaviour; the tests of edge, ledger and store make and read them",
    "model/entitlements.py": "records without behaviour; the snapshot's tests write and read them",
    "model/alert_rules.py": "records without behaviour; tests/config/test_alerts.py reads them",
    "model/alert_state.py": "records without behaviour; the tests of policy/alerts write and read them",
    "model/record.py": "the base of records",
    "model/admin.py": "records without behaviour; tests/config/test_admin.py and those of sign-in make and read them",
    "model/telemetry.py": "a record without behaviour; the tests of tracing and of its section make and read it",
    "model/shadow.py": "records; the tests of config, edge/shadows.py and store/shadows.py make and read them",
    "model/drills.py": "records; the tests of drills in config, policy and drills make and read them",
    "model/measures.py": "records without behaviour, and a table; the tests of observe/samples.py hold against it",
    "model/standing.py": "records without behaviour; the tests of observe/samples.py make and read them",
    "model/parts.py": "records without behaviour; the call's tests make and read them",
    "model/spending.py": "a record without behaviour; the ledger's tests write and read it",
    "model/outcome.py": "records without behaviour",
    "providers/openai/fields.py": "records without behaviour; the tests of request and answer read them",
    "providers/openai/events.py": "records without behaviour; the tests of stream read them",
    "providers/anthropic/events.py": "the same",
    "providers/responses/events.py": "the same",
    "providers/codec.py": "protocols and three records; every codec's tests use them",
    "providers/translate/face.py": "protocols and a record; every translation's tests use them",
    "providers/translate/records.py": "records without behaviour",
    "providers/translate/words_chat.py": "records without behaviour; all tests of translations read or write them",
    "providers/translate/words_messages.py": "records without behaviour; as words_chat",
}

# Files above 400 lines, functions above 50: "path" or "path:function".
TOO_LONG: dict[str, str] = {
    "src/tidegate/model/call.py:__init__": "one record with forty fields, a line each",
    "src/tidegate/line/tries.py:recorded": "a record with thirty fields, a line each",
}

# Test files that call a real sleep.
SLEEPING = {
    "tests/cluster/tenants.py": "a fund opens some time after the cluster, and only a server knows when",
    "tests/cluster/test_places.py": "asks a server until its answer is the last one",
    "tests/cluster/test_tenants.py": "what was spent reaches a server within a tenth of a second",
    "tests/bench/test_flood.py": "closed transports let go of their sockets in a later turn of the loop",
    "tests/e2e/test_budgets.py": "clients that come again when they are told to",
    "tests/e2e/test_mission.py": "asks a process that starts until it answers, with a deadline",
    "tests/e2e/test_policy_api.py": "asks the admin API until it tells what another process notes, with a deadline",
    "tests/e2e/test_jobs_edge.py": "asks a process that starts until it answers, with a deadline",
    "tests/edge/test_errands.py": "that a writer is held and stays so shows only after a while",
    "tests/jobs/engines/stand.py": "polls rows that other processes change, with a deadline",
    "tests/jobs/engines/test_fleet.py": "asks a process that starts until it answers, with a deadline",
    "tests/twin/conftest.py": "a closed transport lets go of its socket in a later turn of the loop",
    "tests/twin/test_faults_http.py": "waits for a port to close and to open again, which tells nobody",
}
