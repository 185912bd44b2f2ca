using System.IO.Compression;
using System.Text;

namespace LazySnapshotter.Benchmarks.IndexBuild;

// A layer of any size, made while it is read: directories of files with names as a package manager gives them, contents
// that compress to about a third.
internal static class SyntheticLayer
{
    private const int PoolLength = 16 << 20;

    public static void Write(Stream output, long uncompressedLength, int entryCount)
    {
        // Not level 1: of that zlib-ng makes one block without end, which nobody can read lazily.
        using var gzip = new GZipStream(output, new ZLibCompressionOptions { CompressionLevel = 2 }, leaveOpen: true);
        var random = new Random(1);
        var pool = Pool(random);
        var header = new byte[512];
        var padding = new byte[512];
        for (var entry = 0; entry < entryCount; entry++)
        {
            var isDirectory = entry % 20 == 0;
            var package = entry / 20;
            var name = $"usr/lib/node_modules/scope{package % 97}/package-{package}/" + (
                isDirectory ? "" : $"lib/module{entry * 2654435761 % 1000003}.js");
            // Many small files and a few large ones: the mean is what the length asks for.
            var mean = uncompressedLength / entryCount * 20 / 19 - 600;
            var length = isDirectory ? 0 : (int)Math.Min(mean * (entry % 16 == 1 ? 11 : random.NextDouble() * 0.66), PoolLength / 2);
            Header(header, name, length, isDirectory);
            gzip.Write(header);
            gzip.Write(pool.AsSpan(random.Next(PoolLength / 2), length));
            gzip.Write(padding.AsSpan(0, -length & 511));
        }

        gzip.Write(padding);
        gzip.Write(padding);
    }

    private static byte[] Pool(Random random)
    {
        var pool = new byte[PoolLength];
        var words = Enumerable.Range(0, 4000)
            .Select(_ => Encoding.ASCII.GetBytes(Convert.ToString(random.NextInt64(1L << random.Next(10, 50)), 16) + " ")).ToArray();
        for (var position = 0; position < pool.Length;)
        {
            if (random.Next(20) == 0)
            {
                var noise = pool.AsSpan(position, Math.Min(random.Next(40), pool.Length - position));
                random.NextBytes(noise);
                position += noise.Length;
                continue;
            }

            var word = words[(int)(words.Length * Math.Pow(random.NextDouble(), 3))];
            var length = Math.Min(word.Length, pool.Length - position);
            word.AsSpan(0, length).CopyTo(pool.AsSpan(position));
            position += length;
        }

        return pool;
    }

    private static void Header(byte[] header, string name, int length, bool isDirectory)
    {
        Array.Clear(header);
        Encoding.ASCII.GetBytes(name, header);
        Octal(header.AsSpan(100, 8), isDirectory ? 493 : 420);
        Octal(header.AsSpan(108, 8), 0);
        Octal(header.AsSpan(116, 8), 0);
        Octal(header.AsSpan(124, 12), length);
        Octal(header.AsSpan(136, 12), 1_700_000_000);
        header.AsSpan(148, 8).Fill((byte)' ');
        header[156] = (byte)(isDirectory ? '5' : '0');
        "ustar\000"u8.CopyTo(header.AsSpan(257));
        var sum = 0;
        foreach (var value in header)
            sum += value;
        Octal(header.AsSpan(148, 7), sum);
    }

    private static void Octal(Span<byte> field, long value) =>
        Encoding.ASCII.GetBytes(Convert.ToString(value, 8).PadLeft(field.Length - 1, '0'), field);
}
