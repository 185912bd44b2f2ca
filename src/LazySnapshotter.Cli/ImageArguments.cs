using System.CommandLine;
using LazySnapshotter.Daemon;

namespace LazySnapshotter.Cli;

// What the commands that look at an image have in common: which image, where this node keeps what it has fetched,
// and whether the registry is spoken to in plain HTTP.
internal static class ImageArguments
{
    public static Argument<string> Reference() => new("REF") { Description = "The image, for example docker.io/library/python:3.12" };

    public static Option<string> Root() => new("--root")
    {
        Description = "Where indexes and fetched bytes are kept; shared with a daemon that uses the same directory",
        DefaultValueFactory = _ => RootForThisUser(),
    };

    public static Option<bool> PlainHttp() => new("--plain-http")
    {
        Description = "Speak http to the image's registry (loopback registries are spoken to in http anyway)",
    };

    public static DaemonOptions.RegistrySection RegistrySection(IEnumerable<string> plainHttp, string? hostsDirectory) =>
        new() { PlainHttp = [.. plainHttp], HostsDirectory = hostsDirectory ?? DaemonOptions.DefaultHostsDirectory };

    // Everyone but root keeps a cache of their own (XDG Base Directory Specification).
    private static string RootForThisUser()
    {
        if (Environment.IsPrivilegedProcess)
            return DaemonOptions.DefaultRoot;
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } configured
            ? configured
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return Path.Combine(cache, "lazysnap");
    }
}
