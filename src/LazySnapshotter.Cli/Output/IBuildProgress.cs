namespace LazySnapshotter.Cli.Output;

/// <summary>Shows how reading layers goes on. Safe for concurrent use.</summary>
internal interface IBuildProgress
{
    /// <summary>How many bytes will be read in all.</summary>
    void Expect(long length);

    /// <summary>A layer begins.</summary>
    /// <param name="length">Null where nobody knows (a pipe).</param>
    ILayerProgress Start(string name, long? length);
}

/// <summary>One layer: told how many of its bytes have been read; disposed when it is over.</summary>
internal interface ILayerProgress : IProgress<long>, IDisposable;
