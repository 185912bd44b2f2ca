using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace LazySnapshotter.Linux;

// Listing a directory with names as bytes; .NET's enumeration loses those that are not UTF-8.
public static partial class Libc
{
    private const int SEEK_SET = 0;

    // What the C library uses for readdir(3).
    private const int DirectoryBufferLength = 32 * 1024;

    /// <summary>All names, in the filesystem's order, "." and ".." among them if it says so.</summary>
    public static List<DirectoryItem> ListDirectory(LinuxPath path)
    {
        using var directory = Open(path, OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY);
        var items = new List<DirectoryItem>();
        while (ReadDirectory(directory, DirectoryBufferLength) is { Count: > 0 } more)
            items.AddRange(more);
        return items;
    }

    /// <summary>The names that fit a buffer, from the current position on; none at the end.</summary>
    public static List<DirectoryItem> ReadDirectory(LinuxFileHandle directory, int bufferLength)
    {
        var buffer = new byte[bufferLength];
        var length = getdents64(directory, buffer, (nuint)buffer.Length);
        if (length < 0)
            Throw("getdents64");
        return ParseDirectory(buffer.AsSpan(0, (int)length));
    }

    /// <param name="position">0, or a NextPosition from the same directory.</param>
    public static void SeekDirectory(LinuxFileHandle directory, long position)
    {
        if (lseek(directory, position, SEEK_SET) < 0)
            Throw("lseek");
    }

    // struct linux_dirent64: | d_ino (8) | d_off (8) | d_reclen (2) | d_type (1) | d_name, zero-terminated |
    private static List<DirectoryItem> ParseDirectory(ReadOnlySpan<byte> entries)
    {
        const int OffsetAt = sizeof(
            ulong), LengthAt = OffsetAt + sizeof(long), TypeAt = LengthAt + sizeof(ushort), NameAt = TypeAt + sizeof(byte);
        var items = new List<DirectoryItem>();
        while (!entries.IsEmpty)
        {
            var length = BinaryPrimitives.ReadUInt16LittleEndian(entries[LengthAt..]);
            var name = entries[NameAt..length];
            var type = entries[TypeAt];
            items.Add(new DirectoryItem(
                name[..name.IndexOf((byte)0)].ToArray(),
                BinaryPrimitives.ReadUInt64LittleEndian(entries),
                type == 0 ? null : (FileType)((uint)type << 12),
                BinaryPrimitives.ReadInt64LittleEndian(entries[OffsetAt..])));
            entries = entries[length..];
        }

        return items;
    }

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint getdents64(SafeHandle fd, Span<byte> dirp, nuint count);

    [LibraryImport(Library, SetLastError = true)]
    private static partial long lseek(SafeHandle fd, long offset, int whence);
}
