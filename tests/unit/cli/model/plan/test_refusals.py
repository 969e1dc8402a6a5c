import pytest

from sluice_cli.model.plan.refusals import refusal_findings

# As Kubernetes 1.34 writes them.
INVALID = """The IngestJob "us-equities" is invalid:\x20
* spec.limits.minIntervalMilliseconds: Invalid value: "number": spec.limits.minIntervalMilliseconds in body must be of \
type integer: "number"
* spec.limits.writesPerSecond: Invalid value: 1000: spec.limits.writesPerSecond in body should be less than or equal \
to 500
* spec.limits.burst: Invalid value: 0: spec.limits.burst in body should be greater than or equal to 1
* spec.channels[1]: Unsupported value: "quots": supported values: "bars", "quotes", "trades"
* spec.symbols[1]: Invalid value: "boolean": spec.symbols[1] in body must be of type string: "boolean"
* spec.symbols[2]: Invalid value: "aapl": spec.symbols[2] in body should match '^[A-Z][A-Z0-9]*([./][A-Z0-9]+)?$'
* spec.symbols[3]: Duplicate value: "SPY"
* spec.tenant: Required value
* <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the \
existing errors to complete validation"""


def messages(message: str, *explained: str) -> list[str]:
    return [each.message for each in refusal_findings(message, explained)]


def test_each_cause_is_a_sentence_with_the_remedy() -> None:
    assert messages(INVALID, "spec.symbols[1]") == [
        "spec.limits.minIntervalMilliseconds: write a whole number from 0 to 3600000.",
        "spec.limits.writesPerSecond is 1000: set it to a number from 1 to 500.",
        "spec.limits.burst is 0: set it to a number from 1 to 1000.",
        'spec.channels[1] is "quots": set it to one of bars, quotes, trades.',
        'spec.symbols[2] is "aapl": a symbol is in upper case, with a dot before a share class and a slash in a pair: '
        "write SPY, BRK.B or BTC/USD.",
        'spec.symbols[3] is "SPY", which occurs twice: remove one of the two.',
        "spec.tenant is missing: set it.",
    ]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            'The IngestJob "x" is invalid: spec.tenant: Invalid value: "string": spec.tenant is immutable: to change '
            "the tenant, delete the job and create it again",
            "spec.tenant is immutable: to change the tenant, delete the job and create it again",
        ),
        (
            'The IngestJob "x" is invalid: spec: Invalid value: "object": provider ibkr needs spec.ibkr.host: set it',
            "provider ibkr needs spec.ibkr.host: set it",
        ),
        (
            'The IngestJob "x" is invalid: spec.firestore.database: Invalid value: "a": spec.firestore.database in '
            "body should match '^new$'",
            'spec.firestore.database is "a": its characters are not those that this field allows.',
        ),
        (
            'Error from server (BadRequest): error when creating "STDIN": IngestJob in version "v1alpha1" cannot be '
            'handled as a IngestJob: strict decoding error: unknown field "spec.symbolz"',
            "unknown field spec.symbolz; did you mean spec.symbols?",
        ),
        (
            'error: error validating "STDIN": error validating data: ValidationError(IngestJob.spec.limits): unknown '
            'field "zzz" in dev.sluice.v1alpha1.IngestJob.spec.limits; if you choose to ignore these errors',
            "unknown field spec.limits.zzz: remove it.",
        ),
        (
            'Error from server (BadRequest): strict decoding error: unknown field "spec.limits.writesPerDay"',
            "The CRDs of this cluster do not have the field spec.limits.writesPerDay: apply newer CRDs, or remove the "
            "field.",
        ),
        (
            'Error from server (BadRequest): strict decoding error: duplicate field "spec.tenant"',
            "spec.tenant is declared twice: remove one of the two.",
        ),
        (
            'Error from server (Forbidden): error when creating "STDIN": ingestjobs.sluice.dev "x" is forbidden: '
            "ValidatingAdmissionPolicy 'sluice-tenant' with binding 'sluice-tenant' denied request: Namespace acme "
            "serves tenant acme, so spec.tenant cannot be beta.",
            "Namespace acme serves tenant acme, so spec.tenant cannot be beta.",
        ),
        (
            'error: resource mapping not found for name: "x" namespace: "" from "STDIN": no matches for kind '
            '"IngestJob" in version "sluice.dev/v9"',
            "This cluster does not serve IngestJob in version sluice.dev/v9: write apiVersion: sluice.dev/v1alpha1, or "
            "apply the CRDs of Sluice.",
        ),
        ("Error from server (Conflict): the object has been modified\x1b[2J", "the object has been modified?[2J"),
        ('The IngestJob "x" is invalid: something else', "something else"),
    ],
)
def test_a_message_of_the_api_server_is_in_our_words(message: str, said: str) -> None:
    assert messages(message) == [said]


def test_a_conflict_of_server_side_apply_names_the_manager_and_the_fields() -> None:
    message = (
        'error: Apply failed with 3 conflicts: conflicts with "sluice" using sluice.dev/v1alpha1:\n'
        '- .spec.limits.burst\n- .spec.enabled\nconflict with "desk": .spec.pause\n'
        "Please review the fields above--they have other managers."
    )
    assert [each.partition(",")[0] for each in messages(message)] == [
        "sluice owns spec.limits.burst",
        "desk owns spec.pause",
    ]
    assert "spec.enabled" in messages(message)[0]
