using System.Runtime.InteropServices;

namespace LazySnapshotter.Linux;

// Extended attributes (xattr(7)) of a file itself, links not followed. Names and values are bytes.
public static partial class Libc
{
    // XATTR_SIZE_MAX and XATTR_LIST_MAX of linux/limits.h: no value and no list is longer.
    private const int XattrLengthMax = 65536;

    /// <returns>Null when the file has no such attribute, or its filesystem knows none.</returns>
    public static byte[]? GetXattr(LinuxPath path, LinuxPath name)
    {
        var buffer = new byte[XattrLengthMax];
        var length = lgetxattr(path.Terminated, name.Terminated, buffer, (nuint)buffer.Length);
        if (length >= 0)
            return buffer[..(int)length];
        if (LastErrno is Errno.ENODATA or Errno.EOPNOTSUPP)
            return null;
        Throw("lgetxattr", path);
        return null;
    }

    /// <summary>The names of all attributes.</summary>
    public static IReadOnlyList<byte[]> ListXattrs(LinuxPath path)
    {
        var buffer = new byte[XattrLengthMax];
        var length = llistxattr(path.Terminated, buffer, (nuint)buffer.Length);
        if (length < 0)
        {
            if (LastErrno == Errno.EOPNOTSUPP)
                return [];
            Throw("llistxattr", path);
        }

        var names = new List<byte[]>();
        for (var rest = buffer.AsSpan(0, (int)length); !rest.IsEmpty;)
        {
            var end = rest.IndexOf((byte)0);
            names.Add(rest[..end].ToArray());
            rest = rest[(end + 1)..];
        }

        return names;
    }

    public static void SetXattr(LinuxPath path, LinuxPath name, ReadOnlySpan<byte> value) =>
        Check(lsetxattr(path.Terminated, name.Terminated, value, (nuint)value.Length, 0), "lsetxattr", path);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint lgetxattr(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, Span<byte> value, nuint size);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint llistxattr(ReadOnlySpan<byte> path, Span<byte> list, nuint size);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int lsetxattr(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, nuint size, int flags);
}
