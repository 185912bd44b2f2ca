using System.Runtime.InteropServices;
using System.Text.Json.Serialization;

namespace LazySnapshotter.Oci;

// What an image runs on (OCI image-spec, image-index.md). Platforms are written in many ways; which of them mean the same,
// and what a machine runs besides its own, is as containerd has it (its package platforms): see PlatformNames.
public sealed record Platform
{
    [JsonPropertyName("architecture")]
    public string Architecture { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("os")]
    public string Os { get; init => field = value ?? ""; } = "";

    /// <summary>Means something on Windows only.</summary>
    [JsonPropertyName("os.version")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? OsVersion { get; init; }

    /// <inheritdoc cref="OsVersion"/>
    [JsonPropertyName("os.features")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? OsFeatures { get; init; }

    [JsonPropertyName("variant")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Variant { get; init; }

    /// <summary>The platform this process runs on.</summary>
    public static Platform Current { get; } = new Platform
    {
        Os = PlatformNames.ThisSystem,
        Architecture = RuntimeInformation.OSArchitecture switch
        {
            System.Runtime.InteropServices.Architecture.X64 => "amd64",
            System.Runtime.InteropServices.Architecture.X86 => "386",
            System.Runtime.InteropServices.Architecture.Armv6 => "armel",
            System.Runtime.InteropServices.Architecture.LoongArch64 => "loong64",
            var other => other.ToString().ToLowerInvariant(),
        },
    }.Normalized();

    /// <summary>By its usual names, without what does not count: two platforms are the same if these are equal.</summary>
    public Platform Normalized()
    {
        var (architecture, variant) = PlatformNames.ArchitectureOf(Architecture, Variant);
        return new Platform { Os = PlatformNames.SystemOf(Os), Architecture = architecture, Variant = variant };
    }

    /// <param name="text"><c>os</c>, <c>architecture</c>, <c>os/architecture</c> or <c>os/architecture/variant</c>, by any of their
    /// names.</param>
    /// <exception cref="FormatException">It is none of these.</exception>
    public static Platform Parse(string text)
    {
        var parts = text.Split('/');
        if (parts.Length > 3
            || !parts.All(part => part.Length > 0 && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')))
            throw NoPlatform(text);
        if (parts.Length > 1)
            return new Platform { Os = parts[0], Architecture = parts[1], Variant = parts.Length == 3 ? parts[2] : null }.Normalized();

        if (PlatformNames.IsKnownSystem(PlatformNames.SystemOf(text)))
            return Current with { Os = PlatformNames.SystemOf(text) };
        var alone = new Platform { Os = Current.Os, Architecture = text }.Normalized();
        return PlatformNames.IsKnownArchitecture(alone.Architecture) ? alone : throw NoPlatform(text);
    }

    /// <summary>Whether machines of this platform run such an image, theirs or that of an older machine of their kind.</summary>
    public bool Runs(Platform image) => RankOf(image) is not null;

    /// <returns>0 for an image of this very platform, more for one that it runs as well but would rather not; null where it does
    /// not.</returns>
    public int? RankOf(Platform image)
    {
        var normalized = image.Normalized();
        var rank = PlatformNames.RunnableBy(Normalized()).TakeWhile(each => each != normalized).Count();
        return PlatformNames.RunnableBy(Normalized()).Skip(rank).Any() ? rank : null;
    }

    public override string ToString() => string.IsNullOrEmpty(Variant) ? $"{Os}/{Architecture}" : $"{Os}/{Architecture}/{Variant}";

    private static FormatException NoPlatform(string text) =>
        new($"\"{text}\" is not a platform: os/architecture[/variant] is, for example linux/arm64 or linux/arm/v7");
}
