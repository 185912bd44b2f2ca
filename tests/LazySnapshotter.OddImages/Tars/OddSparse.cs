using LazySnapshotter.TestSupport.Tars;

namespace LazySnapshotter.OddImages.Tars;

// A sparse file in one of the four formats there are (GNU tar manual, "Storing Sparse Files"), now and then with a map that is wrong.
internal static class OddSparse
{
    private const int PieceLength = 512;

    public static void Write(Dice dice, TestTar tar, string path)
    {
        var pieces = new List<(long Offset, long Length)>();
        var offset = dice.Pick(0L, 1000, 512);
        for (var i = dice.Below(7); i > 0; i--, offset += PieceLength + dice.Pick(0, 1, 4096))
            pieces.Add((offset, dice.OneIn(4) ? dice.Below(PieceLength) : PieceLength));
        var size = offset + dice.Pick(0, 1, 100_000);
        if (dice.Wrong("a sparse map that is wrong"))
            pieces.Insert(0, dice.Pick((5L, 100L), (0L, 0L), (1L << 40, 5L)));
        var data = dice.Text((int)Math.Min(10_000, pieces.Sum(piece => piece.Length)));
        switch (dice.Wrong("sparse old GNU") ? "old GNU" : dice.PickNoted("sparse", "0.0", "0.1", "1.0"))
        {
            case "old GNU":
                WriteOldGnu(tar, path, pieces, size, data);
                break;
            case "0.0":
                List<(string, string)> records = [("GNU.sparse.size", Text(size)), ("GNU.sparse.numblocks", Text(pieces.Count))];
                foreach (var piece in pieces)
                    records.AddRange([("GNU.sparse.offset", Text(piece.Offset)), ("GNU.sparse.numbytes", Text(piece.Length))]);
                tar.Pax([.. records]);
                tar.Add(path, data: data);
                break;
            case "0.1":
                var map = string.Join(',', pieces.Select(piece => $"{piece.Offset},{piece.Length}"));
                tar.Pax(
                    ("GNU.sparse.size", Text(size)), ("GNU.sparse.numblocks", Text(pieces.Count)), ("GNU.sparse.map", map),
                    ("GNU.sparse.name", path));
                tar.Add("GNUSparseFile.0/x", data: data);
                break;
            default:
                var head = string.Concat(pieces.Select(piece => $"{piece.Offset}\n{piece.Length}\n").Prepend($"{pieces.Count}\n"));
                tar.Pax(
                    ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", path), ("GNU.sparse.realsize", Text(size)));
                tar.Add("GNUSparseFile.0/x", data: head.PadRight((head.Length + 511) / 512 * 512, '\0') + data);
                break;
        }
    }

    private static void WriteOldGnu(TestTar tar, string path, List<(long Offset, long Length)> pieces, long size, string data)
    {
        const int InHeader = 4, InExtension = 21, EntryLength = 24, MapOffset = 386, ExtendedOffset = 482, RealSizeOffset = 483;
        tar.Add(path, 'S', size: data.Length, tweak: header =>
        {
            TestTar.Put(header, 257, "ustar  \0");
            header.AsSpan(345, 36).Clear();
            PutMap(header, MapOffset, pieces.Take(InHeader));
            header[ExtendedOffset] = pieces.Count > InHeader ? (byte)1 : (byte)0;
            TestTar.Put(header, RealSizeOffset, TestTar.Octal(size, 11) + "\0");
        });
        for (var done = InHeader; done < pieces.Count; done += InExtension)
        {
            var block = new byte[TestTar.BlockLength];
            PutMap(block, 0, pieces.Skip(done).Take(InExtension));
            block[InExtension * EntryLength] = pieces.Count > done + InExtension ? (byte)1 : (byte)0;
            tar.Raw(block);
        }

        tar.Data(data);
    }

    private static void PutMap(byte[] block, int offset, IEnumerable<(long Offset, long Length)> pieces)
    {
        foreach (var piece in pieces)
        {
            TestTar.Put(block, offset, TestTar.Octal(piece.Offset, 11) + "\0" + TestTar.Octal(piece.Length, 11) + "\0");
            offset += 24;
        }
    }

    private static string Text(long number) => OddHeader.Number(number);
}
