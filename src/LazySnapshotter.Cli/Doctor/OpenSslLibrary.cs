using System.Runtime.InteropServices;
using LazySnapshotter.Cli.Output;

namespace LazySnapshotter.Cli.Doctor;

// OpenSSL, the one library beside libc that the program needs from the machine: hashes and TLS are OpenSSL's, and .NET loads it
// when it is first used. Where there is none .NET ends the process with a stack trace, so we look before.
internal static class OpenSslLibrary
{
    public const string Package = "libssl3";

    // What .NET looks for, in its order.
    private static readonly string[] _names = ["libssl.so.3", "libssl.so.1.1"];

    /// <summary>The library that is there; null if none is. It stays loaded.</summary>
    public static string? Find() => Array.Find(_names, name => NativeLibrary.TryLoad(name, out _));

    /// <exception cref="CommandException">There is none.</exception>
    public static void Require()
    {
        if (Find() is null)
            throw new CommandException($"OpenSSL is missing ({_names[0]}): nothing can be hashed or fetched; install {Package}");
    }
}
