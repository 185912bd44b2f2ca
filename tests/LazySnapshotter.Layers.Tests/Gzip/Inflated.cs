using LazySnapshotter.Codecs.Inflate;

namespace LazySnapshotter.Layers.Tests.Gzip;

// Runs an Inflater over a stream the way a test wants it: input in pieces, output behind a window, up to a limit at a time.
internal sealed record Inflated(InflateState State, byte[] Output, int Consumed, IReadOnlyList<Inflated.Boundary> Boundaries, string Error)
{
    public sealed record Boundary(long StartBit, int OutputOffset, long Reach);

    /// <param name="piece">How many input bytes the next call gets, given how many are left.</param>
    /// <param name="room">How much may be put out by one call.</param>
    public static Inflated Of(
        ReadOnlySpan<byte> deflated, int bitOffset = 0, ReadOnlySpan<byte> window = default, int outputMax = 4 << 20,
        Func<int, int>? piece = null, Func<int>? room = null, bool countReach = false, Inflater? inflater = null)
    {
        inflater ??= new Inflater();
        inflater.CountReach = countReach;
        inflater.Reset(bitOffset);
        var buffer = new byte[window.Length + outputMax];
        window.CopyTo(buffer);
        var position = window.Length;
        var consumed = 0;
        var boundaries = new List<Boundary>();
        while (true)
        {
            var length = Math.Min(deflated.Length - consumed, piece?.Invoke(deflated.Length - consumed) ?? int.MaxValue);
            var limit = Math.Min(buffer.Length, position + (room?.Invoke() ?? int.MaxValue / 2));
            var step = inflater.Inflate(deflated.Slice(consumed, length), buffer, position, limit, stopAtBlocks: true);
            Assert.InRange(step.Consumed, 0, length);
            Assert.InRange(step.Produced, 0, limit - position);
            consumed += step.Consumed;
            position += step.Produced;
            switch (step.State)
            {
                case InflateState.BlockBoundary:
                    Assert.InRange(step.UnusedBits, 0, 7);
                    boundaries.Add(new Boundary(consumed * 8L - step.UnusedBits, position - window.Length, inflater.ReachBytes));
                    break;
                case InflateState.NeedInput when consumed < deflated.Length:
                    Assert.Equal(length, step.Consumed);
                    break;
                case InflateState.OutputFull when position < buffer.Length:
                    Assert.Equal(limit, position);
                    break;
                default:
                    return new Inflated(step.State, buffer[window.Length..position], consumed, boundaries, inflater.Error);
            }
        }
    }
}
