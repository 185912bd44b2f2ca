using System.Text;

namespace LazySnapshotter.Linux;

// A path (or any other name) as the kernel takes it: bytes that end with a zero. .NET strings cannot hold names that
// are not UTF-8, and images have such names. A string converts by itself; bytes are copied.
public readonly struct LinuxPath : IEquatable<LinuxPath>
{
    private readonly byte[]? _terminated;

    /// <exception cref="ArgumentException">A zero byte inside would silently cut the name short.</exception>
    public LinuxPath(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Contains((byte)0))
            throw new ArgumentException("a name for the kernel cannot hold a zero byte", nameof(bytes));

        _terminated = new byte[bytes.Length + 1];
        bytes.CopyTo(_terminated);
    }

    public LinuxPath(string text) : this(Encoding.UTF8.GetBytes(text))
    {
    }

    public ReadOnlySpan<byte> Bytes => _terminated is null ? default : _terminated.AsSpan(0, _terminated.Length - 1);

    internal ReadOnlySpan<byte> Terminated => _terminated ?? "\0"u8;

    public static implicit operator LinuxPath(string text) => new(text);

    public static implicit operator LinuxPath(ReadOnlySpan<byte> bytes) => new(bytes);

    public static LinuxPath FromString(string text) => new(text);

    public static LinuxPath FromReadOnlySpan(ReadOnlySpan<byte> bytes) => new(bytes);

    public static bool operator ==(LinuxPath left, LinuxPath right) => left.Equals(right);

    public static bool operator !=(LinuxPath left, LinuxPath right) => !left.Equals(right);

    /// <summary>This path, a slash, and a name below it.</summary>
    public LinuxPath Append(ReadOnlySpan<byte> name)
    {
        var here = Bytes;
        var slash = here.Length == 0 || here[^1] == (byte)'/' ? 0 : 1;
        var joined = new byte[here.Length + slash + name.Length];
        here.CopyTo(joined);
        if (slash == 1)
            joined[here.Length] = (byte)'/';
        name.CopyTo(joined.AsSpan(here.Length + slash));
        return new LinuxPath(joined);
    }

    public bool Equals(LinuxPath other) => Bytes.SequenceEqual(other.Bytes);

    public override bool Equals(object? obj) => obj is LinuxPath other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }

    /// <summary>For messages: what is not UTF-8 shows as U+FFFD.</summary>
    public override string ToString() => Encoding.UTF8.GetString(Bytes);
}
