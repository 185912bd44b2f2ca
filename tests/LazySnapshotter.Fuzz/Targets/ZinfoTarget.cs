using System.Buffers.Binary;
using LazySnapshotter.Layers.Soci;

namespace LazySnapshotter.Fuzz.Targets;

// The checkpoints of a zTOC by themselves, for gzip layers (both versions) and for plain tars. A target of its own because
// in a zTOC most damages hit the windows, which are 32 KiB of anything.
internal sealed class ZinfoTarget : FuzzTarget
{
    private const int HeaderLength = 12;
    private const int CheckpointLength = 8 + 8 + 1 + 32768;

    private readonly Lazy<IReadOnlyList<byte[]>> _seeds = new(() => [Gzip(0, 1), Gzip(0, 2), Gzip(1, 2), TarZinfo.Write(4096, 10_000)]);

    public override string Name => "zinfo";

    public override IReadOnlyList<byte[]> Seeds => _seeds.Value;

    public override int LengthMax => HeaderLength + 2 * CheckpointLength + 64;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        if (input.Length < HeaderLength + CheckpointLength - 64)
        {
            TarZinfo.Read(input);
            return;
        }

        var zinfo = GzipZinfo.Read(input);
        for (var i = 0; i < zinfo.Count; i++)
        {
            var (startBit, uncompressedOffset) = zinfo[i];
            if (startBit < 0 || uncompressedOffset < 0)
                throw new InvalidOperationException($"checkpoint {i} at bit {startBit}, uncompressed offset {uncompressedOffset}");
            _ = zinfo.Window(i).Length;
        }
    }

    // Damages where they matter: in the numbers, at the front of the file and of each checkpoint.
    public override void Repair(Span<byte> input)
    {
        if (input.Length >= HeaderLength)
            BinaryPrimitives.WriteInt32LittleEndian(input, Math.Max(1, (input.Length - HeaderLength) / CheckpointLength));
    }

    private static byte[] Gzip(int leftOut, int count)
    {
        var bytes = new byte[HeaderLength + (count - leftOut) * CheckpointLength];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, count);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(4), 4096);
        for (var i = leftOut; i < count; i++)
        {
            var checkpoint = bytes.AsSpan(HeaderLength + (i - leftOut) * CheckpointLength);
            BinaryPrimitives.WriteInt64LittleEndian(checkpoint, 10 + i * 3000);
            BinaryPrimitives.WriteInt64LittleEndian(checkpoint[8..], i * 5000);
            checkpoint[16] = (byte)(i * 3);
        }

        return bytes;
    }
}
