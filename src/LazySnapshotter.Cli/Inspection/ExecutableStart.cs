using System.Buffers.Binary;
using System.Text;

namespace LazySnapshotter.Cli.Inspection;

// What the kernel looks for at the beginning of an executable: `#!` and the interpreter of a script (execve(2)), or an ELF
// header, whose PT_INTERP program header names the dynamic linker (elf(5)).
internal static class ExecutableStart
{
    /// <summary>Program headers and the interpreter's name stand in the first page or two of what linkers write.</summary>
    public const int Length = 16 * 1024;

    private const int ProgramHeaderCountMax = 256;
    private const uint PT_INTERP = 3;

    /// <returns>The interpreter's path, and for <c>/usr/bin/env NAME</c> the name it will look for; nulls where there is none.</returns>
    public static (string? Interpreter, string? Command) Read(ReadOnlySpan<byte> start)
    {
        if (start.StartsWith("#!"u8))
            return ReadScript(start[2..]);
        return start.StartsWith((ReadOnlySpan<byte>)[0x7F, (byte)'E', (byte)'L', (byte)'F']) ? (ReadElf(start), null) : (null, null);
    }

    private static (string? Interpreter, string? Command) ReadScript(ReadOnlySpan<byte> line)
    {
        var end = line.IndexOf((byte)'\n');
        var words = Encoding.UTF8.GetString(end < 0 ? line : line[..end]).Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0)
            return (null, null);
        var isEnv = words[0].EndsWith("/env", StringComparison.Ordinal);
        return (words[0], isEnv
            ? words.Skip(1).FirstOrDefault(word => !word.StartsWith('-') && !word.Contains('=', StringComparison.Ordinal))
            : null);
    }

    private static string? ReadElf(ReadOnlySpan<byte> start)
    {
        var is64 = start.Length > 64 && start[4] == 2;
        if (start.Length <= 64 || start[5] != 1) // little-endian machines are those we run on
            return null;
        var tableOffset = is64
            ? BinaryPrimitives.ReadUInt64LittleEndian(start[32..])
            : BinaryPrimitives.ReadUInt32LittleEndian(start[28..]);
        var entryLength = BinaryPrimitives.ReadUInt16LittleEndian(start[(is64 ? 54 : 42)..]);
        var count = Math.Min((int)BinaryPrimitives.ReadUInt16LittleEndian(start[(is64 ? 56 : 44)..]), ProgramHeaderCountMax);
        for (var i = 0; i < count; i++)
        {
            var offset = tableOffset + (ulong)i * entryLength;
            if (entryLength < (is64 ? 56 : 32) || offset > (ulong)start.Length || (ulong)start.Length - offset < entryLength)
                return null;
            var header = start.Slice((int)offset, entryLength);
            if (BinaryPrimitives.ReadUInt32LittleEndian(header) != PT_INTERP)
                continue;
            var nameOffset = is64
                ? BinaryPrimitives.ReadUInt64LittleEndian(header[8..])
                : BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
            var nameLength = is64
                ? BinaryPrimitives.ReadUInt64LittleEndian(header[32..])
                : BinaryPrimitives.ReadUInt32LittleEndian(header[16..]);
            if (nameOffset > (ulong)start.Length || nameLength > (ulong)start.Length - nameOffset)
                return null;
            return Encoding.UTF8.GetString(start.Slice((int)nameOffset, (int)nameLength)).TrimEnd('\0');
        }

        return null;
    }
}
