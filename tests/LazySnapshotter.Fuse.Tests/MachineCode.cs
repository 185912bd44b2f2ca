using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace LazySnapshotter.Fuse.Tests;

// The smallest static program: an ELF header, one segment, and a few instructions that exit with the effective user id.
internal static class MachineCode
{
    private const ulong Base = 0x400000;
    private const int HeaderLength = 64, SegmentLength = 56;

    private static bool IsArm => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    public static byte[] ExitWithEffectiveUserId()
    {
        byte[] code = IsArm
            ?
            [
                0xE8, 0x15, 0x80, 0xD2, // mov x8, #175 (geteuid)
                0x01, 0x00, 0x00, 0xD4, // svc #0
                0xA8, 0x0B, 0x80, 0xD2, // mov x8, #93 (exit)
                0x01, 0x00, 0x00, 0xD4, // svc #0
            ]
            :
            [
                0xB8, 107, 0, 0, 0, // mov eax, 107 (geteuid)
                0x0F, 0x05, // syscall
                0x89, 0xC7, // mov edi, eax
                0xB8, 60, 0, 0, 0, // mov eax, 60 (exit)
                0x0F, 0x05, // syscall
            ];

        var file = new byte[HeaderLength + SegmentLength + code.Length];
        ReadOnlySpan<byte> magic = [0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1];
        magic.CopyTo(file);
        Write16(file, 16, 2); // executable
        Write16(file, 18, IsArm ? (ushort)183 : (ushort)62);
        Write32(file, 20, 1);
        Write64(file, 24, Base + HeaderLength + SegmentLength); // entry
        Write64(file, 32, HeaderLength); // segments
        Write16(file, 52, HeaderLength);
        Write16(file, 54, SegmentLength);
        Write16(file, 56, 1);

        var segment = file.AsSpan(HeaderLength);
        Write32(segment, 0, 1); // load
        Write32(segment, 4, 5); // read, execute
        Write64(segment, 16, Base);
        Write64(segment, 24, Base);
        Write64(segment, 32, (ulong)file.Length);
        Write64(segment, 40, (ulong)file.Length);
        Write64(segment, 48, 0x1000);
        code.CopyTo(file.AsSpan(HeaderLength + SegmentLength));
        return file;
    }

    private static void Write16(Span<byte> at, int offset, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(at[offset..], value);

    private static void Write32(Span<byte> at, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(at[offset..], value);

    private static void Write64(Span<byte> at, int offset, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(at[offset..], value);
}
