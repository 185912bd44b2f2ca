using System.Globalization;

namespace LazySnapshotter.Oci;

// The names of systems and architectures, and which machines run what is made for others: the rules of containerd's package
// platforms (database.go, compare.go), so that an image is chosen or refused here as it is there.
internal static class PlatformNames
{
    /// <summary>Images are for the system containers run on here, unless they say otherwise.</summary>
    public const string ThisSystem = "linux";

    private const int OldestArm = 5;

    public static string SystemOf(string os) => os.ToLowerInvariant() switch
    {
        "" => ThisSystem,
        "macos" => "darwin",
        var other => other,
    };

    /// <returns>Of variants only those that are not what the architecture's name says alone; arm always has one.</returns>
    public static (string Architecture, string? Variant) ArchitectureOf(string architecture, string? variant)
    {
        var name = architecture.ToLowerInvariant();
        var lower = variant?.ToLowerInvariant() ?? "";
        return name switch
        {
            "i386" => ("386", null),
            "x86_64" or "x86-64" or "amd64" => ("amd64", lower is "" or "v1" ? null : lower),
            "aarch64" or "arm64" => ("arm64", lower is "" or "8" or "v8" ? null : lower),
            "armhf" => ("arm", "v7"),
            "armel" => ("arm", "v6"),
            "arm" => ("arm", lower switch { "" => "v7", "5" or "6" or "7" or "8" => "v" + lower, _ => lower }),
            _ => (name, lower.Length == 0 ? null : lower),
        };
    }

    public static bool IsKnownSystem(string os) => os is
        "aix" or "android" or "darwin" or "dragonfly" or "freebsd" or "hurd" or "illumos" or "ios" or "js" or "linux" or "nacl" or "netbsd"
        or "openbsd" or "plan9" or "solaris" or "windows" or "zos";

    public static bool IsKnownArchitecture(string architecture) => architecture is
        "386" or "amd64" or "amd64p32" or "arm" or "armbe" or "arm64" or "arm64be" or "ppc64" or "ppc64le" or "loong64" or "mips"
        or "mipsle" or "mips64" or "mips64le" or "mips64p32" or "mips64p32le" or "ppc" or "riscv" or "riscv64" or "s390"
        or "s390x" or "sparc" or "sparc64" or "wasm";

    /// <summary>What machines of a normalized platform run, best first: its own, older variants, and 32-bit kin.</summary>
    public static IEnumerable<Platform> RunnableBy(Platform platform)
    {
        yield return platform;
        switch (platform.Architecture)
        {
            case "amd64":
                foreach (var older in Variants(platform, VersionOf(platform.Variant) - 1, oldest: 1))
                    yield return older;
                yield return platform with { Architecture = "386", Variant = null };
                break;
            case "arm64":
                foreach (var older in RunnableBy(platform with { Architecture = "arm", Variant = platform.Variant ?? "v8" }))
                    yield return older;
                break;
            case "arm":
                foreach (var older in Variants(platform, VersionOf(platform.Variant) - 1, OldestArm))
                    yield return older;
                break;
        }
    }

    private static IEnumerable<Platform> Variants(Platform platform, int newest, int oldest)
    {
        for (var version = newest; version >= oldest; version--)
            yield return (platform with { Variant = string.Create(CultureInfo.InvariantCulture, $"v{version}") }).Normalized();
    }

    // Of variants without a number there are no older ones. No number here has more than one digit.
    private static int VersionOf(string? variant) => variant is ['v', var digit] && char.IsAsciiDigit(digit) ? digit - '0' : 0;
}
