using LazySnapshotter.Registry.Auth;

namespace LazySnapshotter.Fuzz.Targets;

// docker's config.json, and what it has for a host and a repository.
internal sealed class DockerConfigTarget : FuzzTarget
{
    private static readonly string[] _hosts = ["docker.io", "index.docker.io"];

    public override string Name => "docker-config";

    public override IReadOnlyList<byte[]> Seeds { get; } = SampleText.Seeds(
        """
        {"auths":{"https://index.docker.io/v1/":{"auth":"dXNlcjpwYXNz"},"docker.io/team/image":{"username":"u","password":"p"}},
        "credHelpers":{"docker.io":"x"},"credsStore":"y"}
        """,
        """{"auths":{"docker.io/team":{"identitytoken":"t"},"docker.io":null},"credHelpers":null,"other":[1,{"a":true}]}""");

    public override IReadOnlyList<string> Words { get; } =
        ["\"auths\":{", "\"auth\":", "\"credHelpers\":", "docker.io", "index.docker.io/", "https://", "/v1/", "/v2", "\"identitytoken\":",
            "\\ud800", "null", "Og=="];

    public override int LengthMax => 4096;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        var file = DockerConfigFile.Parse(input);
        _ = file.HelperFor(_hosts);
        if (file.EntryFor(_hosts, "team/image") is { } login && login.IsSameAs(login) == false)
            throw new InvalidOperationException("credentials that are not themselves");
    }
}
