namespace LazySnapshotter.Registry.Hosts;

// The registry that goes by several names: one in references, one where it is asked, one under which logins are kept.
internal static class DockerHub
{
    /// <summary>As in an image reference.</summary>
    public const string Name = "docker.io";

    public const string Endpoint = "registry-1.docker.io";

    /// <summary>In docker's config.json.</summary>
    public const string LoginKey = "https://index.docker.io/v1/";

    public static readonly string[] Names = [Name, "index.docker.io", Endpoint];
}
