"""Parameters and secrets of the busy account, each operation's request accepted once."""

from __future__ import annotations

from acting_world import World


def parameters(world: World) -> None:
    ssm = world.client("ssm")
    tags = [{"Key": "team", "Value": "web"}]
    ssm.put_parameter(Name="/web/db/host", Value="db", Type="String", Tags=tags)
    ssm.put_parameter(
        Name="/web/db/password",
        Value="p4ss",
        Type="SecureString",
        Description="of the database",
        AllowedPattern="^[a-z0-9]+$",
        Tier="Intelligent-Tiering",
    )
    ssm.put_parameter(Name="/web/db/host", Value="db2", Overwrite=True)
    ssm.put_parameter(Name="spare", Value="a,b", Type="StringList")
    ssm.label_parameter_version(Name="/web/db/host", ParameterVersion=1, Labels=["live", "old"])
    ssm.unlabel_parameter_version(Name="/web/db/host", ParameterVersion=1, Labels=["old"])
    ssm.get_parameter(Name="/web/db/password", WithDecryption=True)
    ssm.get_parameters(Names=["/web/db/host:live", "/web/db/host:2", "nothing"])
    filters = [{"Key": "Type", "Option": "Equals", "Values": ["SecureString"]}]
    ssm.get_parameters_by_path(Path="/web", Recursive=True, ParameterFilters=filters)
    ssm.get_parameter_history(Name="/web/db/host", MaxResults=1)
    filters = [{"Key": "tag:team", "Values": ["web"]}, {"Key": "Path", "Values": ["/web/db"]}]
    ssm.describe_parameters(ParameterFilters=filters, MaxResults=5)
    named = {"ResourceType": "Parameter", "ResourceId": "/web/db/host"}
    ssm.add_tags_to_resource(**named, Tags=[{"Key": "stage", "Value": "test"}])
    ssm.list_tags_for_resource(**named)
    ssm.remove_tags_from_resource(**named, TagKeys=["stage"])
    with world.held_back():
        ssm.delete_parameter(Name="spare")
    with world.held_back():
        ssm.delete_parameters(Names=["spare", "nothing"])


def secrets(world: World) -> None:
    manager = world.client("secretsmanager")
    tags = [{"Key": "team", "Value": "web"}]
    arn = manager.create_secret(
        Name="web/db", SecretString='{"password": "p4ss"}', Description="database", Tags=tags
    )["ARN"]
    manager.create_secret(Name="spare", SecretBinary=b"\x00\x01")
    manager.get_secret_value(SecretId="web/db")
    second = manager.put_secret_value(SecretId=arn, SecretString="other", VersionStages=["NEXT"])
    manager.update_secret(SecretId="web/db", Description="the database", SecretString="third")
    manager.update_secret_version_stage(
        SecretId="web/db", VersionStage="NEXT", MoveToVersionId=second["VersionId"]
    )
    manager.describe_secret(SecretId=arn[:-7])
    manager.list_secrets(Filters=[{"Key": "name", "Values": ["web"]}], SortOrder="asc")
    manager.list_secret_version_ids(SecretId="web/db", IncludeDeprecated=True)
    manager.get_resource_policy(SecretId="web/db")
    manager.batch_get_secret_value(SecretIdList=["web/db", "nothing"])
    manager.tag_resource(SecretId="web/db", Tags=[{"Key": "stage", "Value": "test"}])
    manager.untag_resource(SecretId="web/db", TagKeys=["stage"])
    manager.get_random_password(PasswordLength=20, ExcludePunctuation=True)
    with world.held_back():
        manager.delete_secret(SecretId="spare", RecoveryWindowInDays=7)
    manager.restore_secret(SecretId="spare")
