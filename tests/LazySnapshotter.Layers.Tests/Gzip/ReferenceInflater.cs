namespace LazySnapshotter.Layers.Tests.Gzip;

// RFC 1951 word by word, a bit at a time, with no thought of speed: says of a whole sound stream what came out, where each
// block starts, and what every match copied from where. What the decoder says of windows and reach is held against it.
internal sealed class ReferenceInflater
{
    private readonly byte[] _input;
    private int _bit;

    private ReferenceInflater(byte[] input) => _input = input;

    public sealed record Block(int StartBit, int OutputOffset)
    {
        /// <summary>Bytes that matches of the block copied from before its start.</summary>
        public long Reach { get; set; }
    }

    /// <summary>A byte of a match: where it went and where it came from.</summary>
    public readonly record struct Copy(int To, int From);

    public List<byte> Output { get; } = [];

    public List<Block> Blocks { get; } = [];

    public List<Copy> Copies { get; } = [];

    public static ReferenceInflater Run(byte[] deflated)
    {
        var inflater = new ReferenceInflater(deflated);
        bool last;
        do
        {
            inflater.Blocks.Add(new Block(inflater._bit, inflater.Output.Count));
            last = inflater.Number(1) == 1;
            var type = inflater.Number(2);
            if (type == 0)
                inflater.Stored();
            else if (type == 1)
                inflater.Compressed(Fixed(288, i => i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8), Fixed(30, _ => 5));
            else
                inflater.Dynamic();
        }
        while (!last);
        return inflater;
    }

    private static int[] Fixed(int count, Func<int, int> length) => [.. Enumerable.Range(0, count).Select(length)];

    private int Number(int count)
    {
        var value = 0;
        for (var i = 0; i < count; i++, _bit++)
            value |= (_input[_bit / 8] >> (_bit % 8) & 1) << i;
        return value;
    }

    private void Stored()
    {
        _bit = (_bit + 7) / 8 * 8;
        var length = Number(16);
        Number(16);
        for (var i = 0; i < length; i++)
            Output.Add((byte)Number(8));
    }

    private void Dynamic()
    {
        var (lengthCount, distanceCount, codeLengthCount) = (Number(5) + 257, Number(5) + 1, Number(4) + 4);
        var codeLengths = new int[19];
        foreach (var symbol in new[] { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 }.Take(codeLengthCount))
            codeLengths[symbol] = Number(3);
        var codes = Codes(codeLengths);
        var lengths = new List<int>();
        while (lengths.Count < lengthCount + distanceCount)
        {
            var symbol = Symbol(codes);
            if (symbol < 16)
                lengths.Add(symbol);
            else
                lengths.AddRange(symbol switch
                {
                    16 => Enumerable.Repeat(lengths[^1], 3 + Number(2)),
                    17 => Enumerable.Repeat(0, 3 + Number(3)),
                    _ => Enumerable.Repeat(0, 11 + Number(7)),
                });
        }

        Compressed([.. lengths.Take(lengthCount)], [.. lengths.Skip(lengthCount)]);
    }

    private void Compressed(int[] lengths, int[] distanceLengths)
    {
        var (codes, distanceCodes) = (Codes(lengths), Codes(distanceLengths));
        while (true)
        {
            var symbol = Symbol(codes);
            if (symbol == 256)
                return;
            if (symbol < 256)
            {
                Output.Add((byte)symbol);
                continue;
            }

            // 3.2.5: the tables, as the rows they are made of
            var length = 3;
            for (var i = 257; i < symbol; i++)
                length += 1 << (i < 265 ? 0 : (i - 261) / 4);
            length = symbol == 285 ? 258 : length + Number(symbol < 265 ? 0 : (symbol - 261) / 4);
            var distanceSymbol = Symbol(distanceCodes);
            var distance = 1;
            for (var i = 0; i < distanceSymbol; i++)
                distance += 1 << (i < 4 ? 0 : i / 2 - 1);
            distance += Number(distanceSymbol < 4 ? 0 : distanceSymbol / 2 - 1);
            var source = Output.Count - distance;
            Blocks[^1].Reach += Math.Clamp(Blocks[^1].OutputOffset - source, 0, length);
            for (var i = 0; i < length; i++, source++)
            {
                Copies.Add(new Copy(Output.Count, source));
                Output.Add(Output[source]);
            }
        }
    }

    private int Symbol(Dictionary<(int Length, int Code), int> codes)
    {
        var code = 0;
        for (var length = 1; ; length++)
        {
            code = code << 1 | Number(1);
            if (codes.TryGetValue((length, code), out var symbol))
                return symbol;
        }
    }

    private static Dictionary<(int Length, int Code), int> Codes(int[] lengths)
    {
        var codes = new Dictionary<(int, int), int>();
        var code = 0;
        for (var length = 1; length < 16; length++, code <<= 1)
        {
            for (var symbol = 0; symbol < lengths.Length; symbol++)
            {
                if (lengths[symbol] == length)
                    codes[(length, code++)] = symbol;
            }
        }

        return codes;
    }
}
