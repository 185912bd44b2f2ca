using System.Buffers.Binary;
using System.Text;

namespace LazySnapshotter.Fuzz;

// Turns well-formed inputs into almost well-formed ones: one to eight small damages, of the kinds that parsers get wrong
// (flipped bits, numbers at the edge of their range, pieces that are missing, doubled, swapped or from another file, words).
public static class Mutator
{
    private const int DamagesMax = 8;

    private static readonly ulong[] _edges =
    [
        0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x100000000,
        0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF,
    ];

    /// <returns>A new input, at most <paramref name="lengthMax"/> bytes.</returns>
    public static byte[] Mutate(IReadOnlyList<byte[]> origins, IReadOnlyList<string> words, int lengthMax, ref FuzzRandom random)
    {
        var bytes = new List<byte>(origins[random.Next(origins.Count)]);
        for (var count = 1 + random.Next(random.OneIn(4) ? DamagesMax : 2); count > 0; count--)
            Damage(bytes, origins, words, ref random);
        if (bytes.Count > lengthMax)
            bytes.RemoveRange(lengthMax, bytes.Count - lengthMax);
        return [.. bytes];
    }

    private static void Damage(List<byte> bytes, IReadOnlyList<byte[]> origins, IReadOnlyList<string> words, ref FuzzRandom random)
    {
        var at = random.Next(bytes.Count);
        switch (random.Next(words.Count > 0 ? 11 : 9))
        {
            case 0 or 1 when bytes.Count > 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 2 when bytes.Count > 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 3 or 4 when bytes.Count > 0:
                PutEdge(bytes, at, ref random);
                break;
            case 5 when bytes.Count > 0:
                bytes.RemoveRange(at, Math.Min(bytes.Count - at, PieceLength(ref random)));
                break;
            case 6 when bytes.Count > 0:
                var doubled = bytes.GetRange(at, Math.Min(bytes.Count - at, PieceLength(ref random)));
                bytes.InsertRange(random.Next(bytes.Count), doubled);
                break;
            case 7:
                var other = origins[random.Next(origins.Count)];
                var start = random.Next(other.Length);
                var piece = other.AsSpan(start, Math.Min(other.Length - start, PieceLength(ref random))).ToArray();
                bytes.RemoveRange(at, random.OneIn(2) ? Math.Min(piece.Length, bytes.Count - at) : 0);
                bytes.InsertRange(at, piece);
                break;
            case 8 when bytes.Count > 0:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 9 or 10:
                bytes.InsertRange(at, Encoding.UTF8.GetBytes(words[random.Next(words.Count)]));
                break;
        }
    }

    // A number at the edge of some range, of any width and byte order, or an old one made a little larger or smaller.
    private static void PutEdge(List<byte> bytes, int at, ref FuzzRandom random)
    {
        var width = Math.Min(1 << random.Next(4), bytes.Count - at);
        Span<byte> field = stackalloc byte[8];
        field.Clear();
        for (var i = 0; i < width; i++)
            field[i] = bytes[at + i];
        var value = random.OneIn(3)
            ? BinaryPrimitives.ReadUInt64LittleEndian(field) + (ulong)random.Next(33) - 16
            : _edges[random.Next(_edges.Length)];
        BinaryPrimitives.WriteUInt64LittleEndian(field, value);
        if (random.OneIn(4))
            field[..width].Reverse();
        for (var i = 0; i < width; i++)
            bytes[at + i] = field[i];
    }

    private static int PieceLength(ref FuzzRandom random) => 1 + random.Next(1 << random.Next(13));
}
