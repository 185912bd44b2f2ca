using System.IO.Compression;
using LazySnapshotter.Codecs.Inflate;
using LazySnapshotter.TestSupport.Deflate;

namespace LazySnapshotter.Layers.Tests.Gzip;

// Damaged streams: taken and refused exactly where zlib-ng takes and refuses, with the same bytes before the damage.
public sealed class BadDeflateTests
{
    [Fact]
    public void Every_truncation_waits_for_more_input()
    {
        foreach (var stream in new[] { DeflateSamples.Everything, DeflateSamples.Deflate(
            DeflateSamples.Content[..3000], CompressionLevel.Optimal) })
        {
            for (var length = 0; length < stream.Length; length++)
            {
                AssertLikeZlibNg(stream[..length], $"cut at {length}");
                Assert.Equal(InflateState.NeedInput, Inflated.Of(stream.AsSpan(0, length), outputMax: 80_000).State);
            }
        }
    }

    [Fact]
    public void Every_single_bit_flip_does_what_it_does_to_zlib_ng()
    {
        var stream = DeflateSamples.Everything;
        for (var bit = 0; bit < stream.Length * 8; bit++)
        {
            var damaged = (byte[])stream.Clone();
            damaged[bit / 8] ^= (byte)(1 << bit % 8);
            AssertLikeZlibNg(damaged, $"bit {bit}");
        }
    }

    [Fact]
    public void Random_damage_does_what_it_does_to_zlib_ng()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var streams = new[] { CompressionLevel.Fastest, CompressionLevel.Optimal, CompressionLevel.SmallestSize }
            .Select((level, i) => DeflateSamples.Deflate(DeflateSamples.Content[(i * 40_000)..(i * 40_000 + 20_000)], level))
                .Append(DeflateSamples.Everything).ToArray();
        var ends = new Dictionary<InflateState, int>();
        for (var round = 0; round < 1500; round++)
        {
            var damaged = (byte[])streams[round % streams.Length].Clone();
            var place = random.Next(2) == 0 ? 120 : damaged.Length; // headers are worth half of the rounds
            for (var i = random.Next(1, 4); i > 0; i--)
                damaged[random.Next(Math.Min(place, damaged.Length))] = (byte)random.Next(256);
            var state = AssertLikeZlibNg(damaged, $"seed {seed}, round {round}");
            ends[state] = ends.GetValueOrDefault(state) + 1;
        }

        Assert.True(ends.GetValueOrDefault(InflateState.Corrupt) > 100
            && ends.GetValueOrDefault(InflateState.StreamEnd) > 10, string.Join(", ", ends));
    }

    [Fact]
    public void Random_codes_are_taken_or_refused_as_by_zlib_ng()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var taken = 0;
        for (var round = 0; round < 4000; round++)
        {
            var lengths = RandomCode(random, random.Next(257, 289), 256);
            var distances = RandomCode(random, random.Next(1, 33), -1);
            var bits = new DeflateBits().Dynamic(isLast: true, lengths, distances);
            var noise = new byte[200];
            random.NextBytes(noise);
            foreach (var value in noise)
                bits.Number(value, 8);
            if (AssertLikeZlibNg(bits.ToArray(), $"seed {seed}, round {round}") == InflateState.StreamEnd)
                taken++;
        }

        Assert.True(taken > 50, $"{taken} taken");
    }

    public static readonly TheoryData<string, bool, byte[], byte[], string> Codes = new()
    {
        // name, taken, literal and length code (lengths of 0, 1, ... and of 256), distance code, what follows in bits
        { "only the end, one bit", true, [0, 0, 1], [0], "0" },
        { "only the end, its other bit", false, [0, 0, 1], [0], "1" },
        { "only the end, two bits", false, [0, 0, 2], [0], "00" },
        { "no end", false, [1, 1, 0], [0], "0" },
        { "two literals and the end", true, [1, 2, 2], [0], "010 11" },
        { "incomplete", false, [2, 2, 2], [0], "00 01 10" },
        { "over-subscribed", false, [1, 1, 1], [0], "0" },
        { "no distance, none used", true, [1, 0, 1], [0], "01" },
        { "one distance of one bit", true, [1, 0, 1], [1], "01" },
        { "one distance of two bits", false, [1, 0, 1], [2], "01" },
        { "one distance of fifteen bits", false, [1, 0, 1], [15], "01" },
        { "two distances", true, [1, 0, 1], [1, 1], "01" },
        { "incomplete distances", false, [1, 0, 1], [2, 2], "01" },
        { "over-subscribed distances", false, [1, 0, 1], [1, 1, 1], "01" },
        { "thirty distances", true, [1, 0, 1], [.. Enumerable.Repeat((byte)5, 28), 4, 4], "01" },
        { "thirty-one distances", false, [1, 0, 1], [.. Enumerable.Repeat((byte)5, 30), 4], "01" },
    };

    [Theory]
    [MemberData(nameof(Codes))]
    public void A_code_is_taken_if_it_is_complete_or_trivial(string name, bool taken, byte[] code, byte[] distances, string data)
    {
        var lengths = new byte[257];
        (lengths[0], lengths[1], lengths[256]) = (code[0], code[1], code[2]);
        var bits = new DeflateBits().Dynamic(isLast: true, lengths, distances);
        foreach (var bit in data.Where(char.IsAsciiDigit))
            bits.Number(bit - '0', 1);
        Assert.True(taken == (AssertLikeZlibNg([.. bits.ToArray(), 0, 0], name) == InflateState.StreamEnd), name);
    }

    [Fact]
    public void A_distance_that_no_code_has_is_refused()
    {
        // Symbols 286 and 287, distances 30 and 31 exist in the fixed codes and mean nothing.
        foreach (var symbol in new[] { 286, 287 })
            Assert.Equal("invalid literal or length code", Inflated.Of(Behind(bits => bits.FixedSymbol(symbol))).Error);
        foreach (var distance in new[] { 30, 31 })
            Assert.Equal("invalid distance code", Inflated.Of(Behind(bits => bits.FixedSymbol(257).Code(distance, 5))).Error);

        // One distance code of one bit: the other bit.
        var lengths = new byte[258];
        (lengths['a'], lengths[257], lengths[256]) = (1, 2, 2);
        var unused = new DeflateBits().Dynamic(isLast: true, lengths, [1]).Code(0, 1).Code(0b11, 2).Number(1, 1).Number(0, 32);
        Assert.Equal("invalid distance code", Inflated.Of(unused.ToArray()).Error);

        static byte[] Behind(Action<DeflateBits> write)
        {
            var bits = new DeflateBits().FixedHeader(isLast: true).FixedSymbol('a');
            write(bits);
            return bits.FixedSymbol(256).Number(0, 32).ToArray();
        }
    }

    [Fact]
    public void Damage_is_found_by_the_fast_loop_and_near_the_end_alike()
    {
        foreach (var padding in new[] { 0, 5000 })
        {
            var tooFar = new DeflateBits().FixedHeader(isLast: true).FixedSymbol('a').FixedSymbol(257).Code(1, 5);
            for (var i = 0; i < padding; i++)
                tooFar.FixedSymbol('b');
            Assert.Equal("a distance goes too far back", Inflated.Of(tooFar.FixedSymbol(256).ToArray()).Error);
        }
    }

    [Fact]
    public void What_is_corrupt_stays_corrupt_until_a_reset()
    {
        var inflater = new Inflater();
        inflater.Reset();
        var buffer = new byte[100];
        Assert.Equal(InflateState.Corrupt, inflater.Inflate([7], buffer, 0, 100, false).State);
        Assert.Equal("invalid block type", inflater.Error);
        Assert.Equal(InflateState.Corrupt, inflater.Inflate([3, 0], buffer, 0, 100, false).State);
        inflater.Reset();
        Assert.Equal(InflateState.StreamEnd, inflater.Inflate([3, 0], buffer, 0, 100, false).State);
    }

    /// <summary>Mostly complete codes: leaves of a tree that is split at random; at times one length is changed.</summary>
    private static byte[] RandomCode(Random random, int symbolCount, int used)
    {
        var leaves = new List<byte> { 0 };
        var wanted = random.Next(1, symbolCount + 1);
        for (var tries = 0; leaves.Count < wanted && tries < 2000; tries++)
        {
            var leaf = random.Next(leaves.Count);
            if (leaves[leaf] == 15)
                continue;
            leaves[leaf]++;
            leaves.Add(leaves[leaf]);
        }

        if (leaves.Count == 1)
            leaves[0] = (byte)random.Next(3);
        var lengths = new byte[symbolCount];
        for (var i = 0; i < leaves.Count; i++)
            lengths[i] = leaves[i];
        random.Shuffle(lengths);
        if (used >= 0 && lengths[used] == 0 && random.Next(8) != 0)
        {
            var other = Array.FindIndex(lengths, length => length != 0);
            if (other >= 0)
                (lengths[used], lengths[other]) = (lengths[other], lengths[used]);
        }

        if (random.Next(4) == 0)
            lengths[random.Next(symbolCount)] = (byte)random.Next(16);
        return lengths;
    }

    private static InflateState AssertLikeZlibNg(byte[] stream, string what)
    {
        const int outputMax = 80_000;
        var theirs = ZlibNg.Inflate(stream, outputMax);
        var ours = Inflated.Of(stream, outputMax: outputMax);
        var expected = theirs.End switch
        {
            ZlibNgEnd.StreamEnd => InflateState.StreamEnd,
            ZlibNgEnd.NeedInput => InflateState.NeedInput,
            ZlibNgEnd.OutputFull => InflateState.OutputFull,
            _ => InflateState.Corrupt,
        };
        if (theirs.Output.Length < outputMax) // at the limit one says that it is full and the other what comes next
            Assert.True(expected == ours.State, $"{what}: zlib-ng says {expected}, we say {ours.State} {ours.Error}");
        Assert.True(
            theirs.Output.AsSpan().SequenceEqual(ours.Output), $"{what}: other bytes, {theirs.Output.Length} and {ours.Output.Length}");
        if (theirs.End == ZlibNgEnd.StreamEnd)
            Assert.True(theirs.Consumed == ours.Consumed, $"{what}: {theirs.Consumed} and {ours.Consumed} consumed");
        return ours.State;
    }
}
