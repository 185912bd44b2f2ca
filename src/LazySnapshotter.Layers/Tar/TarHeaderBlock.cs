using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace LazySnapshotter.Layers.Tar;

internal enum TarFormat
{
    /// <summary>Before POSIX: no magic, no owner names, no devices.</summary>
    V7,

    Ustar,

    /// <summary>ustar with a shorter prefix, told by its trailer.</summary>
    Star,

    Gnu,
}

// The 512 bytes of a tar header, as fields (POSIX pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar
// Format"). Offsets derive from the lengths, field by field:
//
//   name[100] mode[8] uid[8] gid[8] size[12] mtime[12] chksum[8] typeflag linkname[100]
//   magic[6] version[2] uname[32] gname[32] devmajor[8] devminor[8] then
//     ustar: prefix[155] pad[12]     star: prefix[131] atime[12] ctime[12] pad[8] "tar\0"
//     gnu:   atime[12] ctime[12] offset[12] longnames[4] unused sparse[4 * 24] isextended realsize[12] pad[17]
internal readonly ref struct TarHeaderBlock(ReadOnlySpan<byte> block)
{
    public const int Length = 512;

    private const int ModeOffset = 100;
    private const int UidOffset = ModeOffset + 8;
    private const int GidOffset = UidOffset + 8;
    private const int SizeOffset = GidOffset + 8;
    private const int MtimeOffset = SizeOffset + 12;
    private const int ChecksumOffset = MtimeOffset + 12;
    private const int TypeOffset = ChecksumOffset + 8;
    private const int LinkNameOffset = TypeOffset + 1;
    private const int MagicOffset = LinkNameOffset + 100;
    private const int UserNameOffset = MagicOffset + 8;
    private const int GroupNameOffset = UserNameOffset + 32;
    private const int DeviceMajorOffset = GroupNameOffset + 32;
    private const int DeviceMinorOffset = DeviceMajorOffset + 8;
    private const int PrefixOffset = DeviceMinorOffset + 8;
    private const int StarTrailerOffset = Length - 4;

    private readonly ReadOnlySpan<byte> _block = block;

    public byte TypeFlag => _block[TypeOffset];

    public ReadOnlySpan<byte> Name => Text(_block[..ModeOffset]);

    public ReadOnlySpan<byte> LinkName => Text(_block.Slice(LinkNameOffset, 100));

    public ReadOnlySpan<byte> Mode => _block.Slice(ModeOffset, 8);

    public ReadOnlySpan<byte> Uid => _block.Slice(UidOffset, 8);

    public ReadOnlySpan<byte> Gid => _block.Slice(GidOffset, 8);

    public ReadOnlySpan<byte> Size => _block.Slice(SizeOffset, 12);

    public ReadOnlySpan<byte> Mtime => _block.Slice(MtimeOffset, 12);

    public ReadOnlySpan<byte> UserName => Text(_block.Slice(UserNameOffset, 32));

    public ReadOnlySpan<byte> GroupName => Text(_block.Slice(GroupNameOffset, 32));

    public ReadOnlySpan<byte> DeviceMajor => _block.Slice(DeviceMajorOffset, 8);

    public ReadOnlySpan<byte> DeviceMinor => _block.Slice(DeviceMinorOffset, 8);

    public ReadOnlySpan<byte> UstarPrefix => Text(_block.Slice(PrefixOffset, 155));

    public ReadOnlySpan<byte> StarPrefix => Text(_block.Slice(PrefixOffset, 131));

    public ReadOnlySpan<byte> GnuAccessTime => _block.Slice(PrefixOffset, 12);

    public ReadOnlySpan<byte> GnuChangeTime => _block.Slice(PrefixOffset + 12, 12);

    public TarFormat Format
    {
        get
        {
            var magic = _block.Slice(MagicOffset, 8);
            if (magic.SequenceEqual("ustar  \0"u8))
                return TarFormat.Gnu;
            if (!magic.StartsWith("ustar\0"u8))
                return TarFormat.V7;
            return _block[StarTrailerOffset..].SequenceEqual("tar\0"u8) ? TarFormat.Star : TarFormat.Ustar;
        }
    }

    public bool IsZero => _block.IndexOfAnyExcept((byte)0) < 0;

    /// <summary>Whether the block's checksum is right; old tars summed signed bytes.</summary>
    public bool HasValidChecksum
    {
        get
        {
            if (!TarNumber.TryParseOctal(_block.Slice(ChecksumOffset, 8), out var stated))
                return false;

            var (unsigned, signed) = Sum(_block[..Length]);
            foreach (var value in _block[ChecksumOffset..TypeOffset])
                (unsigned, signed) = (unsigned - value + ' ', signed - (sbyte)value + ' '); // it counts as spaces itself
            return stated == unsigned || stated == signed;
        }
    }

    // Every entry pays for this twice: of its 512 bytes 16 at a time. A lane adds up 64 of them, which 16 bits hold.
    private static (int Unsigned, int Signed) Sum(ReadOnlySpan<byte> block)
    {
        var unsigned = Vector128<ushort>.Zero;
        var signed = Vector128<short>.Zero;
        foreach (var bytes in MemoryMarshal.Cast<byte, Vector128<byte>>(block))
        {
            var (low, high) = Vector128.Widen(bytes);
            unsigned += low + high;
            var (signedLow, signedHigh) = Vector128.Widen(bytes.AsSByte());
            signed += signedLow + signedHigh;
        }

        var ((a, b), (c, d)) = (Vector128.Widen(unsigned), Vector128.Widen(signed));
        return ((int)Vector128.Sum(a + b), Vector128.Sum(c + d));
    }

    /// <summary>A text field ends at its first NUL, or fills its room.</summary>
    private static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }
}
