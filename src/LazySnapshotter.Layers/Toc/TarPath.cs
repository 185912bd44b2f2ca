using System.Text;

namespace LazySnapshotter.Layers.Toc;

// Paths in a tar, as bytes: taken apart and shown.
internal static class TarPath
{
    private const int DisplayLengthMax = 200;

    /// <summary>
    /// The components of a path, cleaned without looking at any file (Go's filepath.Clean): empty ones and "." are gone,
    /// ".." has eaten the one before it.
    /// </summary>
    /// <returns>How many ".." stay over at the front; a rooted path cannot climb and gives 0.</returns>
    public static int Clean(ReadOnlyMemory<byte> path, List<ReadOnlyMemory<byte>> components)
    {
        components.Clear();
        var climbs = 0;
        foreach (var range in path.Span.Split((byte)'/'))
        {
            var component = path[range];
            if (component.IsEmpty || component.Span.SequenceEqual("."u8))
                continue;
            if (!component.Span.SequenceEqual(".."u8))
                components.Add(component);
            else if (components.Count > 0)
                components.RemoveAt(components.Count - 1);
            else
                climbs++;
        }

        return IsRooted(path) ? 0 : climbs;
    }

    public static bool IsRooted(ReadOnlyMemory<byte> path) => path.Span is [(byte)'/', ..];

    /// <summary>A path for a message: control characters escaped, cut where it gets long.</summary>
    public static string Display(ReadOnlySpan<byte> path)
    {
        var cut = path.Length > DisplayLengthMax;
        var text = new StringBuilder();
        foreach (var character in Encoding.UTF8.GetString(cut ? path[..DisplayLengthMax] : path))
        {
            if (char.IsControl(character))
                text.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\x{(int)character:x2}");
            else
                text.Append(character);
        }

        return $"\"{text}\"{(cut ? "..." : "")}";
    }
}
