namespace LazySnapshotter.Blobs.Fetching;

// How spans are fetched. The defaults are for a registry some ten milliseconds away at some hundred Mbit/s.
public sealed record SpanFetcherOptions
{
    /// <summary>
    /// Present spans of less than this between two demanded ones are fetched once more rather than paying for a second
    /// request: bandwidth times round trip of a 25 Mbit/s link at 20 ms.
    /// </summary>
    public const int GapBytesMax = 64 << 10;

    /// <summary>The longest single request; a longer run of missing spans becomes several, side by side.</summary>
    public int RequestBytesMax { get; init; } = 8 << 20;

    /// <summary>
    /// What is read brings the spans behind it along, up to this many bytes in all: neighbours in a tar are mostly used
    /// together, and asking again costs a round trip. Of this limit as much is used as comes in half a round trip
    /// of the link at hand (of an unknown one, a quarter of it all). 0 fetches just what is read.
    /// </summary>
    public int NeighbourBytesMax { get; init; } = 1 << 20;

    /// <summary>The rest of a file of which a part is read comes along if it is no longer than this, compressed. 0: it does not.</summary>
    public int FileBytesMax { get; init; } = 16 << 20;

    /// <summary>
    /// A layer of which many parts are read one after the other is fetched as a whole if no more than this of it is
    /// missing, compressed (<see cref="FetchPlan"/>). 0: never.
    /// </summary>
    public int RestBytesMax { get; init; } = 32 << 20;

    /// <summary>How far ahead of a sequential reader fetching goes, in compressed bytes. 0 turns read-ahead off.</summary>
    public int ReadAheadBytesMax { get; init; } = 4 << 20;

    /// <summary>
    /// A source that sends the whole blob for a part of it is listened to on though nobody waits any more, for so many
    /// bytes: stopped, it would have to begin with the first byte again. Who waits starts the count anew.
    /// </summary>
    public long UnwantedBytesMax { get; init; } = 1L << 30;

    /// <summary>
    /// A fetch that takes longer fails, retry included; counted anew when somebody comes to wait for it. Of a source that sends the
    /// whole blob: one that is slower than 256 KiB in that time.
    /// </summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(60);
}
