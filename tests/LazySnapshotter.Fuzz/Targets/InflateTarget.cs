using System.IO.Compression;
using LazySnapshotter.Codecs.Inflate;

namespace LazySnapshotter.Fuzz.Targets;

// The DEFLATE decoder, against .NET's zlib-ng: what one takes the other takes, and to the same bytes. The decoder gets the
// input in one piece and in small ones, with and without stops at blocks, goes on with another inflater after pauses, and writes right
// up to a page without access.
internal sealed class InflateTarget : FuzzTarget
{
    /// <summary>More output than this is not compared: deflate makes a thousand bytes of one.</summary>
    private const int OutputMax = 256 * 1024;

    /// <summary>A block header with all its code lengths fits in here.</summary>
    private const int ZerosBehind = 640;

    [ThreadStatic]
    private static GuardedMemory? _output;

    private readonly Lazy<IReadOnlyList<byte[]>> _seeds = new(MakeSeeds);

    public override string Name => "inflate";

    public override IReadOnlyList<byte[]> Seeds => _seeds.Value;

    public override int LengthMax => 8 * 1024;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        var (oracle, oracleEnded) = Oracle(input);
        var (ours, state) = Decode(input, input.Length, stopAtBlocks: false, pauseDistance: OutputMax + 1);
        var pieces = Decode(input, 1 + random.Next(64), stopAtBlocks: true, pauseDistance: 200 + random.Next(3000));
        if (!ours.AsSpan().SequenceEqual(pieces.Output) || state != pieces.State)
            throw new InvalidOperationException(
                $"in pieces: {pieces.State} after {pieces.Output.Length} bytes; in one: {state} after {ours.Length}");

        // zlib gives out what comes before an error in large steps, so of a corrupt stream only the beginning can be compared.
        var common = Math.Min(ours.Length, oracle.Length);
        if (!ours.AsSpan(0, common).SequenceEqual(oracle.AsSpan(0, common)))
            throw new InvalidOperationException("zlib decodes to other bytes");
        if (ours.Length < OutputMax && (!Agree(oracleEnded, state) || (state == InflateState.StreamEnd && ours.Length != oracle.Length)))
            throw new InvalidOperationException(
                $"zlib {(oracleEnded ? "takes" : "refuses")} it ({oracle.Length} bytes), we end with {state} ({ours.Length} bytes)");
        if (state != InflateState.StreamEnd && state != InflateState.OutputFull)
            throw new InvalidDataException(state.ToString());
    }

    // Of a stream that is cut short DeflateStream has read on into the zeros behind it: that says nothing.
    private static bool Agree(bool oracleEnded, InflateState state) => state switch
    {
        InflateState.StreamEnd => oracleEnded,
        InflateState.Corrupt => !oracleEnded,
        _ => true,
    };

    private static (byte[] Output, InflateState State) Decode(
        ReadOnlySpan<byte> whole, int pieceLength, bool stopAtBlocks, int pauseDistance)
    {
        _output ??= new GuardedMemory(OutputMax);
        var buffer = _output.Take(OutputMax);
        var (inflater, other) = (new Inflater { CountReach = stopAtBlocks }, new Inflater { CountReach = stopAtBlocks });
        var produced = 0;
        var pauseAt = pauseDistance;
        var input = whole;
        while (true)
        {
            var piece = input[..Math.Min(pieceLength, input.Length)];
            var step = inflater.Inflate(piece, buffer, produced, OutputMax, stopAtBlocks, pauseAt);
            input = input[step.Consumed..];
            produced += step.Produced;
            if (step.State == InflateState.Paused)
            {
                var bit = (whole.Length - input.Length) * 8 - step.UnusedBits;
                other.Resume(inflater.SaveBlock(), bit & 7);
                (inflater, other) = (other, inflater);
                input = whole[(bit / 8)..];
                pauseAt = produced + pauseDistance;
                continue;
            }

            var goesOn = step.State == InflateState.BlockBoundary || (step.State == InflateState.NeedInput && !input.IsEmpty);
            if (!goesOn)
                return (buffer[..produced].ToArray(), step.State);
            if (step is { Consumed: 0, Produced: 0, State: InflateState.NeedInput })
                pieceLength *= 2;
        }
    }

    private static (byte[] Output, bool HasEnded) Oracle(ReadOnlySpan<byte> input)
    {
        // DeflateStream does not notice that a stream is cut short where the encoder flushed, and zlib sees some errors
        // later than we do. Zeros behind the stream make it go on to the end or to the error.
        using var deflate = new DeflateStream(new MemoryStream([.. input, .. new byte[ZerosBehind]]), CompressionMode.Decompress);
        var output = new byte[OutputMax];
        var length = 0;
        try
        {
            while (length < output.Length)
            {
                var read = deflate.Read(output, length, output.Length - length);
                if (read == 0)
                    break;
                length += read;
            }

            return (output[..length], true);
        }
        catch (InvalidDataException)
        {
            return (output[..length], false);
        }
    }

    private static byte[][] MakeSeeds()
    {
        var text = new byte[8000];
        var random = new FuzzRandom(7, 0);
        for (var i = 0; i < text.Length; i++)
            text[i] = i > 300 && random.Next(4) != 0 ? text[i - 1 - random.Next(280)] : (byte)(' ' + random.Next(64));
        var noise = new byte[3000];
        for (var i = 0; i < noise.Length; i++)
            noise[i] = (byte)random.Next(256);
        return
        [
            Deflate(text, CompressionLevel.SmallestSize), Deflate(text.AsSpan(0, 4000), CompressionLevel.Fastest),
            Deflate(text.AsSpan(0, 100), CompressionLevel.Optimal),
            Deflate(noise, CompressionLevel.Optimal), Deflate(noise, CompressionLevel.NoCompression),
            Deflate(new byte[30_000], CompressionLevel.Optimal), [0x03, 0x00],
        ];
    }

    private static byte[] Deflate(ReadOnlySpan<byte> bytes, CompressionLevel level)
    {
        using var stored = new MemoryStream();
        using (var deflate = new DeflateStream(stored, level, leaveOpen: true))
        {
            // In two goes with a flush between: several blocks.
            deflate.Write(bytes[..(bytes.Length / 2)]);
            deflate.Flush();
            deflate.Write(bytes[(bytes.Length / 2)..]);
        }

        return stored.ToArray();
    }
}
