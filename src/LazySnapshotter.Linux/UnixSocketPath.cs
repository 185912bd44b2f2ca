using System.Text;

namespace LazySnapshotter.Linux;

// What unix(7) wants of a socket's path: sockaddr_un has 108 bytes for it, the last of them zero.
public static class UnixSocketPath
{
    private const int BytesMax = 107;

    /// <summary>What is wrong with it; null if nothing is.</summary>
    public static string? WhyNot(string path) => Encoding.UTF8.GetByteCount(path) switch
    {
        0 => "an empty string is no path of a socket",
        var length when length > BytesMax => $"{path} has {length} bytes, the path of a Unix socket at most {BytesMax}",
        _ => null,
    };
}
