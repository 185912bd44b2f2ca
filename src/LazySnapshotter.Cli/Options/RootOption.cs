using System.CommandLine;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Node.Options;

namespace LazySnapshotter.Cli.Options;

// --root of the commands that work without a daemon: root's is the daemon's, everyone else has a cache of their own (XDG Base
// Directory Specification). Who has no home has no cache, and nothing is ever kept in the current directory instead.
internal static class RootOption
{
    private static readonly string _none =
        $"no home directory to keep anything in (HOME is {Shown("HOME")}, XDG_CACHE_HOME {Shown("XDG_CACHE_HOME")}): give --root DIR";

    public static Option<string?> Create()
    {
        var option = new Option<string?>("--root")
        {
            Description = "Where indexes and fetched bytes are kept; shared with a daemon that uses the same directory "
                + $"[default: {DaemonOptions.DefaultRoot} for root, ~/.cache/lazysnap for others]",
            HelpName = "DIR",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: "" }])
                result.AddError("--root: an empty string is no path");
        });
        return option;
    }

    /// <exception cref="CommandException">Nothing was said, and this user has no place of its own.</exception>
    public static string RootOf(this ParseResult parsed, Option<string?> option) =>
        parsed.GetValue(option) ?? OfThisUser() ?? throw new CommandException(_none);

    /// <summary>Null where this user has no directory for it: no home, or none that can be written to.</summary>
    public static string? OfThisUser()
    {
        if (Environment.IsPrivilegedProcess)
            return DaemonOptions.DefaultRoot;
        if (Cache() is not { } cache)
            return null;
        var root = Path.Combine(cache, "lazysnap");
        try
        {
            Directory.CreateDirectory(root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return root;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string? Cache()
    {
        // The specification has relative paths ignored.
        if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { } configured && Path.IsPathRooted(configured))
            return configured;
        // Without HOME this is what the user database says. A home that is not there is not made.
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        return Path.IsPathRooted(home) && Directory.Exists(home) ? Path.Combine(home, ".cache") : null;
    }

    private static string Shown(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? $"\"{value}\"" : "not set";
}
