namespace LazySnapshotter.Registry.Auth;

// The files in which logins are kept, in the order in which they are asked: what a person named for us, what a person
// named for podman and skopeo ($REGISTRY_AUTH_FILE), docker's, and podman's (containers-auth.json(5)). A file named for us
// is the only one.
internal static class CredentialFiles
{
    public static IEnumerable<string> Paths(string? configured) =>
        configured is not null ? [configured] : Paths(Environment.GetEnvironmentVariable);

    internal static IEnumerable<string> Paths(Func<string, string?> environment)
    {
        // else it would be wherever we were started
        var home = Of("HOME") is { } directory && Path.IsPathRooted(directory) ? directory : null;
        if (Of("REGISTRY_AUTH_FILE") is { } authFile)
            yield return authFile;
        if (Of("DOCKER_CONFIG") is { } folder)
            yield return Path.Combine(folder, "config.json");
        else if (home is not null)
            yield return Path.Combine(home, ".docker", "config.json");
        if (Of("XDG_RUNTIME_DIR") is { } runtime)
            yield return Path.Combine(runtime, "containers", "auth.json");
        else if (Environment.IsPrivilegedProcess)
            yield return "/run/containers/0/auth.json"; // Where root logs in; a service has no runtime directory of a user's.
        if (Of("XDG_CONFIG_HOME") is { } config)
            yield return Path.Combine(config, "containers", "auth.json");
        else if (home is not null)
            yield return Path.Combine(home, ".config", "containers", "auth.json");

        string? Of(string name) => environment(name) is { Length: > 0 } value ? value : null;
    }
}
