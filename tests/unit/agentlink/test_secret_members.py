"""What an agent is told to fetch, in the members of the official protocol."""

from __future__ import annotations

from homeport.agentlink.secret_members import secret_members

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"
PARAMETER = "arn:aws:ssm:us-east-1:123456789012:parameter/db/host"


def test_secrets_log_options_files_and_the_registrys_password() -> None:
    members = secret_members(
        {
            "secrets": [
                {"name": "A", "valueFrom": f"{SECRET}:key::"},
                {"name": "B", "valueFrom": PARAMETER},
                {"name": "C", "valueFrom": "host"},
            ],
            "logConfiguration": {
                "logDriver": "splunk",
                "secretOptions": [{"name": "splunk-token", "valueFrom": "/token"}],
            },
            "environmentFiles": [{"value": "arn:aws:s3:::files/app.env", "type": "s3"}],
            "repositoryCredentials": {"credentialsParameter": SECRET},
        },
        "us-east-1",
    )
    told = [
        (s["name"], s["valueFrom"], s["region"], s["provider"], s["type"], s["target"])
        for s in members["secrets"]
    ]
    variable = ("ENVIRONMENT_VARIABLE", "CONTAINER")
    assert told == [
        ("A", f"{SECRET}:key::", "eu-west-1", "asm", *variable),
        ("B", "/db/host", "us-east-1", "ssm", *variable),
        ("C", "host", "us-east-1", "ssm", *variable),
        ("splunk-token", "/token", "us-east-1", "ssm", "BOOTSTRAP", "LOG_DRIVER"),
    ]
    assert members["environmentFiles"] == [{"value": "arn:aws:s3:::files/app.env", "type": "s3"}]
    assert members["registryAuthentication"] == {
        "type": "asm",
        "asmAuthData": {"credentialsParameter": SECRET, "region": "eu-west-1"},
    }


def test_a_parameter_of_another_region_or_of_one_level_stays_an_arn() -> None:
    for arn in (PARAMETER.replace("us-east-1", "eu-west-1"), PARAMETER.replace("db/", "")):
        secret = secret_members({"secrets": [{"name": "A", "valueFrom": arn}]}, "us-east-1")
        assert secret["secrets"][0]["valueFrom"] == arn


def test_nothing_to_fetch_is_nothing_in_the_payload() -> None:
    assert secret_members({"secrets": [], "environment": []}, "us-east-1") == {}
