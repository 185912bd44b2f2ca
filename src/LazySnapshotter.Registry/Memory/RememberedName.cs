using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Memory;

// What a name read from a file may look like.
internal static class RememberedName
{
    public static bool IsSound(string? text) =>
        text is { Length: > 0 and <= RegistryLimits.RememberedNameCharsMax } && !text.Any(char.IsControl);
}
