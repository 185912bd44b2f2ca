using System.Text;
using LazySnapshotter.Linux;

namespace LazySnapshotter.TestSupport.Trees;

// One path that is not in both trees what it should be.
public sealed record TreeDifference(LinuxPath Path, string Aspect, string Expected, string Actual)
{
    public override string ToString() => $"{Show(Path.Bytes)}: {Aspect}: expected {Expected}, actual {Actual}";

    /// <summary>Bytes as text in which nothing is lost.</summary>
    internal static string Show(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        foreach (var value in bytes)
        {
            if (value is >= (byte)' ' and < 0x7F and not (byte)'\\')
                text.Append((char)value);
            else
                text.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\x{value:x2}");
        }

        return text.ToString();
    }
}
